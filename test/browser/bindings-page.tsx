// What runs in the page of the binding tests: a client, a panel in either framework, and notes of what it showed.
// Promise: every text that was shown is noted, in order, and so is everybody who listens to the client.
import axios from 'axios'
import {
  type AuthClient,
  createAuthClient,
  localStorageStore,
  refreshWithBody,
  type Tokens,
} from 'axios-auth-client'
import { StrictMode, startTransition, useState } from 'react'
import { createRoot, hydrateRoot } from 'react-dom/client'
import { createApp, createSSRApp } from 'vue'
import { type PanelProps, type PartName, ReactPanel, ReactPart, vuePanel } from './bindings-panels.js'

export type Framework = 'React' | 'Vue'

export interface Start {
  /** What the server rendered with. */
  tokens: Tokens
  /** The session of a visit before. */
  stored?: Tokens
  careless?: boolean
  /** React only. */
  strict?: boolean
}

export interface Notes {
  shown: string[]
  renders: Partial<Record<PartName, number>>
  listeners: number
  everListened: number
}

export interface BindingsPage {
  /** The panel takes over what the server rendered; where there is nothing, it is mounted. */
  start(framework: Framework, options: Start): Promise<void>
  readonly auth: AuthClient
  /** Resolves once the panel shows this. */
  shows(text: string): Promise<void>
  /** Whether the server's elements are still there. */
  keepsElements(): boolean
  notes(): Notes
  close(): void
  /** Mounts many slow parts in a transition, and signs in as another user while React pauses in the middle of it. */
  interrupt(options: Start & { meanwhile: Tokens }): Promise<void>
}

const SLOW_PARTS = Array.from({ length: 40 }, (_, at) => at)

// Vue asks bundlers to decide; undecided, it warns.
Object.assign(globalThis, {
  __VUE_OPTIONS_API__: false,
  __VUE_PROD_DEVTOOLS__: false,
  __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: false,
})

let auth: AuthClient
let box: HTMLElement
let served: Element[]
let close = () => {}
const notes: Notes = { shown: [], renders: {}, listeners: 0, everListened: 0 }

const bindings: BindingsPage = {
  async start(framework, { careless, strict, ...tokens }) {
    await begin(tokens)
    close = mount[framework]({ auth, careless, onRender: noteRender }, !!strict)
  },
  get auth() {
    return auth
  },
  shows: (text) => until(() => textShown() === text),
  keepsElements: () => served.length > 0 && served.every((element) => box.contains(element)),
  notes: () => notes,
  close: () => close(),
  async interrupt({ meanwhile, careless, ...tokens }) {
    await begin(tokens)
    let paused = false
    function onRender(at: number) {
      const end = performance.now() + 3
      while (performance.now() < end);
      if (at !== SLOW_PARTS.length / 2 || paused) return
      paused = true
      // A microtask runs when React yields to the page.
      queueMicrotask(() => void auth.signIn(meanwhile))
    }
    let open = () => {}
    function List() {
      const [isOpen, setOpen] = useState(false)
      open = () => startTransition(() => setOpen(true))
      if (!isOpen) return 'closed'
      return SLOW_PARTS.map((at) => (
        <ReactPart key={at} name="user" auth={auth} careless={careless} onRender={() => onRender(at)} />
      ))
    }
    const root = createRoot(box)
    root.render(<List />)
    await until(() => box.textContent === 'closed')
    notes.shown.length = 0
    open()
    await until(() => box.children.length === SLOW_PARTS.length)
  },
}

/** A page that is loaded: with the tokens in its document, with the session that the browser has kept, if any. */
async function begin({ tokens, stored }: { tokens: Tokens; stored?: Tokens }): Promise<void> {
  box = document.querySelector<HTMLElement>('#app')!
  served = [...box.querySelectorAll('*')]
  if (stored) {
    const before = clientOf()
    await before.signIn(stored)
    before.dispose()
  }
  const client = clientOf(tokens)
  auth = {
    ...client,
    subscribe(listener) {
      notes.listeners++
      notes.everListened++
      const stop = client.subscribe(listener)
      return () => {
        notes.listeners--
        stop()
      }
    },
  }
  await auth.ready
  new MutationObserver(noteShown).observe(box, { childList: true, characterData: true, subtree: true })
  noteShown()
}

function clientOf(tokens?: Tokens): AuthClient {
  return createAuthClient(axios.create({ baseURL: location.origin }), {
    refresh: refreshWithBody({ url: '/auth/refresh' }),
    store: localStorageStore({ key: 'app' }),
    tokens,
  })
}

/** Puts the panel into the box; returns what takes it away. */
const mount: Record<Framework, (props: PanelProps, strict: boolean) => () => void> = {
  React(props, strict) {
    const panel = <ReactPanel {...props} />
    const element = strict ? <StrictMode>{panel}</StrictMode> : panel
    if (served.length > 0) {
      const root = hydrateRoot(box, element)
      return () => root.unmount()
    }
    const root = createRoot(box)
    root.render(element)
    return () => root.unmount()
  },
  Vue(props) {
    const app = (served.length > 0 ? createSSRApp : createApp)(vuePanel(props))
    app.mount(box)
    return () => app.unmount()
  },
}

function noteRender(part: PartName): void {
  notes.renders[part] = (notes.renders[part] ?? 0) + 1
}

/** Each text once: what several parts show alike is one. */
function textShown(): string {
  return [...new Set([...box.querySelectorAll('li')].map(({ textContent }) => textContent))].join(' ')
}

function noteShown(): void {
  const text = textShown()
  if (text !== '' && text !== notes.shown.at(-1)) notes.shown.push(text)
}

/** Resolves once `condition` holds; looked at whenever something in the page changes. */
function until(condition: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const observer = new MutationObserver(look)
    observer.observe(document, { childList: true, characterData: true, subtree: true })
    function look() {
      if (!condition()) return
      observer.disconnect()
      resolve()
    }
    look()
  })
}

Object.assign(globalThis, { bindings })
