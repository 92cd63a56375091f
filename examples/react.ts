import type { AuthClient } from 'axios-auth-client'

/** In a React app, `useSyncExternalStore` comes from 'react'. */
type UseSyncExternalStore = <T>(
  subscribe: (listener: () => void) => () => void,
  getSnapshot: () => T,
  getServerSnapshot: () => T,
) => T

export function createUseAuth(useSyncExternalStore: UseSyncExternalStore, auth: AuthClient) {
  return () => useSyncExternalStore(auth.subscribe, auth.getSnapshot, auth.getServerSnapshot)
}
