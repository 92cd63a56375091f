// Carries out a plan of chaos in real tabs, and counts what may cost a refresh.
// Promise: it asks nothing of the client that no client could give: no token dies under a request that waits already
// for its successor, and the server answers before a refresh runs out of time.

import type { AuthServer, ReceivedRequest } from '../support/auth-server.js'
import { realMs } from '../support/real-time.js'
import type { Action, Step } from './chaos-plan.js'
import type { ChaosStage, ChaosTab } from './chaos-stage.js'

const MOST_TABS = 7
/** So many stay open and awake. */
const FEWEST_AWAKE = 2
/** Far less than a refresh may take. */
const HOLD_MS = 400
/** In expiries. */
const LONGEST_SLEEP = 2

/** @returns the most refreshes that can be explained: one per expiry, failure and tab lost or frozen */
export async function runPlan(stage: ChaosStage, plan: readonly Step[]): Promise<{ refreshes: number }> {
  const { server, tabs, log } = stage
  const explained = { refreshes: 0 }
  let held: LateAnswer | undefined
  /** Since the last expiry: a client gives up after a few failures, and rightly so. */
  let failed = false
  /** How many expiries each tab has slept through. */
  const sleptThrough = new Map<ChaosTab, number>()

  const awake = () => tabs.filter((tab) => !tab.frozen)
  const asleep = () => tabs.filter((tab) => tab.frozen)

  /** The tab whose refresh is held at this moment; else any of these. */
  function victim(candidates: readonly ChaosTab[], pick: number): ChaosTab | undefined {
    return candidates.find(({ name }) => name === nameOf(held?.request)) ?? chosen(candidates, pick)
  }

  /** Somebody else asks, while the server still forgives what the lost one has spent. */
  async function goOnWithout(pick: number): Promise<void> {
    explained.refreshes++
    await chosen(awake(), pick)?.fire(1)
  }

  /** A request that has slept through one expiry is not to meet the next one as it wakes. */
  async function wake(tab: ChaosTab): Promise<void> {
    if ((await stage.pending([tab])) > 0) await stage.quiet()
    await tab.thaw()
    sleptThrough.delete(tab)
  }

  /** Each refresh has to pass a tab that sleeps with the lock, and that takes its time. */
  async function wakeLongSleepers(): Promise<void> {
    for (const tab of asleep()) {
      const slept = (sleptThrough.get(tab) ?? 0) + 1
      sleptThrough.set(tab, slept)
      if (slept > LONGEST_SLEEP) await wake(tab)
    }
  }

  const actions: Record<Action, (step: Step) => Promise<string | undefined>> = {
    async fire({ pick, count }) {
      const tab = chosen(awake(), pick)
      await tab?.fire(count)
      return tab?.name
    },
    async expire({ pick, count }) {
      await wakeLongSleepers()
      await stage.quiet()
      stage.expire()
      explained.refreshes++
      failed = false
      const first = Math.floor(pick * awake().length)
      const askers = [...awake().slice(first), ...awake().slice(0, first)].slice(0, count)
      await Promise.all(askers.map((tab) => tab.fire(count)))
      // What follows in the plan is to meet the refresh under way, not to come before it.
      while (held && !held.caught && (await stage.pending(askers)) > 0) await realMs(10)
      return askers.map(({ name }) => name).join(', ')
    },
    async hold({ at }) {
      held?.release()
      held = answerLate(server, at)
      return at
    },
    async release() {
      held?.release()
      return held && ''
    },
    async fail() {
      if (failed) return undefined
      failed = true
      explained.refreshes++
      server.refresh.next(503)
      return ''
    },
    async show({ pick }) {
      const tab = chosen(awake(), pick)
      await tab?.show()
      return tab?.name
    },
    async open() {
      if (tabs.length >= MOST_TABS) return undefined
      return (await stage.open()).name
    },
    async lose({ pick, loss }) {
      // A frozen one may be lost too; but somebody has to be there to go on.
      const tab = victim(awake().length > FEWEST_AWAKE ? tabs : asleep(), pick)
      if (!tab) return undefined
      const way = tab.frozen && loss === 'reload' ? 'close' : loss
      await tab[way]()
      await goOnWithout(pick)
      return `${tab.name} (${way})`
    },
    async freeze({ pick }) {
      const tab = awake().length > FEWEST_AWAKE ? victim(awake(), pick) : undefined
      if (!tab) return undefined
      await tab.freeze()
      await goOnWithout(pick)
      return tab.name
    },
    async thaw({ pick }) {
      const tab = chosen(asleep(), pick)
      if (tab) await wake(tab)
      return tab?.name
    },
  }

  for (const [index, step] of plan.entries()) {
    const done = await actions[step.action](step)
    log(`${index} ${step.action}: ${done ?? 'nobody to do it to'}`)
  }
  held?.release()
  for (const tab of asleep()) await wake(tab)
  await stage.quiet()
  // Everybody once more, with whatever tokens are left.
  stage.expire()
  explained.refreshes++
  for (const tab of tabs) await tab.fire(1)
  await stage.quiet()
  return explained
}

/** The tab that sent this refresh; it may be gone before the server receives it. */
function nameOf(refresh: ReceivedRequest | undefined): string | undefined {
  return (refresh?.body as { tab?: string } | undefined)?.tab
}

function chosen<T>(candidates: readonly T[], pick: number): T | undefined {
  return candidates[Math.floor(pick * candidates.length)]
}

interface LateAnswer {
  /** The refresh that waits at the server now. */
  readonly request: ReceivedRequest | undefined
  /** A refresh has come to wait, or none will any more. */
  readonly caught: boolean
  release(): void
}

/** The next refresh waits at the server, for a time that is far less than a refresh may take. */
function answerLate(server: AuthServer, at: Step['at']): LateAnswer {
  const hold = server.holdRefresh({ at, first: 1 })
  let caught = false
  const release = () => {
    caught = true
    hold.releaseAll()
  }
  void (async () => {
    while (!caught) {
      await realMs(10)
      caught ||= hold.count > 0 || hold.gone > 0
    }
    await realMs(HOLD_MS)
    release()
  })()
  return {
    get request() {
      return hold.requests[0]
    },
    get caught() {
      return caught
    },
    release,
  }
}
