// What a session needs to know of the other tabs that share its store. Knows no tokens.

/** The other tabs that share a store, as far as a refresh is concerned. */
export interface Tabs {
  /** Runs `work` while no other tab runs its own. Gives up waiting, and never the work, when `signal` aborts. */
  exclusively<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T>
}

/** There is no other tab: the store is not shared, or nothing here can coordinate. */
export function soloTab(): Tabs {
  return { exclusively: (work) => work() }
}
