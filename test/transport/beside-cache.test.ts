// axios-cache-interceptor and two users in turn. A cache keeps users apart by what it sees of their requests, so it has to
// run after us: set up before us, or after us when axios runs interceptors in their new order. The other places are
// here to show what they do.

import { setImmediate as nextTurn } from 'node:timers/promises'
import type { AxiosInstance } from 'axios'
import { type CacheOptions, setupCache } from 'axios-cache-interceptor'
import { describe, expect, it } from 'vitest'
import { type AuthClientOptions, authErrorOf, tokenFromHeader } from '../../src/index.js'
import { besideUs, PLACES, type Place } from '../contracts/plug-ins.js'
import { type Answer, echoOf, type Play, play } from '../contracts/transport-setup.js'
import { json } from '../support/auth-server/answer.js'
import { failureOf } from '../support/client.js'
import { settleAll } from '../support/settle-all.js'

/** Its answer says `Vary: Authorization` and may be kept for a minute. */
const VARIES = '/api/cached'
/** Its answer says nothing, and so the cache keeps it. */
const SAYS_NOTHING = '/api/plain'

/** What makes the cache look at the token from the first request on. */
const BY_TOKEN: CacheOptions = { vary: ['authorization'] }

interface Stage extends Play {
  /** Whose answer a caller gets, and `(kept)` if it came from the cache; or the status of their error. */
  ask(url?: string): Promise<string>
  forgetAll(): void
}

async function playWithCache(place: Place, cache: CacheOptions, options?: AuthClientOptions): Promise<Stage> {
  let forgetAll = (): void => {}
  const install = (api: AxiosInstance) => {
    const { storage } = setupCache(api as never, cache)
    forgetAll = () => void storage.clear?.()
  }
  const stage = await play(besideUs(place, install), options)
  return {
    ...stage,
    forgetAll,
    ask: (url = VARIES) =>
      stage.send({ url }).then(
        (answer) =>
          `${echoOf(answer).user}${(answer as Answer & { cached: boolean }).cached ? ' (kept)' : ''}`,
        (error: { response?: Answer }) => String(error.response?.status),
      ),
  }
}

/** Ada three times, Grace twice, nobody, and Ada with another token. */
async function askInTurn({ ask, auth, signIn }: Stage, url?: string): Promise<string[]> {
  const got = [await ask(url), await ask(url), await ask(url)]
  await signIn('grace')
  got.push(await ask(url), await ask(url))
  await auth.signOut()
  got.push(await ask(url))
  await signIn('ada')
  got.push(await ask(url))
  return got
}

describe.each(PLACES.filter(({ seesToken }) => seesToken).map((place) => [place.title, place] as const))(
  'a cache %s',
  (_, place) => {
    describe("with vary: ['authorization']", () => {
      it.each([
        ['an answer that varies by Authorization', VARIES],
        ['an answer whose server forgot to say so', SAYS_NOTHING],
      ])('keeps %s for the token it was answered to, and for no other', async (_, url) => {
        const stage = await playWithCache(place, BY_TOKEN)
        expect(await askInTurn(stage, url)).toEqual([
          'ada',
          'ada (kept)',
          'ada (kept)',
          'grace',
          'grace (kept)',
          '401',
          'ada',
        ])
      })

      it('sends a request again when the token is new', async () => {
        const { ask, auth } = await playWithCache(place, BY_TOKEN)
        expect([await ask(), await ask()]).toEqual(['ada', 'ada (kept)'])
        await auth.refresh()
        expect([await ask(), await ask()]).toEqual(['ada', 'ada (kept)'])
      })
    })

    it('keeps two users apart by Vary, and uses an answer from the third request on', async () => {
      const stage = await playWithCache(place, {})
      // The token is off the first answer when it is stored, and so it fits nobody who is signed in.
      expect((await askInTurn(stage)).slice(0, 5)).toEqual([
        'ada',
        'ada',
        'ada (kept)',
        'grace',
        'grace (kept)',
      ])
    })

    it("without vary: ['authorization'], gives the first user's answer to one who is signed out", async () => {
      const { ask, auth } = await playWithCache(place, {})
      const first = await ask()
      await auth.signOut()
      expect([first, await ask()]).toEqual(['ada', 'ada (kept)'])
    })

    it.each([
      ['of its own accord', {}],
      ["with vary: ['authorization']", BY_TOKEN],
    ])('does not answer the next user, %s, with what was asked for by the one before', async (_, cache) => {
      const { server, ask, signIn } = await playWithCache(place, cache)
      const hold = server.hold(VARIES, { at: 'answer', first: 1 })
      const adas = ask()
      await hold.waiting(1)
      await signIn('grace')
      const graces = ask()
      // All that the cache does until it waits for the answer under way are microtasks.
      await nextTurn()
      hold.releaseAll()
      expect(await Promise.all([adas, graces])).toEqual(['ada', 'grace'])
    })
  },
)

describe.each(PLACES.filter(({ seesToken }) => !seesToken).map((place) => [place.title, place] as const))(
  'a cache %s, which sees no token',
  (_, place) => {
    it.each([
      ['', {}],
      [" even with vary: ['authorization']", BY_TOKEN],
    ])("answers every user from the first user's cache%s", async (_, cache) => {
      const stage = await playWithCache(place, cache)
      expect(await askInTurn(stage)).toEqual(['ada', ...Array(6).fill('ada (kept)')])
    })
  },
)

describe.each(PLACES.map((place) => [place.title, place] as const))('a cache %s', (_, place) => {
  it('that is emptied by onSessionEnd keeps two users apart', async () => {
    const stage = await playWithCache(place, {}, { onSessionEnd: () => stage.forgetAll() })
    const got = await askInTurn(stage)
    expect(got.map((who) => who.replace(' (kept)', ''))).toEqual([
      'ada',
      'ada',
      'ada',
      'grace',
      'grace',
      '401',
      'ada',
    ])
    expect(got[2]).toBe('ada (kept)')
  })

  it('does not restore an older token with a cached answer', async () => {
    const { server, auth, send } = await playWithCache(
      place,
      { interpretHeader: false, vary: false },
      { readResponse: tokenFromHeader('authorization') },
    )
    server.route('/api/list', () => json(200, {}, { authorization: 'token-2' }))
    server.route('/api/other', () => json(200, {}, { authorization: 'token-3' }))
    await send({ url: '/api/list' })
    await send({ url: '/api/other' })
    expect(await auth.getAccessToken()).toBe('token-3')
    expect(await send({ url: '/api/list' })).toMatchObject({ cached: true })
    expect(await auth.getAccessToken()).toBe('token-3')
  })

  it('lets many callers of one URL share an answer that needed a refresh', async () => {
    const { server, ask } = await playWithCache(place, BY_TOKEN)
    server.killAccessTokens()
    const results = await settleAll(Array.from({ length: 5 }, () => ask()))
    expect(results.map((result) => result.status === 'fulfilled' && result.value)).toEqual([
      'ada',
      ...Array(4).fill('ada (kept)'),
    ])
    expect(server.requestsTo(VARIES).map(({ status }) => status)).toEqual([401, 200])
    expect(server.counts.refreshes).toBe(1)
  })

  it('lets many callers of one URL share an error that no refresh can answer, and caches none of it', async () => {
    const { server, send, ask, signIn } = await playWithCache(place, BY_TOKEN)
    server.killAccessTokens()
    server.refresh.next(401)
    const errors = await settleAll(Array.from({ length: 5 }, () => failureOf(send({ url: VARIES }))))
    expect(errors.map((result) => result.status === 'fulfilled' && authErrorOf(result.value)?.code)).toEqual(
      Array(5).fill('SESSION_EXPIRED'),
    )
    expect(server.requestsTo(VARIES).map(({ status }) => status)).toEqual([401])
    await signIn('grace')
    expect(await ask()).toBe('grace')
  })
})
