// What is to become of the record that a failed write was to replace. Pure.
// Promise: no spent refresh token stays in a store, and no other user's session; what somebody else has written stays.
import { isSame, type SessionRecord, type StoredRecord } from '../stores/store.js'

/**
 * `mark`: it holds a refresh token that is spent. `nothing`: it is another user's, or a mark did not fit. `undefined`: it
 * stays. `written`: the write has come through all the same.
 * @param found what the store holds now, if it could be read
 */
export function remedyFor(
  record: SessionRecord,
  found: { record: StoredRecord | undefined; news: boolean | undefined } | undefined,
  byUser: boolean,
): 'mark' | 'nothing' | 'written' | undefined {
  if (found) {
    const { record: left, news } = found
    if (!left?.tokens) return undefined
    // Written all the same, or somebody else was faster.
    if (news) return isSame(left, record) ? 'written' : undefined
    const { refreshToken = record.tokens.refreshToken } = left.tokens
    if (left.sessionId === record.sessionId && refreshToken === record.tokens.refreshToken) return undefined
  }
  return byUser ? 'nothing' : 'mark'
}
