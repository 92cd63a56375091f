// The words of the timeline: what can happen, in which tab and when. Observers write them, everything else reads them.
import type { SessionEndReason } from 'axios-auth-client'

/** One thing that happened. Times are milliseconds of one clock for all tabs. */
export type TimelineEvent = { tab: string; atMs: number } & Happening

export type Happening =
  /** A caller has made a request. */
  | { what: 'made'; id: number; name: string; note?: string }
  /** It goes out, for the first or for a further time. */
  | { what: 'sent'; id: number }
  /** The server has answered 401. */
  | { what: 'refused'; id: number }
  /** It waits for new tokens. */
  | { what: 'held'; id: number }
  /** Its caller has what it wanted. */
  | { what: 'answered'; id: number }
  /** Its caller has aborted it and got the error. */
  | { what: 'aborted'; id: number }
  /** Its caller got an error. */
  | { what: 'failed'; id: number; reason: string }
  | { what: 'refreshStart' }
  /** The refresh call itself goes out, for the first or for a further time. */
  | { what: 'refreshSent' }
  /** `status`: none if there was no answer. */
  | { what: 'refreshAnswered'; status: number | undefined }
  /** `adopted`: another tab had fetched the tokens. */
  | { what: 'refreshed'; adopted: boolean }
  | { what: 'refreshFailed'; reason: string }
  | { what: 'sessionEnd'; reason: SessionEndReason }

export type Report = (happening: Happening) => void
