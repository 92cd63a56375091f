// The contract of a placement, as a suite that runs over one of your own: in vitest, jest, node:test or whatever has
// `describe` and `it`. Knows the public interface only, no client, and sends nothing.
// Promise: a placement that passes can be attached, taken off and attached anew for as long as a request lives; what fails
// says what was expected and what came.
import type { Placement } from '../index.js'
import type { SuiteRunner } from './describe-token-store.js'
import { alwaysExpected, attaching, type PlacementCase } from './placement-expectations.js'

export interface DescribePlacementOptions {
  /**
   * A request that the placement can put a token on, made anew for each call, as it is when the token is attached: before
   * axios has serialised its body, or, for one that is `late`, after.
   * @default a POST with a JSON body, a header and a parameter, its headers of each kind that axios versions have
   */
  request?: PlacementCase['request'] | undefined
  /** Two tokens of one user. @default two JWTs */
  tokens?: readonly [string, string] | undefined
  /** @default globalThis */
  runner?: SuiteRunner | undefined
}

/**
 * Declares the tests of a placement.
 * @param create makes the placement, anew for each test, or a promise of it (a key may have to be made first)
 */
export function describePlacement(
  name: string,
  create: () => Placement | PromiseLike<Placement>,
  options: DescribePlacementOptions = {},
): void {
  const {
    runner,
    request,
    tokens = ['eyJhbGciOiJub25lIn0.eyJuIjoxfQ.', 'eyJhbGciOiJub25lIn0.eyJuIjoyfQ.'],
  } = options
  const { describe, it } = runner ?? (globalThis as unknown as SuiteRunner)
  const requests = request ? { 'your request': request } : REQUESTS
  describe(`${name}: the contract of a placement`, () => {
    for (const [title, run] of Object.entries(alwaysExpected))
      it(title, async () =>
        run({ placement: await create(), request: request ?? REQUESTS['plain headers'], tokens }),
      )
    for (const [kind, make] of Object.entries(requests))
      for (const [title, run] of Object.entries(attaching))
        it(`${title} (${kind})`, async () => {
          const placement = await create()
          const serialised = placement.late && !request
          return run({ placement, request: serialised ? () => serialise(make()) : make, tokens })
        })
  })
}

/** As axios hands headers on: an object up to 0.27, a class of its own since, one without a prototype after some copies. */
class HeaderBag {
  get(name: string): unknown {
    return (this as Record<string, unknown>)[name]
  }
  set(name: string, value: unknown): this {
    ;(this as Record<string, unknown>)[name] = value
    return this
  }
}

const HEADERS = Object.freeze({ 'Content-Type': 'application/json', 'X-Tenant': 'north' })

const requestWith = (headers: object) => () => ({
  method: 'post',
  baseURL: 'https://api.example.com',
  url: '/notes',
  params: { page: 2 },
  data: { title: 'A note', tags: ['a'] },
  headers: Object.assign(Object.create(Object.getPrototypeOf(headers)), HEADERS),
})

const REQUESTS = Object.freeze({
  'plain headers': requestWith({}),
  'a class of headers': requestWith(new HeaderBag()),
  'headers without a prototype': requestWith(Object.create(null)),
})

function serialise<Config extends { data?: unknown }>(config: Config): Config {
  return { ...config, data: JSON.stringify(config.data) }
}
