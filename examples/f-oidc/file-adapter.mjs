// Owns what the provider has to remember: sign-ins, codes, grants, tokens. A real server keeps it in a database.
// Promise: it is in the file before the answer that depends on it goes out, so a restart forgets nothing.
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'

/** @returns {(model: string) => object} the `adapter` option of oidc-provider */
export function createFileAdapter(file) {
  const entries = new Map(existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : [])

  function save() {
    for (const [key, { expiresAtMs }] of entries) if (expiresAtMs <= Date.now()) entries.delete(key)
    // Tokens are in it, so nobody else may read it; and half a file is never the file.
    writeFileSync(`${file}.new`, JSON.stringify([...entries]), { mode: 0o600 })
    renameSync(`${file}.new`, file)
  }

  return (model) => {
    const keyOf = (id) => `${model} ${id}`
    const matching = (field, value) =>
      [...entries].filter(([key, { payload }]) => key.startsWith(`${model} `) && payload[field] === value)

    return {
      async upsert(id, payload, expiresInSeconds) {
        entries.set(keyOf(id), { payload, expiresAtMs: Date.now() + expiresInSeconds * 1000 })
        save()
      },
      async find(id) {
        return entries.get(keyOf(id))?.payload
      },
      async findByUid(uid) {
        return matching('uid', uid)[0]?.[1].payload
      },
      async consume(id) {
        entries.get(keyOf(id)).payload.consumed = Math.floor(Date.now() / 1000)
        save()
      },
      async destroy(id) {
        entries.delete(keyOf(id))
        save()
      },
      async revokeByGrantId(grantId) {
        for (const [key] of matching('grantId', grantId)) entries.delete(key)
        save()
      },
    }
  }
}
