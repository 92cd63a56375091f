// memoryStore({ name }): tabs that share nothing but a cookie, or nothing at all. The channel between them is made by hand,
// so that every message is seen; one test goes over the real one.

import axios from 'axios'
import {
  type AuthClientOptions,
  createAuthClient,
  memoryStore,
  noCredential,
  type Tokens,
} from 'axios-auth-client'
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { createManualClock } from '../../src/testing/manual-clock.js'
import { createWatchedClock, untilSnapshot } from '../support/client.js'
import { createHandRefresh } from '../support/hand-refresh.js'
import { jwtOf } from '../support/jwt.js'
import { stubPage } from '../support/page.js'
import { microtasksDone } from '../support/real-time.js'
import { heldLocks } from '../support/tabs.js'

/** Every channel that is open, and every message that went over one. */
function stubChannels() {
  const open = new Set<EventTarget>()
  const messages: unknown[] = []
  class FakeChannel extends EventTarget {
    constructor(readonly name: string) {
      super()
      open.add(this)
    }
    postMessage(data: unknown) {
      messages.push(structuredClone(data))
      for (const other of open)
        if (other !== this && (other as FakeChannel).name === this.name)
          queueMicrotask(() => other.dispatchEvent(Object.assign(new Event('message'), { data })))
    }
    close() {
      open.delete(this)
    }
  }
  vi.stubGlobal('BroadcastChannel', FakeChannel)
  const say = (data: unknown) => {
    for (const channel of open) channel.dispatchEvent(Object.assign(new Event('message'), { data }))
  }
  return { open, messages, say }
}

let channels: ReturnType<typeof stubChannels>
beforeEach(() => {
  stubPage()
  channels = stubChannels()
})

function openTab(options: AuthClientOptions = {}, name = 'app') {
  const hand = createHandRefresh(true)
  const clock = createWatchedClock()
  const ends: string[] = []
  const api = axios.create({ baseURL: 'https://api.example.com' })
  const auth = createAuthClient(api, {
    store: memoryStore({ name }),
    refresh: hand.refresh,
    clock,
    onSessionEnd: ({ reason }) => ends.push(reason),
    ...options,
  })
  onTestFinished(() => auth.dispose())
  const status = () => auth.getSnapshot().status
  const signIn = async (tokens?: Tokens) => {
    await auth.signIn(tokens)
    await microtasksDone()
  }
  const restore = async (tokens: Tokens) => {
    const restored = auth.refresh()
    ;(await hand.call(hand.calls.length + 1)).answer(tokens)
    await restored
    await microtasksDone()
  }
  return { auth, hand, clock, ends, status, signIn, restore, subject: () => auth.getSnapshot().subject }
}

const cookies = { place: noCredential() }
const named = (subject: string) => ({ subject }) as Tokens
const claimed = (sub: string) => ({ accessToken: jwtOf({ sub }), refreshToken: `secret-of-${sub}` })

describe('tabs whose session is in cookies', () => {
  it('G14: are signed in and out together', async () => {
    const [here, there] = [openTab(cookies), openTab(cookies)]
    await here.signIn(named('ada'))
    expect([there.status(), there.subject()]).toEqual(['signed-in', 'ada'])
    await there.auth.signOut()
    await microtasksDone()
    expect([here.status(), there.status()]).toEqual(['signed-out', 'signed-out'])
    expect(here.ends).toEqual(['signed-out-elsewhere'])
    expect(there.ends).toEqual(['signed-out'])
  })

  it('G24: switch to the other user together', async () => {
    const [here, there] = [openTab(cookies), openTab(cookies)]
    await here.signIn(named('ada'))
    await there.signIn(named('bob'))
    expect(here.ends).toEqual(['replaced-elsewhere'])
    expect([here.status(), here.subject()]).toEqual(['signed-in', 'bob'])
  })

  it.each([
    ['a sign-in', 'signIn'],
    ['a restored session', 'restore'],
  ] as const)('%s of the same subject ends no session', async (_, verb) => {
    const here = openTab(cookies)
    await here.signIn(named('ada'))
    const late = openTab(cookies)
    await late[verb](named('ada'))
    expect(channels.messages).toHaveLength(2)
    expect(here.ends).toEqual([])
    expect(here.status()).toBe('signed-in')
  })

  it('a restored session without a subject ends none, but a sign-in does: it may be another user', async () => {
    const here = openTab(cookies)
    await here.signIn()
    const restored = openTab(cookies)
    await restored.restore({} as Tokens)
    expect(here.ends).toEqual([])
    await restored.signIn()
    expect(here.ends).toEqual(['replaced-elsewhere'])
    expect(here.status()).toBe('signed-in')
  })

  it('G13: ignore a sign-out of another user', async () => {
    const here = openTab(cookies)
    await here.signIn(named('ada'))
    const record = { v: 1, sessionId: 'x', version: 1, subject: 'bob' }
    channels.say({ event: 'signed-out', record, tokenless: true })
    await microtasksDone()
    expect(here.status()).toBe('signed-in')
  })
})

describe('tabs with access tokens of their own', () => {
  it('G24: end where another user signs in elsewhere, whose tokens are not available here', async () => {
    const [here, there] = [openTab(), openTab()]
    await here.signIn(claimed('ada'))
    await there.signIn(claimed('bob'))
    expect(here.ends).toEqual(['replaced-elsewhere'])
    expect(here.status()).toBe('signed-out')
    expect(there.subject()).toBe('bob')
    // And a session of its own can be restored from a cookie.
    await here.restore(claimed('bob'))
    expect(here.subject()).toBe('bob')
    expect(there.ends).toEqual([])
  })

  it('G24: continue where the same user signs in elsewhere, however the two are named', async () => {
    const [here, there] = [openTab(), openTab()]
    await here.signIn({ ...claimed('17'), subject: 'ada@example.com' })
    await there.restore(claimed('17'))
    expect([here.ends, there.ends]).toEqual([[], []])
    await there.signIn({ ...claimed('17'), subject: 'ada@example.com' })
    expect(here.ends).toEqual([])
  })

  it('G13: end with a sign-out elsewhere, and not with a refusal or a renewal elsewhere', async () => {
    const [here, there] = [openTab(), openTab()]
    await here.signIn(claimed('ada'))
    await there.signIn(claimed('ada'))
    const refused = there.auth.refresh().catch(() => {})
    ;(await there.hand.call(1)).answer(null as never)
    await refused
    await microtasksDone()
    expect([here.status(), there.status()]).toEqual(['signed-in', 'signed-out'])
    await there.signIn(claimed('ada'))
    await there.restore(claimed('ada'))
    expect(here.ends).toEqual([])
    await there.auth.signOut()
    await microtasksDone()
    expect(here.ends).toEqual(['signed-out-elsewhere'])
  })

  it('G9: send each other no token', async () => {
    const [here] = [openTab(), openTab()]
    await here.signIn({ ...claimed('ada'), accessToken: 'secret-access' })
    await here.restore({ accessToken: 'secret-newer', refreshToken: 'secret-too' })
    await here.auth.signOut()
    expect(channels.messages).toHaveLength(2)
    expect(JSON.stringify(channels.messages)).not.toContain('secret')
  })
})

describe('what comes over the channel', () => {
  const record = { v: 1, sessionId: 'other', version: 1, subject: 'bob' }
  it.each([
    [undefined],
    ['signed-out'],
    [{}],
    [{ event: 'signed-in' }],
    [{ event: 'deleted', record }],
    [{ event: 'signed-in', record: { ...record, v: 2 } }],
    [{ event: 'signed-in', record: { ...record, sessionId: '' } }],
    [{ event: 'signed-in', record: { ...record, version: '1' } }],
    [{ event: 'signed-in', record: { ...record, subject: 7 } }],
    [{ event: 'signed-in', record: { ...record, spent: true } }],
    [{ event: 'signed-out', record: 'ada' }],
  ])('G23: is ignored when invalid (%j)', async (message) => {
    const here = openTab(cookies)
    await here.signIn(named('ada'))
    channels.say(message)
    await microtasksDone()
    expect([here.status(), here.subject(), here.ends]).toEqual(['signed-in', 'ada', []])
  })

  it('G23: brings no token', async () => {
    const here = openTab()
    channels.say({
      event: 'signed-in',
      record: { ...record, tokens: { accessToken: 'evil' } },
      tokenless: false,
    })
    await microtasksDone()
    expect(here.status()).toBe('signed-out')
    await here.signIn(claimed('ada'))
    channels.say({
      event: 'signed-in',
      record: { ...record, tokens: { accessToken: 'evil' } },
      tokenless: true,
    })
    await microtasksDone()
    expect(here.ends).toEqual(['replaced-elsewhere'])
    expect(await here.auth.getAccessToken()).toBeUndefined()
  })
})

describe('the channel and the locks', () => {
  it('are open while somebody listens, under this name only', async () => {
    const store = memoryStore({ name: 'app' })
    expect(channels.open.size).toBe(0)
    const [one, two] = [openTab({ store }), openTab({ store })]
    const other = openTab(cookies, 'other-app')
    expect(channels.open.size).toBe(2)
    await one.signIn(named('ada')).catch(() => {})
    expect(other.status()).toBe('signed-out')
    one.auth.dispose()
    one.auth.dispose()
    expect(channels.open.size).toBe(2)
    two.auth.dispose()
    other.auth.dispose()
    expect(channels.open.size).toBe(0)
  })

  it('G1: one tab refreshes at a time', async () => {
    const [here, there] = [openTab(), openTab()]
    for (const tab of [here, there]) await tab.signIn(claimed('ada'))
    const refreshed = [here, there].map(({ auth }) => auth.refresh())
    const call = await here.hand.call(1)
    await untilSnapshot(there.auth, ({ refreshing }) => refreshing)
    expect(await heldLocks()).toEqual(['app:refresh'])
    expect(there.hand.calls).toEqual([])
    call.answer(claimed('ada'))
    ;(await there.hand.call(1)).answer(claimed('ada'))
    await Promise.all(refreshed)
    await microtasksDone()
    expect(await heldLocks()).toEqual([])
  })

  it.each([
    ['on a server', () => vi.stubGlobal('document', undefined)],
    ['without BroadcastChannel', () => vi.stubGlobal('BroadcastChannel', undefined)],
  ])('G21: are not used %s: visitors are independent', async (_, leave) => {
    leave()
    const [here, there] = [openTab(), openTab()]
    await here.signIn(claimed('ada'))
    await there.signIn(claimed('bob'))
    expect([here.ends, channels.messages]).toEqual([[], []])
    const turn = { signal: new AbortController().signal, timeoutMs: 1_000, clock: createManualClock() }
    void memoryStore({ name: 'app' }).exclusively?.(() => new Promise(() => {}), turn)
    expect(await heldLocks()).toEqual([])
  })

  it('work in a worker, which has no document', async () => {
    vi.stubGlobal('document', undefined)
    vi.stubGlobal('WorkerGlobalScope', class {})
    const [here, there] = [openTab(cookies), openTab(cookies)]
    await here.signIn(named('ada'))
    expect(there.status()).toBe('signed-in')
  })

  it('work with the real ones', async () => {
    vi.unstubAllGlobals()
    stubPage()
    const [here, there] = [openTab(cookies), openTab(cookies)]
    await here.auth.signIn(named('ada'))
    await untilSnapshot(there.auth, ({ status }) => status === 'signed-in')
    await there.auth.signOut()
    await untilSnapshot(here.auth, ({ status }) => status === 'signed-out')
    expect(here.ends).toEqual(['signed-out-elsewhere'])
  })

  it.each([[{ name: '' }], [{ name: 7 }], [{ key: 'app' }], [null]])('refuses the options %j', (options) => {
    expect(() => memoryStore(options as never)).toThrow(
      expect.objectContaining({ code: 'BAD_OPTION', message: expect.stringContaining('memoryStore') }),
    )
  })
})
