// Owns the users and their passwords: a salted scrypt hash of each.
// Promise: a name that nobody has takes as long as a wrong password, so that names cannot be found out by the time.
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'

const hash = promisify(scrypt)

/** @param users 'name:password,name:password' */
export async function createPasswords(users) {
  const known = new Map()
  for (const user of users.split(',').filter(Boolean)) {
    const [name, ...password] = user.split(':')
    const salt = randomBytes(16)
    known.set(name, { salt, hash: await hash(password.join(':'), salt, 32) })
  }
  const nobody = { salt: randomBytes(16), hash: randomBytes(32) }

  return {
    has: (name) => known.has(name),
    async check(name, password) {
      const { salt, hash: expected } = known.get(name) ?? nobody
      return timingSafeEqual(await hash(password, salt, 32), expected)
    },
  }
}
