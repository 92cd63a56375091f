// Who a session belongs to (guarantee G24). Pure.
// Two sources name the user: the app (`signIn({ subject })`, a grant's `subject`) and the token's claims. A name is
// compared only with one from the same source: an app may call "ada@example.com" whom the claims call "17".
import type { Claims } from '../../lifetime.js'
import type { SessionRecord } from '../../stores/store.js'
import type { Tokens } from '../../tokens.js'

export type SubjectOf = (claims: Claims) => unknown

export interface Subjects {
  /** What the app called its user. */
  named?: string | undefined
  /** What the claims of a token said. */
  claimed?: string | undefined
  /** The token itself says so, so that a record need not. */
  inToken?: boolean | undefined
}

/** What these tokens, or a record's, say about their user. */
export function readSubjects(
  { subject, claimedSubject }: Pick<Tokens, 'subject'> & Pick<SessionRecord, 'claimedSubject'>,
  claims: Claims | undefined,
  subjectOf: SubjectOf,
  fromRecord: boolean,
): Subjects {
  const inToken = claims && textOf(subjectOf(claims))
  // A record's subject is the claims' own, where they have one and nothing is kept beside it: see `subjectFields`.
  const isClaimed = fromRecord && claimedSubject === undefined && inToken !== undefined
  return {
    named: isClaimed ? undefined : textOf(subject),
    claimed: inToken ?? claimedSubject,
    inToken: inToken !== undefined,
  }
}

/** The fields of a record that bring both names back; as a rule `subject` alone, which is what the snapshot shows. */
export function subjectFields({ named, claimed, inToken }: Subjects) {
  if (named === undefined && inToken) return { subject: claimed }
  return { subject: named, claimedSubject: claimed }
}

/** Whether both are known and are not the same user. */
export function isOtherUser(one: Subjects, other: Subjects): boolean {
  const { named, claimed } = one
  if (named !== undefined && other.named !== undefined) return named !== other.named
  return claimed !== undefined && other.claimed !== undefined && claimed !== other.claimed
}

/** Many servers number their users. */
function textOf(subject: unknown): string | undefined {
  return typeof subject === 'string' || typeof subject === 'number' ? String(subject) : undefined
}
