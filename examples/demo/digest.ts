// The fingerprint of a request body: computed where it is made and where it arrives, so that a replay that lost or
// changed a byte shows. A form is taken apart first: its boundary is drawn anew by whoever writes it out.
import { createHash, type Hash } from 'node:crypto'

export function digestOfBytes(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex')
}

export async function digestOfForm(form: FormData): Promise<string> {
  const hash = createHash('sha256')
  for (const [name, value] of form.entries()) {
    part(hash, name)
    if (typeof value === 'string') part(hash, value)
    else part(part(hash, value.name), new Uint8Array(await value.arrayBuffer()))
  }
  return hash.digest('hex')
}

/** With its length in front, so that two parts never read as one. */
function part(hash: Hash, bytes: Uint8Array | string): Hash {
  return hash.update(`${Buffer.byteLength(bytes)}:`).update(bytes)
}
