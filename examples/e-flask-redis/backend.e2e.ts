// Flask and a real Redis: the server renews an expired token by itself. Run for real.
import axios from 'axios'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { tampered } from '../../test/support/auth-server.js'
import { startPython } from '../backends/python.js'
import { type Redis, startRedis } from '../backends/redis.js'
import {
  all,
  answersOf,
  burst,
  countStatus,
  expired,
  giveStorages,
  onOneBackend,
  openApp,
  type Row,
  settled,
  signedIn,
  testRestarts,
  testSigningIn,
  testSigningOut,
  testUsers,
} from '../backends/suite.js'
import { createApp } from './client.js'

let redis: Redis
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())

const anyRow: Row = {
  start: (changes) => startPython('e-flask-redis', { REDIS_URL: redis.url, COOKIE_SECURE: '0', ...changes }),
  open(url) {
    const visits: string[] = []
    const app = createApp(url, (path) => visits.push(path))
    return { ...app, whoAmI: async () => (await app.api.get<{ name: string }>('/me')).data.name, visits }
  },
  wrongPassword: { response: { status: 401, data: { msg: 'Bad username or password', error_code: 1001 } } },
  // The client cannot read when a token ends, and the server does not refuse it.
  noticedBy: [],
  tampered: { status: 401, refreshes: 0 },
  visitsAtEnd: ['/login'],
}

describe('Flask and Redis', () => {
  const row = onOneBackend(anyRow)
  giveStorages()
  testSigningIn(row)
  testRestarts(row)
  testSigningOut(row)
  testUsers(row)

  /** How many tokens the server has renewed since Redis was emptied. */
  const renewals = async () => Number((await redis.command('DBSIZE')).slice(1))

  /** As `expired`, with an empty Redis. */
  const withExpired = async (changes?: Record<string, string>) => {
    const world = await expired(row, undefined, changes)
    await redis.command('FLUSHALL')
    return world
  }

  it('answers all 100 requests after the expiry, and stores one new token', async () => {
    const world = await withExpired()
    const { app, backend, ends } = world
    const old = await app.auth.getAccessToken()
    const taken = new Set<string | undefined>()
    app.auth.subscribe(() => taken.add(storedToken()))
    expect(await answersOf(burst(world, 100))).toEqual(all(100, 'ada'))
    expect(await renewals()).toBe(1)
    expect([...taken]).toEqual([await app.auth.getAccessToken()])
    expect([...taken]).not.toContain(old)
    const log = await backend.answered()
    expect([log.length, countStatus(log, 200)]).toEqual([100, 100])
    expect(ends).toEqual([])
  })

  it('sends the new token from then on, and the server issues no other', async () => {
    const world = await withExpired()
    await answersOf(burst(world, 5))
    await redis.command('FLUSHALL')
    await world.backend.forget()
    expect(await answersOf(burst(world, 100))).toEqual(all(100, 'ada'))
    expect([await renewals(), (await world.backend.answered()).length]).toEqual([0, 100])
  })

  it('goes on after a reload of the page, though the stored token has expired', async () => {
    const { app, backend } = await withExpired()
    app.auth.dispose()
    const reloaded = openApp(row.open, backend.url)
    expect(await answersOf(burst(reloaded, 20))).toEqual(all(20, 'ada'))
  })

  it('gets the new token with a later answer when the one that brought it first was lost', async () => {
    const world = await withExpired()
    const { app, backend } = world
    // The same request beside the client: to the app, its answer is lost.
    const lost = await axios.get(`${backend.url}/me`, {
      auth: { username: (await app.auth.getAccessToken()) ?? '', password: '' },
    })
    const renewed = lost.headers.authorization as string
    expect(await answersOf(burst(world, 20))).toEqual(all(20, 'ada'))
    expect(await app.auth.getAccessToken()).toBe(renewed)
    expect(await renewals()).toBe(1)
  })

  it('brings the new token in a cookie too, which lets a link in and changes nothing', async () => {
    const { app, backend } = await withExpired()
    const answer = await app.api.get('/me')
    const token = (await app.auth.getAccessToken()) ?? ''
    const [cookie = ''] = answer.headers['set-cookie'] ?? []
    expect(cookie).toMatch(new RegExp(`^token=${token}; HttpOnly; Path=/; SameSite=Strict$`))
    const headers = { Cookie: `token=${token}` }
    expect((await axios.get(`${backend.url}/me`, { headers })).data).toEqual({ name: 'ada' })
    const post = axios.post(`${backend.url}/logout`, undefined, { headers, validateStatus: () => true })
    expect((await post).status).toBe(401)
  })

  it('ends the session once and settles every request when the token is past its window', async () => {
    const world = await withExpired({ REFRESH_SECONDS: '0' })
    const { app, ends } = world
    for (const result of await settled(burst(world, 20))) {
      expect(result).toMatchObject({
        status: 'rejected',
        reason: {
          response: { status: 401, data: { msg: 'Token has expired', error_code: 1004 } },
          cause: { code: 'SESSION_EXPIRED' },
        },
      })
    }
    expect(ends).toMatchObject([{ reason: 'refused' }])
    expect(app.visits).toEqual(['/login'])
    expect(app.auth.getSnapshot()).toEqual({ status: 'signed-out', refreshing: false })
    expect(await renewals()).toBe(0)
  })

  it('ends the session for a forged token, because there is no refresh', async () => {
    const world = await signedIn(row)
    const { app, ends } = world
    await app.auth.updateTokens({ accessToken: tampered((await app.auth.getAccessToken()) ?? '') })
    for (const result of await settled(burst(world, 5))) {
      expect(result).toMatchObject({
        status: 'rejected',
        reason: { response: { status: 401, data: { error_code: 1002 } } },
      })
    }
    expect(ends).toMatchObject([{ reason: 'refused' }])
    expect(app.visits).toEqual(['/login'])
  })

  it('keeps the session while Redis is down', async () => {
    const world = await withExpired()
    const { ends } = world
    await redis.stop()
    for (const result of await settled(burst(world, 5))) {
      expect(result).toMatchObject({ status: 'rejected', reason: { response: { status: 503 } } })
    }
    await redis.start()
    expect(await answersOf(burst(world, 20))).toEqual(all(20, 'ada'))
    expect(ends).toEqual([])
  })

  it('does not make the browser show its password dialog', async () => {
    const { backend } = await signedIn(row)
    const { status, headers } = await axios.get(`${backend.url}/me`, { validateStatus: () => true })
    expect([status, headers['www-authenticate']]).toEqual([401, 'Token'])
  })
})

function storedToken(): string | undefined {
  const record = JSON.parse(localStorage.getItem('session') ?? '{}') as { tokens?: { accessToken: string } }
  return record.tokens?.accessToken
}
