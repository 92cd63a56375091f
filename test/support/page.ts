// Owns the page of the tests in Node: its events, its locks, and that it is a page at all.

import { vi } from 'vitest'
import { createFakeTabs } from '../../src/testing/fake-tabs.js'

/** Puts a page around what follows, until the test is over. `navigator`: with Web Locks, if nothing else is given. */
export function stubPage(navigator: { locks?: unknown } = { locks: createFakeTabs().locks }): EventTarget {
  const page = new EventTarget()
  for (const name of ['addEventListener', 'removeEventListener', 'dispatchEvent'] as const)
    vi.stubGlobal(name, page[name].bind(page))
  vi.stubGlobal('document', new EventTarget())
  vi.stubGlobal('navigator', navigator)
  return page
}
