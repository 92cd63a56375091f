// The session in React (18 and later), over useSyncExternalStore: right under concurrent rendering, StrictMode, server
// rendering and hydration. Owns no client: make it once, outside your components.
import { useEffect, useMemo, useRef, useSyncExternalStore } from 'react'
import type { AuthClient, AuthSnapshot, Claims } from '../index.js'
import { type Selector, selecting, type TypedSnapshot } from './select.js'

export type { Selector, TypedSnapshot } from './select.js'

/**
 * The session, or what `selector` picks of it. The component renders again when that is different: by `Object.is`, or in
 * an entry of the object or array that the selector makes. The first render after hydration shows what the server's did.
 * `C` types the claims: `useAuth<MyClaims>(auth)`, or `useAuth(auth, (s: TypedSnapshot<MyClaims>) => s.claims?.roles)`.
 */
export function useAuth<C extends object = Claims>(auth: AuthClient): TypedSnapshot<C>
export function useAuth<T, C extends object = Claims>(auth: AuthClient, selector: Selector<T, C>): T
export function useAuth<T, C extends object>(auth: AuthClient, selector?: Selector<T, C>): T {
  // Outlives an inline selector, which is another one in each render: what it makes must not be another object, or an
  // effect that depends on it and renders again would never come to an end.
  const shown = useRef<T>(undefined)
  const [read, readServer] = useMemo(() => {
    const look = (from: () => AuthSnapshot) => selecting(from, selector, () => shown.current)
    return [look(auth.getSnapshot), look(auth.getServerSnapshot)] as [() => T, () => T]
  }, [auth, selector])
  const selected = useSyncExternalStore(auth.subscribe, read, readServer)
  useEffect(() => {
    shown.current = selected
  })
  return selected
}
