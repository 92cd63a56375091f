// Eleven bugs, put into the machine by hand: each a machine that does one thing wrong. Eight are those that sessions have
// in the field; three are of the machine's own making.
import type { Effect, EventOf, SessionEvent, State } from '../../src/session/machine/state.js'
import { type Budget, MACHINE, type Machine, type Shape } from './shape.js'
import { NOTHING, ONE_TAB, TWO_TABS } from './worlds.js'

export interface Bug {
  name: string
  machine: Machine
  /** A small world in which it shows, however unlikely the way there is. */
  shape: Shape
  budget: Budget
}

type Handlers = { [Type in SessionEvent['type']]?: (state: State, event: EventOf<Type>) => SessionEvent }

/** The machine with an event changed before it is taken. */
function withEvents(handlers: Handlers): Machine {
  return {
    ...MACHINE,
    step(state, event, nowMs) {
      const change = handlers[event.type] as ((state: State, event: SessionEvent) => SessionEvent) | undefined
      return MACHINE.step(state, change ? change(state, event) : event, nowMs)
    },
  }
}

/** The machine with its effects changed before they are carried out. */
function withEffects(change: (effects: Effect[], event: SessionEvent) => Effect[]): Machine {
  return { ...MACHINE, step: (state, event, nowMs) => change([...MACHINE.step(state, event, nowMs)], event) }
}

/** One token in ten, and always the same ones. */
const isTenth = (token = '') => [...token].reduce((sum, char) => sum * 31 + char.charCodeAt(0), 7) % 10 === 0

export const BUGS: readonly Bug[] = Object.freeze([
  {
    name: 'a rotated refresh token is not kept',
    shape: TWO_TABS.sync,
    budget: { ...NOTHING, requests: 1, expiries: 1 },
    machine: withEvents({
      granted: (_, event) => ({ ...event, credential: { ...event.credential, refreshToken: undefined } }),
    }),
  },
  {
    name: 'others cannot see a refresh that is under way, and join it',
    shape: TWO_TABS.sync,
    budget: { ...NOTHING, requests: 2, expiries: 1 },
    machine: {
      ...MACHINE,
      decide: (state, session, waiter, nowMs, minValidityMs) =>
        MACHINE.decide({ ...state, run: undefined }, session, waiter, nowMs, minValidityMs),
    },
  },
  {
    name: 'a late 401 counts against the newer token',
    shape: TWO_TABS.sync,
    budget: { ...NOTHING, requests: 2, rejections: 1 },
    machine: {
      ...MACHINE,
      noteRejected: (state, session, _, waiter, nowMs) =>
        MACHINE.noteRejected(state, session, session.generation, waiter, nowMs),
    },
  },
  {
    name: 'a grant is committed after its session has ended',
    shape: ONE_TAB.sync,
    budget: { ...NOTHING, refreshes: 1, signOuts: 1, delays: 1 },
    machine: withEvents({
      granted(_, event) {
        const { run } = event
        if (run.session?.ended) {
          run.session.ended = undefined
          run.epoch = run.session.epoch
          run.stage = 'asking'
        }
        return event
      },
    }),
  },
  {
    name: 'an ended session comes back from a record',
    shape: ONE_TAB.slow,
    budget: { ...NOTHING, refreshes: 1, signOuts: 1 },
    machine: withEvents({
      found(state, event) {
        state.endedIds = []
        return { ...event, news: true }
      },
    }),
  },
  {
    name: 'an older record is adopted',
    shape: { ...TWO_TABS.slow, compares: false },
    budget: { ...NOTHING, refreshes: 1 },
    machine: {
      ...withEvents({ found: (_, event) => ({ ...event, isConflict: true }) }),
      isNewer: (record, session) =>
        record.version !== session.version || record.tokens.accessToken !== session.accessToken,
    },
  },
  {
    name: 'a new refresh token is forgotten one time in ten',
    shape: ONE_TAB.sync,
    budget: { ...NOTHING, refreshes: 7 },
    machine: withEvents({
      granted: (_, event) => ({
        ...event,
        credential: isTenth(event.credential.refreshToken)
          ? { ...event.credential, refreshToken: undefined }
          : event.credential,
      }),
    }),
  },
  {
    name: 'a failed refresh leaves everybody waiting',
    shape: ONE_TAB.sync,
    budget: { ...NOTHING, refreshes: 1, delays: 1 },
    machine: withEffects((effects) => effects.filter((effect) => effect.do !== 'open' || !effect.run.error)),
  },
  {
    name: 'a refusal is believed without another look into the store',
    shape: TWO_TABS.sync,
    budget: { ...NOTHING, refreshes: 2, freezes: 1 },
    machine: withEffects((effects) =>
      effects.map((effect) =>
        effect.do === 'look' && effect.next.type === 'confirmed'
          ? { do: 'next', event: effect.next }
          : effect,
      ),
    ),
  },
  {
    name: "another user's grant is committed into the session",
    shape: ONE_TAB.sync,
    budget: { ...NOTHING, requests: 1, expiries: 1, mixUps: 1 },
    machine: withEvents({
      granted: (_, event) => ({ ...event, credential: { ...event.credential, subjects: {} } }),
    }),
  },
  {
    name: 'those who wait go on before the new token is in the store',
    shape: ONE_TAB.slow,
    budget: { ...NOTHING, requests: 1, expiries: 1 },
    machine: withEffects((effects, event) =>
      event.type === 'granted'
        ? effects.flatMap((effect): Effect[] =>
            effect.do === 'save' && effect.next?.type === 'saved'
              ? [
                  { do: 'next', event: effect.next },
                  { do: 'save', session: effect.session },
                ]
              : [effect],
          )
        : effects,
    ),
  },
])
