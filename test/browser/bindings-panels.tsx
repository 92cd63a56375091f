// Owns the panel of the binding tests, once in React and once in Vue: the same parts, the same markup. A server renders
// it, a page hydrates or mounts it.
import type { AuthClient, AuthSnapshot } from 'axios-auth-client'
import { useAuth } from 'axios-auth-client/react'
import { useAuth as useAuthInVue } from 'axios-auth-client/vue'
import { defineComponent, h } from 'vue'

export interface PanelProps {
  auth: AuthClient
  /** Called every time that a part renders. */
  onRender?: (part: PartName) => void
  /** Reads the session past the binding: what goes wrong then shows that the test can fail. */
  careless?: boolean
}

export type PartName = 'status' | 'user' | 'activity'

type PartProps = PanelProps & { name: PartName }
type Selected = string | Partial<AuthSnapshot>

/** What each part selects: a value, an object of its own each time, the whole. */
const SELECTORS: Record<PartName, (session: AuthSnapshot) => Selected> = {
  status: ({ status }) => status,
  user: ({ subject }) => ({ subject }),
  activity: (session) => session,
}
const PARTS = Object.keys(SELECTORS) as PartName[]

function textOf(selected: Selected): string {
  if (typeof selected === 'string') return selected
  if (selected.status === undefined) return selected.subject ?? 'nobody'
  return selected.refreshing ? 'busy' : 'idle'
}

export function ReactPanel(props: PanelProps) {
  return (
    <ul>
      {PARTS.map((name) => (
        <ReactPart key={name} name={name} {...props} />
      ))}
    </ul>
  )
}

export function ReactPart({ auth, name, careless, onRender }: PartProps) {
  onRender?.(name)
  const read = careless ? readCarelessly : useAuth
  return <li>{textOf(read(auth, SELECTORS[name]))}</li>
}

export function vuePanel(props: PanelProps) {
  const parts = PARTS.map((name) => vuePart({ name, ...props }))
  const items = () => parts.map((part) => h(part))
  return defineComponent(() => () => h('ul', items()))
}

function vuePart({ auth, name, careless, onRender }: PartProps) {
  return defineComponent(() => {
    const bind = careless ? bindCarelessly : useAuthInVue
    const selected = bind(auth, SELECTORS[name])
    return () => {
      onRender?.(name)
      return h('li', textOf(selected.value))
    }
  })
}

function readCarelessly<T>(auth: AuthClient, selector: (session: AuthSnapshot) => T): T {
  return selector(auth.getSnapshot())
}

function bindCarelessly<T>(auth: AuthClient, selector: (session: AuthSnapshot) => T): { readonly value: T } {
  return {
    get value() {
      return readCarelessly(auth, selector)
    },
  }
}
