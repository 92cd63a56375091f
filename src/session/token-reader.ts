// Reads tokens where they arrive, whoever brings them, and remembers them as ours.
// Promise: a field that cannot be read is reported once, not at every refresh.
import { checkTokens } from '../checks.js'
import { type Events, reportUnreadable } from '../events.js'
import type { Source } from '../lifetime.js'
import { createSessionId, type SessionRecord } from '../stores/store.js'
import { type Grant, isUsableToken, type Tokens } from '../tokens.js'
import type { KnownTokens } from './known-tokens.js'
import { type Credential, readCredential } from './machine/credential.js'
import { createSessionState, type SessionState } from './machine/session-state.js'
import type { SubjectOf } from './machine/subject.js'

export interface TokenReader {
  /** A name for one more session. */
  newId(): string
  /** What the app hands over. @throws {AuthClientError} code `BAD_OPTION` */
  fromApp(tokens: Tokens | undefined, source?: Source): Credential
  /** A session that begins with them. @throws {AuthClientError} code `BAD_OPTION` */
  newSession(tokens: Tokens | undefined, source?: Source): SessionState
  fromRecord(record: SessionRecord): Credential
  /** What a server has answered: unchecked, so whatever is no token is left out. */
  fromGrant(grant: Partial<Grant>): Credential
}

export interface TokenReaderDeps {
  nowMs(): number
  events: Events
  tokenless: boolean
  refreshAheadMs: number
  subjectOf: SubjectOf
}

export function createTokenReader(deps: TokenReaderDeps, known: KnownTokens): TokenReader {
  const { nowMs, events, tokenless, refreshAheadMs } = deps
  const unreadable = new Set<string>()
  const reading = {
    refreshAheadMs,
    nowMs,
    subjectOf: (claims) => events.guard(() => deps.subjectOf(claims)),
    onUnreadable(field) {
      if (!unreadable.has(field)) reportUnreadable(field)
      unreadable.add(field)
    },
  } satisfies Parameters<typeof readCredential>[3]
  const reader: TokenReader = {
    newId: () => createSessionId(nowMs()),
    fromApp(tokens, source = 'received') {
      checkTokens(tokens, tokenless)
      return read(tokens ?? {}, undefined, source)
    },
    newSession: (tokens, source) => createSessionState(reader.newId(), reader.fromApp(tokens, source)),
    fromRecord: ({ version, tokens, ...rest }) => read({ ...rest, ...tokens }, version, 'stored'),
    fromGrant(grant) {
      const { accessToken, refreshToken, ...rest } = grant
      return read({ ...rest, accessToken: usable(accessToken), refreshToken: usable(refreshToken) })
    },
  }
  return reader

  function read(
    tokens: Parameters<typeof readCredential>[0],
    version?: number,
    source: Source = 'received',
  ): Credential {
    const credential = readCredential(tokens, version, source, reading)
    known.add(credential.accessToken, credential.refreshToken)
    return credential
  }
}

function usable(token: string | undefined): string {
  return isUsableToken(token) ? token : ''
}
