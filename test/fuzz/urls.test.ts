// G20 on the wire: whatever an address looks like, a token arrives at home or nowhere. guarantees/urls.test.ts compares
// with what parsers say; here real adapters send real requests, and the servers say what they got.
import axios, { type AxiosInstance } from 'axios'
import axios027 from 'axios-0.27'
import axios12 from 'axios-1.2'
import {
  type AuthClient,
  basicUser,
  bearerHeader,
  createAuthClient,
  jsonBodyField,
  type Placement,
} from 'axios-auth-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { HOME, HOMES, hostileTarget, ordinaryAddress, type Target } from './addresses.js'
import { createNetwork, type Network } from './network.js'
import { holdsFor, RUNS } from './seed.js'

const TOKEN = 'the-access-token'
const REFRESH_TOKEN = 'the-refresh-token'
const isSecret = (text: string) => text.includes(TOKEN) || text.includes(REFRESH_TOKEN)

const adapters: [string, { create(defaults: object): unknown }, object][] = [
  ['the http adapter', axios, { adapter: 'http' }],
  ['the fetch adapter', axios, { adapter: 'fetch' }],
  ['axios 1.2', axios12, {}],
  ['axios 0.27', axios027, {}],
]

const placements: [string, () => Placement][] = [
  ['the Bearer', bearerHeader],
  ['a header of its own', () => bearerHeader({ header: 'X-Token', scheme: '' })],
  ['HTTP Basic', basicUser],
  ['the body', jsonBodyField],
]

describe.each(adapters)('G20: by %s', (_, version, defaults) => {
  let network: Network
  let clients: { api: AxiosInstance; auth: AuthClient }[] = []
  const arrived = { homeWithToken: 0, foreign: 0 }

  beforeAll(async () => {
    network = await createNetwork(HOMES)
    const { agents, dispatcher } = network
    clients = placements.flatMap(([, place]) =>
      [undefined, `${HOME}/v1`].map((baseURL) => {
        const api = version.create({
          ...defaults,
          ...agents,
          fetchOptions: { dispatcher },
          baseURL,
          // Whatever the machine's environment says.
          proxy: false,
        }) as AxiosInstance
        const refresh = () => {
          throw new Error('There was nothing to refresh.')
        }
        return { api, auth: createAuthClient(api, { origins: HOMES, place: place(), refresh }) }
      }),
    )
    for (const { auth } of clients) await auth.signIn({ accessToken: TOKEN, refreshToken: REFRESH_TOKEN })
  })

  afterAll(async () => {
    for (const { auth } of clients) auth.dispose()
    await network?.close()
  })

  async function send({ api }: { api: AxiosInstance }, { asObject, ...target }: Target) {
    const { url } = target
    const wanted = Object.fromEntries(Object.entries(target).filter(([, value]) => value !== undefined))
    const hostile =
      asObject && url !== undefined && URL.canParse(url) ? { ...wanted, url: new URL(url) } : wanted
    let code: unknown
    try {
      await api.request({ method: 'post', data: { a: 1 }, timeout: 30_000, ...(hostile as object) })
    } catch (error) {
      code = (error as { code?: unknown }).code
    }
    expect(code).not.toBe('ECONNABORTED')
    return network.look()
  }

  for (const [index, [name]] of placements.entries()) {
    holdsFor(
      `no hostile address takes a token in ${name} to a foreign origin`,
      hostileTarget,
      async (target) => {
        for (const client of clients.slice(2 * index, 2 * index + 2)) {
          for (const { at, everything } of await send(client, target)) {
            if (at === 'foreign') {
              arrived.foreign++
              expect(everything).not.toSatisfy(isSecret)
            } else if (isSecret(everything)) arrived.homeWithToken++
          }
        }
      },
      0.5,
    )
  }

  it('many of them reach both servers, and none of them starts a refresh or ends the session', () => {
    expect(arrived.homeWithToken).toBeGreaterThan(RUNS / 20)
    expect(arrived.foreign).toBeGreaterThan(RUNS / 20)
    for (const { auth } of clients) {
      expect(auth.stats()).toMatchObject({ refreshes: 0, refused: 0, heldPeak: 0 })
      expect(auth.getSnapshot().status).toBe('signed-in')
    }
  })

  holdsFor(
    'an ordinary address at home arrives there with its token',
    ordinaryAddress,
    async (url) => {
      for (const client of clients) {
        const arrivals = await send(client, { url, asObject: false })
        expect(arrivals).toHaveLength(1)
        for (const { at, everything } of arrivals) {
          expect(at).toBe('home')
          expect(everything).toSatisfy(isSecret)
        }
      }
    },
    0.1,
  )
})
