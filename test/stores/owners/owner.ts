// Owns the words for an app that owns its tokens, as the suite in app-owned.test.ts needs them.

import type { TokenStore, Tokens } from '../../../src/index.js'

/** An app with one user at a time, and what it does by itself, without the client's knowledge. */
export interface Owner {
  /** The store as a page makes it when it is loaded: a second call is a reload. */
  open(): TokenStore
  /** What the app holds. */
  tokens(): Tokens | null | undefined
  /** Puts a login answer, or renewed tokens, in the place of what there is. */
  replace(tokens: Tokens): void
  logOut(): void
  /** Resolves when what was done is visible to `read`. */
  flush(): Promise<void>
}

/** Called in a test, with what undoes it afterwards. */
export type CreateOwner = (whenOver: (end: () => void) => void) => Owner
