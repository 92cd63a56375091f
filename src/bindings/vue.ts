// The session in Vue (3.2 and later), as a shallow ref that is released with the scope it was made in. Owns no client:
// make it once, outside your components.
import {
  getCurrentInstance,
  getCurrentScope,
  onMounted,
  onScopeDispose,
  type ShallowRef,
  shallowRef,
} from 'vue'
import type { AuthClient, Claims } from '../index.js'
import { type Selector, selecting, type TypedSnapshot } from './select.js'

export type { Selector, TypedSnapshot } from './select.js'

/**
 * The session, or what `selector` picks of it, as a ref. It changes when that is different: by `Object.is`, or in an entry
 * of the object or array that the selector makes. While a page hydrates it shows what the server rendered, and the
 * session of the browser once it is mounted. What else a selector reads (a prop, a ref) is not followed: use a `computed`
 * for that. Without a `document` it stays what it was at first.
 * `C` types the claims: `useAuth<MyClaims>(auth)`, or `useAuth(auth, (s: TypedSnapshot<MyClaims>) => s.claims?.roles)`.
 */
export function useAuth<C extends object = Claims>(auth: AuthClient): Readonly<ShallowRef<TypedSnapshot<C>>>
export function useAuth<T, C extends object = Claims>(
  auth: AuthClient,
  selector: Selector<T, C>,
): Readonly<ShallowRef<T>>
export function useAuth<T, C extends object>(
  auth: AuthClient,
  selector?: Selector<T, C>,
): Readonly<ShallowRef<T>> {
  const readServer = selecting(auth.getServerSnapshot, selector)
  // On a server nothing is ever mounted, and a listener would live as long as the client does.
  if (typeof document === 'undefined') return shallowRef(readServer())
  // A component that hydrates has its element before it is set up, in the page. (A vnode that is shown again still has one.)
  const hydrates = !!getCurrentInstance()?.vnode.el?.parentNode
  const read = selecting(auth.getSnapshot, selector, hydrates ? readServer : undefined)
  const state = shallowRef(hydrates ? readServer() : read()) as ShallowRef<T>
  const update = () => {
    state.value = read()
  }
  let awaitsMount = hydrates
  const stop = auth.subscribe(() => {
    if (!awaitsMount) update()
  })
  if (hydrates) {
    onMounted(() => {
      awaitsMount = false
      update()
    })
  }
  if (getCurrentScope()) onScopeDispose(stop)
  return state
}
