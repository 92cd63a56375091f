// What a change by the app makes of its session (guarantee G24): newer tokens of the same one, or another one. Pure, but
// for the time and the name of a new session.
// Promise: tokens of which nobody knows that they are the same user's are another session.
import { reportUnreadable } from '../events.js'
import { measureLifetime, readClaims } from '../lifetime.js'
import type { Tokens } from '../tokens.js'
import { createRecord, createSessionId, type SessionRecord } from './store.js'

/** The record of tokens that the app has changed by itself, in the place of `before` if they are of the same session. */
export function changedRecord(
  before: SessionRecord | undefined,
  version: number,
  tokens: Tokens,
): SessionRecord {
  const nowMs = Date.now()
  const { expiresAtMs, estimated } =
    before?.tokens.accessToken === tokens.accessToken
      ? before
      : measureLifetime(tokens, readClaims(tokens.accessToken), nowMs, 'given', reportUnreadable)
  const [was, now] = [before && subjectsOf(before.tokens, before), subjectsOf(tokens, tokens)]
  const named = now.named ?? was?.named
  const claimed = now.claimed ?? was?.claimed
  const isInToken = named === undefined && now.claimed !== undefined
  return createRecord(before?.sessionId ?? createSessionId(nowMs), version, {
    accessToken: tokens.accessToken,
    refreshToken: tokens.refreshToken || before?.tokens.refreshToken,
    expiresAtMs,
    estimated,
    subject: isInToken ? claimed : named,
    claimedSubject: isInToken ? undefined : claimed,
  })
}

/** Whether tokens that the app has put in the place of a record's are of the same session (guarantee G24). */
export function isSameSession(record: SessionRecord, tokens: Tokens): boolean {
  const { accessToken, refreshToken } = record.tokens
  const [was, now] = [subjectsOf(record.tokens, record), subjectsOf(tokens, tokens)]
  const sources = (['named', 'claimed'] as const).filter(
    (source) => was[source] !== undefined && now[source] !== undefined,
  )
  // All of them: an app may leave the name of the last user beside the tokens of the next one.
  if (sources.some((source) => was[source] !== now[source])) return false
  const isOneKept =
    tokens.accessToken === accessToken || (!!refreshToken && tokens.refreshToken === refreshToken)
  return isOneKept || sources.length > 0
}

/** Who the user is: by the app, and by the token. A name that only repeats the token's is none of the app's. */
function subjectsOf(
  { accessToken }: Pick<Tokens, 'accessToken'>,
  { subject, claimedSubject }: Pick<Tokens, 'subject'> & Pick<SessionRecord, 'claimedSubject'>,
) {
  const claimed = textOf(readClaims(accessToken)?.sub) ?? claimedSubject
  const name = textOf(subject)
  return { named: name === claimed ? undefined : name, claimed }
}

function textOf(subject: unknown): string | undefined {
  return typeof subject === 'string' || typeof subject === 'number' ? String(subject) : undefined
}
