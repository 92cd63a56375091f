// Owns the search for secrets in what an app can observe: every text that can be reached from a value, hidden properties,
// prototypes, getters and bytes included, in every spelling that a secret may be written in.

/** Every text that can be reached from a value; not past the `request` of a caller's own error, which is axios's. */
export function textsIn(value: unknown, seen = new Set<unknown>()): string[] {
  if (typeof value === 'string') return [value]
  if (typeof value === 'symbol') return [String(value)]
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null || seen.has(value))
    return []
  seen.add(value)
  if (value instanceof ArrayBuffer) return [Buffer.from(value).toString('latin1')]
  if (ArrayBuffer.isView(value)) {
    return [Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('latin1')]
  }
  const texts: string[] = []
  for (let owner: object | null = value; owner && !isBuiltIn(owner); owner = Object.getPrototypeOf(owner)) {
    for (const key of Reflect.ownKeys(owner)) {
      texts.push(String(key))
      if (key === 'request') continue
      try {
        texts.push(...textsIn(Reflect.get(owner, key, value), seen))
      } catch {
        // A getter that wants another `this` shows nothing.
      }
    }
  }
  if (value instanceof Map || value instanceof Set)
    for (const entry of value) texts.push(...textsIn(entry, seen))
  return texts
}

function isBuiltIn(owner: object): boolean {
  return [Object.prototype, Function.prototype, Array.prototype, Error.prototype].includes(owner as never)
}

/** The ways in which a secret may be written down. */
export function encodingsOf(secret: string): string[] {
  const json = JSON.stringify(secret).slice(1, -1)
  const bytes = Buffer.from(secret)
  // Base64 of a longer text shows the secret in one of three ways, whatever stands around it.
  const inside = [0, 1, 2].map((offset) => {
    const text = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString('base64')
      .replace(/=+$/, '')
    return text.slice(offset ? 4 : 0, -2)
  })
  return [
    secret,
    json,
    JSON.stringify(json).slice(1, -1),
    encodeURIComponent(secret),
    encodeURIComponent(encodeURIComponent(secret)),
    new URLSearchParams([['', secret]]).toString().slice(1),
    bytes.toString('hex'),
    ...inside,
    ...inside.map((text) => text.replaceAll('+', '-').replaceAll('/', '_')),
  ]
}

/** The places, by name, in which one of the secrets was found. */
export function leaksIn(secrets: readonly string[], things: Record<string, unknown>): string[] {
  const sought = secrets.flatMap((secret) =>
    encodingsOf(secret).map((spelling) => [secret, spelling] as const),
  )
  return Object.entries(things).flatMap(([name, thing]) => {
    const shown = textsIn(thing).join('\n')
    return sought
      .filter(([, spelling]) => shown.includes(spelling))
      .map(([secret, spelling]) => {
        const at = shown.indexOf(spelling)
        return `${name}: ${secret}, in ${JSON.stringify(shown.slice(Math.max(0, at - 60), at + 20))}`
      })
  })
}
