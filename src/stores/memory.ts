// Keeps the session in memory; with a name, the tabs of an origin take turns and are notified of each other's sign-in and sign-out, though nothing is stored.
// Promise: no token leaves the page. Other tabs learn who signed in or out: a session's id and its subject, in the clear,
// as every script of this origin could learn it anyway.
import { checkOptions } from '../checks.js'
import { listen } from '../listen.js'
import { createPageMemory, type PageMemory } from './page-memory.js'
import {
  createMark,
  createRecord,
  REFUSED,
  readRecord,
  type SessionRecord,
  type StoredRecord,
  type TokenStore,
} from './store.js'
import { webLock } from './web-lock.js'

export interface MemoryStoreOptions {
  /**
   * What the tabs of one session have in common: for a session in cookies, which all tabs of an origin share. With it they
   * refresh one at a time, and a sign-out or a sign-in as another user in one tab counts in all; a sign-in or a restored
   * session of the same subject ends nobody's. Needs a page or worker with `BroadcastChannel`; elsewhere, as on a server, it
   * is as without.
   * @default none: every tab has a session of its own
   */
  name?: string | undefined
}

/**
 * Keeps the session in memory: it lives as long as the page, and no script finds it in a storage. The default.
 * @throws {AuthClientError} code `BAD_OPTION` for a wrong option.
 */
export function memoryStore(options: MemoryStoreOptions = {}): TokenStore {
  const { name } = checkOptions('memoryStore', options, { name: 'text or undefined' })
  const memory = createPageMemory()
  return name === undefined ? memory : shareByName(name, memory)
}

/** What is sent to other tabs. */
interface Message {
  event: 'signed-in' | 'restored' | 'signed-out'
  /** Whose session, without its tokens. */
  record: SessionRecord
  /** The credential is a cookie: whoever receives this has it too. */
  tokenless: boolean
}

function shareByName(name: string, memory: PageMemory): TokenStore {
  const inTabs = webLock(name)
  const channel = createChannel(`axios-auth-client:${name}`, receive)
  const kept = () => {
    const found = memory.load() as StoredRecord | typeof REFUSED | undefined
    return found === REFUSED ? undefined : found
  }
  return {
    ...memory,
    exclusively: (work, turn) => (hasTabs() ? inTabs : memory.exclusively)(work, turn),
    save(record, options) {
      const before = kept()
      const answer = memory.save(record, options)
      // Newer tokens of the same session are news for nobody: every tab has its own.
      if (answer !== false && record.sessionId !== before?.sessionId)
        announce(options?.replaces === undefined ? 'signed-in' : 'restored', record)
      return answer
    },
    clear(reason, options) {
      const before = kept()
      const answer = memory.clear(reason, options)
      // What a refusal means for the other tabs they learn at their own refresh.
      if (answer !== false && before && !reason) announce('signed-out', before)
      return answer
    },
    subscribe(listener) {
      const stop = memory.subscribe(listener)
      const leave = channel.join()
      return () => {
        stop()
        leave()
      }
    },
  }

  function announce(event: Message['event'], record: StoredRecord): void {
    const { sessionId, version } = record
    const { subject, claimedSubject, tokens } = record as SessionRecord
    const names = createRecord(sessionId, version, { accessToken: '', subject, claimedSubject })
    channel.post({ event, record: names, tokenless: tokens?.accessToken === '' })
  }

  function receive(data: unknown): void {
    const message = readMessage(data)
    if (!message) return
    const { event, record } = message
    const here = kept()
    const isOther = here && isOtherSubject(here as SessionRecord, record)
    if (event === 'signed-out') {
      if (here && !isOther) memory.change(undefined)
      return
    }
    const tokenless = message.tokenless && !here?.tokens?.accessToken
    // Of subjects that are not known nobody can say whether they are the same: a sign-in counts, as in a shared storage.
    const counts = here
      ? here.sessionId !== record.sessionId && (isOther ?? event === 'signed-in')
      : tokenless
    if (counts) memory.change(tokenless ? record : createMark(record))
  }
}

/** What came over the channel, if it is sound: anything of this origin can write there. */
function readMessage(data: unknown): Message | undefined {
  try {
    const { event, record, tokenless } = Object(data) as Message
    const read = readRecord({ ...record, tokens: { accessToken: '' } }, true)
    const isKnown = event === 'signed-in' || event === 'restored' || event === 'signed-out'
    return read?.tokens && isKnown ? { event, record: read, tokenless: tokenless === true } : undefined
  } catch {
    return undefined
  }
}

/** `undefined`: not known. Tabs of one app name their user by the same sources, but not each time by all of them. */
function isOtherSubject(one: SessionRecord, other: SessionRecord): boolean | undefined {
  const [left, right] = [one, other].map(({ subject, claimedSubject }) =>
    [subject, claimedSubject].filter((name) => name !== undefined),
  ) as [string[], string[]]
  if (!left.length || !right.length) return undefined
  return !left.some((name) => right.includes(name))
}

/** A page or a worker. A server has neither: its channels and locks would tie one visitor to another. */
function hasTabs(): boolean {
  const { document, WorkerGlobalScope } = globalThis as { document?: unknown; WorkerGlobalScope?: unknown }
  return !!globalThis.BroadcastChannel && !!(document || WorkerGlobalScope)
}

/** Open while somebody listens. */
function createChannel(name: string, receive: (data: unknown) => void) {
  const users = new Set<object>()
  let channel: BroadcastChannel | undefined
  let stopListening = () => {}
  return {
    post: (message: Message) => void channel?.postMessage(message),
    join() {
      const user = {}
      users.add(user)
      if (!channel && hasTabs()) {
        channel = new BroadcastChannel(name)
        stopListening = listen(channel, 'message', ({ data }: MessageEvent) => receive(data))
        // In Node, where a page is only simulated, it would keep the process alive.
        ;(channel as { unref?: () => void }).unref?.()
      }
      return () => {
        users.delete(user)
        if (users.size) return
        stopListening()
        channel?.close()
        channel = undefined
      }
    },
  }
}
