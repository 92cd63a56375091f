// Owns what the backend knows of passwords: a salted scrypt hash of each.
// Promise: a wrong name takes as long as a wrong password, so that names cannot be found out by the time it takes.
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'

const hash = promisify<string, Buffer, number, Buffer>(scrypt)
const HASH_BYTES = 32

interface Credentials {
  salt: Buffer
  hash: Buffer
}

export interface Passwords {
  check(name: string, password: string): Promise<boolean>
}

/** @param users 'name:password,name:password' */
export async function createPasswords(users: string): Promise<Passwords> {
  const known = new Map<string, Credentials>()
  for (const user of users.split(',')) {
    const [name = '', ...rest] = user.split(':')
    const salt = randomBytes(16)
    known.set(name, { salt, hash: await hash(rest.join(':'), salt, HASH_BYTES) })
  }
  const nobody: Credentials = { salt: randomBytes(16), hash: randomBytes(HASH_BYTES) }

  return {
    async check(name, password) {
      const expected = known.get(name) ?? nobody
      return timingSafeEqual(await hash(password, expected.salt, HASH_BYTES), expected.hash)
    },
  }
}
