// G25: a record belongs to the origins it was made for.

import axios from 'axios'
import { type AuthClientOptions, createAuthClient, type SessionRecord } from 'axios-auth-client'
import { describe, expect, it, onTestFinished } from 'vitest'
import { listenTo } from '../support/client.js'
import { createHandRefresh } from '../support/hand-refresh.js'
import { microtasksDone } from '../support/real-time.js'
import { createHandStore, createOpenStore, type OpenStore } from '../support/stores.js'

const RECORD: SessionRecord = {
  v: 1,
  sessionId: 's',
  version: 1,
  origins: ['https://api.example.com', 'https://files.example.com'],
  tokens: { accessToken: 'stored', refreshToken: 'stored-refresh' },
}

function open(store: OpenStore, baseURL: string | undefined, options: AuthClientOptions = {}) {
  const sent: unknown[] = []
  const api = axios.create({
    ...(baseURL && { baseURL }),
    adapter: async (config) => {
      sent.push(config.headers.Authorization)
      return { data: {}, status: 200, statusText: 'OK', headers: {}, config }
    },
  })
  const hand = createHandRefresh()
  const auth = createAuthClient(api, { store, refresh: hand.refresh, ...options })
  onTestFinished(() => auth.dispose())
  const events = listenTo(auth)
  const errors = () => events.flatMap(({ name, event }) => (name === 'storeError' ? [event] : []))
  return { auth, api, sent, hand, errors }
}

const kinds = { synchronous: createOpenStore, asynchronous: createHandStore }

describe.each(Object.entries(kinds))('a record in a store that is %s', (_, createStore) => {
  it.each([
    ['of the same origin', 'https://files.example.com/v2', {}],
    ['that names one of its origins', 'https://other.example', { origins: ['https://api.example.com'] }],
  ])('G25: is the session of a client %s', async (_name, baseURL, options) => {
    const { auth, errors } = open(createStore(RECORD), baseURL, options)
    await auth.ready
    expect(await auth.getAccessToken()).toBe('stored')
    expect(errors()).toEqual([])
  })

  it('G25: without origins, from an older version, is any client’s', async () => {
    const { origins, ...old } = RECORD
    const { auth } = open(createStore(old), 'https://other.example')
    await auth.ready
    expect(await auth.getAccessToken()).toBe('stored')
  })

  it('G25: of other origins is no session here, is reported, and is not overwritten in the background', async () => {
    const store = createStore(RECORD)
    const { auth, api, sent, errors } = open(store, 'https://other.example', {
      tokens: { accessToken: 'given' },
    })
    await auth.ready
    await api.get('/x')
    await auth.updateTokens({ accessToken: 'newer' })
    await api.get('/x')
    await microtasksDone()
    expect(sent).toEqual(['Bearer given', 'Bearer newer'])
    expect(store.kept).toEqual(RECORD)
    expect(errors()[0]).toMatchObject({
      operation: 'load',
      error: { message: 'The stored session is for other origins.' },
    })
  })

  it('G25: of other origins that appears during a refresh is not overwritten by it, and ends nothing', async () => {
    const store = createStore()
    const { auth, hand } = open(store, 'https://other.example')
    await auth.signIn({ accessToken: 'mine', refreshToken: 'mine-refresh' })
    const refreshed = auth.refresh()
    const call = await hand.call(1)
    store.kept = RECORD
    call.answer({ accessToken: 'newer', refreshToken: 'newer-refresh' })
    await refreshed
    expect(store.kept).toEqual(RECORD)
    expect(await auth.getAccessToken()).toBe('newer')
  })

  it('G25: of other origins is replaced by signIn and signOut, which report it', async () => {
    for (const verb of ['signIn', 'signOut'] as const) {
      const store = createStore(RECORD)
      const { auth, errors } = open(store, 'https://other.example')
      await auth.ready
      await (verb === 'signIn' ? auth.signIn({ accessToken: 'mine' }) : auth.signOut())
      await microtasksDone()
      if (verb === 'signOut') expect(store.kept).toBeUndefined()
      else
        expect(store.kept).toMatchObject({
          origins: ['https://other.example'],
          tokens: { accessToken: 'mine' },
        })
      expect(errors().map(({ operation }) => operation)).toEqual([
        'load',
        verb === 'signIn' ? 'save' : 'clear',
      ])
    }
  })
})

describe('the origins of a record', () => {
  it('G25: are those of all instances, as long as these are attached', async () => {
    const store = createOpenStore()
    const { auth } = open(store, 'https://api.example.com/v1')
    const detach = auth.attach(axios.create({ baseURL: 'https://files.example.com' }))
    await auth.signIn({ accessToken: 'a' })
    expect(store.kept).toMatchObject({ origins: ['https://api.example.com', 'https://files.example.com'] })
    detach()
    await auth.updateTokens({ accessToken: 'b' })
    expect(store.kept).toMatchObject({ origins: ['https://api.example.com'] })
  })

  it('G25: are those of the option when it is set', async () => {
    const store = createOpenStore()
    const origins = ['https://one.example', 'https://two.example:8443']
    const { auth } = open(store, 'https://api.example.com', { origins })
    await auth.signIn({ accessToken: 'a' })
    expect(store.kept).toMatchObject({ origins })
  })

  it('G25: are absent while they are unknown, and then any record counts', async () => {
    const store = createOpenStore(RECORD)
    const { auth, api } = open(store, undefined)
    expect(auth.getSnapshot().status).toBe('signed-in')
    await auth.signIn({ accessToken: 'a' })
    expect(store.kept).not.toHaveProperty('origins')
    api.defaults.baseURL = 'https://api.example.com'
    await auth.updateTokens({ accessToken: 'b' })
    expect(store.kept).toMatchObject({ origins: ['https://api.example.com'] })
  })

  it('G25: are included in what a disposed client saves', async () => {
    const store = createOpenStore(RECORD)
    const { auth, hand } = open(store, 'https://api.example.com')
    const refreshed = auth.refresh().catch(() => {})
    const call = await hand.call(1)
    auth.dispose()
    call.answer({ accessToken: 'late', refreshToken: 'late-refresh' })
    await refreshed
    await microtasksDone()
    expect(store.kept).toMatchObject({
      origins: ['https://api.example.com'],
      tokens: { accessToken: 'late' },
    })
  })

  it.each(['https://api.example.com', [7], {}])('G23: %j are a damaged record', async (origins) => {
    const { auth, errors } = open(createOpenStore({ ...RECORD, origins }), 'https://api.example.com')
    await microtasksDone()
    expect(auth.getSnapshot().status).toBe('signed-out')
    expect(errors()).toMatchObject([{ error: { message: 'The stored session is damaged: origins.' } }])
  })
})
