// What can happen in the world of the model tests, as values that fast-check makes, shrinks and prints.
import type { AxiosInstance } from 'axios'
import fc from 'fast-check'
import type { Model } from './model.js'
import {
  FOREIGN,
  quiet,
  type RefreshOutcome,
  type StoreOperation,
  type Tab,
  type WireOutcome,
  type World,
} from './world.js'

export type Command =
  | { do: 'request'; tab: number; api: number; post: boolean; foreign: boolean }
  | { do: 'burst'; tab: number; count: number }
  | { do: 'abort'; which: number }
  | { do: 'signIn'; tab: number }
  | { do: 'signOut'; tab: number }
  | { do: 'updateTokens'; tab: number; rotate: boolean }
  | { do: 'refresh'; tab: number }
  | { do: 'getAccessToken'; tab: number; minValidityMs: number }
  | { do: 'kill' }
  | { do: 'refreshOutcome'; outcome: RefreshOutcome }
  | { do: 'wireOutcome'; outcome: WireOutcome }
  | { do: 'storeFault'; operation: StoreOperation }
  | { do: 'advance'; ms: number }
  | { do: 'jump'; ms: number }
  | { do: 'openTab' }
  | { do: 'dispose'; tab: number }
  | { do: 'release'; count: number }

const tab = fc.nat({ max: 2 })
const some = <T extends Command>(weight: number, arbitrary: fc.Arbitrary<T>) => ({ weight, arbitrary })
const is = <const T extends string>(name: T) => fc.constant(name)

export const anyCommand: fc.Arbitrary<Command> = fc.oneof(
  some(
    6,
    fc.record({ do: is('request'), tab, api: fc.nat({ max: 1 }), post: fc.boolean(), foreign: rarely() }),
  ),
  some(4, fc.record({ do: is('burst'), tab, count: fc.integer({ min: 2, max: 5 }) })),
  some(2, fc.record({ do: is('abort'), which: fc.nat({ max: 20 }) })),
  some(3, fc.record({ do: is('signIn'), tab })),
  some(2, fc.record({ do: is('signOut'), tab })),
  some(1, fc.record({ do: is('updateTokens'), tab, rotate: fc.boolean() })),
  some(1, fc.record({ do: is('refresh'), tab })),
  some(1, fc.record({ do: is('getAccessToken'), tab, minValidityMs: fc.constantFrom(0, 290_000) })),
  some(5, fc.record({ do: is('kill') })),
  some(
    4,
    fc.record({
      do: is('refreshOutcome'),
      outcome: fc.constantFrom<RefreshOutcome>(
        'granted',
        'kept',
        'refused',
        'unavailable',
        'malformed',
        'network',
        'hangs',
      ),
    }),
  ),
  some(
    2,
    fc.record({
      do: is('wireOutcome'),
      outcome: fc.constantFrom<WireOutcome>('refuses', 'fails', 'network'),
    }),
  ),
  some(
    1,
    fc.record({
      do: is('storeFault'),
      operation: fc.constantFrom<StoreOperation>('load', 'save', 'clear'),
    }),
  ),
  some(2, fc.record({ do: is('advance'), ms: fc.constantFrom(100, 1_000, 16_000, 60_000, 300_000) })),
  some(1, fc.record({ do: is('jump'), ms: fc.constantFrom(-3_600_000, 30_000, 280_000) })),
  some(1, fc.record({ do: is('openTab') })),
  some(1, fc.record({ do: is('dispose'), tab })),
  some(10, fc.record({ do: is('release'), count: fc.integer({ min: 1, max: 8 }) })),
)

function rarely(): fc.Arbitrary<boolean> {
  return fc.nat({ max: 5 }).map((n) => n === 0)
}

/** Does it, and returns when everything is done that needs no task of the scheduler. */
export async function perform(
  command: Command,
  world: World,
  model: Model,
  { tabs: mostTabs }: { tabs: number },
): Promise<void> {
  const check = () => model.check(world.tabs)
  const living = world.tabs.filter(({ alive }) => alive)
  const at = 'tab' in command ? living[command.tab % Math.max(1, living.length)] : undefined
  switch (command.do) {
    case 'request':
      if (at) request(at, world, model, command)
      break
    case 'burst':
      for (let i = 0; at && i < command.count; i++) request(at, world, model, { api: i % 2, post: i === 1 })
      break
    case 'abort': {
      const open = world.open[command.which % Math.max(1, world.open.length)]
      if (open) {
        model.aborted(open.id)
        open.controller.abort()
      }
      break
    }
    case 'signIn':
      if (at) {
        const user = `user${world.nextUser++}`
        const tokens = world.issue(user)
        model.learn(at.id, tokens.accessToken)
        quietly(at.auth.signIn({ ...tokens, subject: user }))
      }
      break
    case 'signOut':
      if (at) quietly(at.auth.signOut())
      break
    case 'updateTokens': {
      const user = at?.auth.getSnapshot().subject
      if (at && user) {
        const { refreshToken, ...tokens } = world.issue(user)
        model.updated()
        quietly(at.auth.updateTokens(command.rotate ? { ...tokens, refreshToken } : tokens))
      }
      break
    }
    case 'refresh':
      if (at) void model.asking(at.id, at.auth.refresh())
      break
    case 'getAccessToken':
      if (at) void model.asking(at.id, at.auth.getAccessToken({ minValidityMs: command.minValidityMs }))
      break
    case 'kill':
      world.kill()
      break
    case 'refreshOutcome':
      world.refreshOutcomes.push(command.outcome)
      break
    case 'wireOutcome':
      world.wireOutcomes.push(command.outcome)
      break
    case 'storeFault':
      world.storeFaults.push(command.operation)
      break
    case 'advance':
      await world.advance(command.ms)
      break
    case 'jump':
      // The timers set before it are over at once, or late: a tab that waits for its turn may pass whoever is at work.
      model.slept()
      world.jump(command.ms)
      break
    case 'openTab':
      if (living.length < mostTabs) world.openTab()
      break
    case 'dispose':
      if (at) {
        at.alive = false
        model.disposed(at.id)
        at.auth.dispose()
      }
      break
    case 'release':
      await world.release(command.count, check)
      break
  }
  await quiet()
  check()
}

function request(
  tab: Tab,
  world: World,
  model: Model,
  { api, post, foreign = false }: { api: number; post: boolean; foreign?: boolean },
): void {
  const { status, subject } = tab.auth.getSnapshot()
  const facts = {
    id: model.requests.length,
    tab: tab.id,
    user: status === 'pending' ? ('unknown' as const) : subject,
    foreign,
  }
  model.made(facts)
  const controller = new AbortController()
  const entry = { id: facts.id, controller }
  world.open.push(entry)
  const over = () => world.open.splice(world.open.indexOf(entry), 1)
  const url = foreign ? `${FOREIGN}/x` : `/item/${facts.id}`
  const config = {
    url,
    params: facts,
    signal: controller.signal,
    method: post ? 'post' : 'get',
    data: post ? { n: 1 } : undefined,
  }
  ;(tab.apis[api] as AxiosInstance).request(config).then(
    (value) => {
      over()
      model.settled(facts.id, { value })
    },
    (error: unknown) => {
      over()
      model.settled(facts.id, { error })
    },
  )
}

/** Its outcome is a request's business elsewhere; here only that it comes back, which `settle` waits for. */
function quietly(promise: Promise<unknown>): void {
  promise.catch(() => {})
}
