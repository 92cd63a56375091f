// Reads tokens once, on arrival: when they end, who they belong to, what a JWT says. Pure but for the hooks it is given.
// Promise: what the state machine works with was measured here, so that no clock and no JWT is needed in there.
import { type Claims, type Lifetime, measureLifetime, readClaims, type Source } from '../../lifetime.js'
import type { SessionRecord } from '../../stores/store.js'
import type { Tokens } from '../../tokens.js'
import { readSubjects, type SubjectOf, type Subjects } from './subject.js'

/** Tokens as the session works with them. */
export interface Credential {
  /** That of the record they come from; `undefined` for tokens that no store has numbered. */
  version?: number | undefined
  accessToken: string
  refreshToken?: string | undefined
  expiresAtMs?: number | undefined
  /** Infinity where it is unknown. */
  lifetimeMs: number
  /** See {@link Lifetime.estimated}. */
  estimated?: boolean | undefined
  /** From when on the token is renewed before the server rejects it. */
  staleAtMs?: number | undefined
  /** Who this is, by each of the sources that can say so. */
  subjects: Subjects
  claims?: Claims | undefined
}

/** What is needed to understand tokens: the time of their receipt, and the options that speak of them. */
export interface Reading {
  nowMs(): number
  refreshAheadMs: number
  subjectOf: SubjectOf
  onUnreadable(field: keyof Tokens): void
}

/** Explicit values too are cut to this part of a token's life: a token of 30 s must not be renewed on every request. */
const STALE_PART = 0.15

/** @param version that of the record, where the tokens come from one */
export function readCredential(
  tokens: Partial<Tokens> & Pick<SessionRecord, 'estimated' | 'claimedSubject'>,
  version: number | undefined,
  source: Source,
  { nowMs, refreshAheadMs, subjectOf, onUnreadable }: Reading,
): Credential {
  const accessToken = tokens.accessToken || ''
  const claims = readClaims(accessToken)
  const lifetime: Lifetime = measureLifetime(tokens, claims, nowMs(), source, onUnreadable)
  const { expiresAtMs, lifetimeMs = Infinity, estimated } = lifetime
  return {
    version,
    accessToken,
    refreshToken: tokens.refreshToken || undefined,
    expiresAtMs,
    lifetimeMs,
    estimated,
    staleAtMs: expiresAtMs && expiresAtMs - Math.min(refreshAheadMs, lifetimeMs * STALE_PART),
    subjects: readSubjects(tokens, claims, subjectOf, version !== undefined),
    claims,
  }
}

/** Whoever asks for nearly the whole life of a token would have one refreshed with nearly every call. */
export function attainableMsOf(lifetimeMs: number): number {
  return lifetimeMs * (1 - STALE_PART)
}
