// What the tabs of this page send each other, over a channel of the page's own, so that each can draw all of them. The
// client under test knows nothing of it.
import type { AuthStats } from 'axios-auth-client'
import type { TimelineEvent } from './timeline/events.js'

export type Message =
  /** Somebody has opened a tab: who else is here? */
  | { say: 'hello' }
  /** How a tab is doing, and all that happened in it lately. */
  | { say: 'here'; openedAtMs: number; stats: AuthStats; events: TimelineEvent[] }
  | { say: 'event'; event: TimelineEvent; stats: AuthStats }
  /** Every tab sends so many requests. */
  | { say: 'fire'; count: number }
  | { say: 'bye' }

export interface Tabs {
  readonly me: string
  /** When this tab was opened. Tabs are in the order of that. */
  readonly openedAtMs: number
  post(message: Message): void
}

export function joinTabs(onMessage: (message: Message, from: string) => void): Tabs {
  const me = crypto.randomUUID()
  const channel = new BroadcastChannel('axios-auth-client playground')
  const post = (message: Message) => channel.postMessage({ from: me, message })
  channel.onmessage = ({ data }) => onMessage(data.message, data.from)
  addEventListener('pagehide', () => post({ say: 'bye' }))
  return { me, openedAtMs: Date.now(), post }
}
