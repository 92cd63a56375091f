// The credential is an HttpOnly cookie: the browser places it, and script never sees it.
import type { Placement } from './placement.js'

/** Places nothing. Sessions then have no tokens: `signIn()` takes none, and any 2xx of the refresh is a grant. */
export function noCredential(): Placement {
  return { place() {}, remove() {}, tokenless: true }
}
