// The embedded auth server: the backend of axios-auth-client/testing, with its rotation and reuse detection, behind real
// HTTP in Vite's own server. Owns the bridge between the two, the pace, and what the page's controls change.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { createAuthServer } from 'axios-auth-client/testing'
import { getResponse } from 'msw'
import type { Pace } from './pace.js'
import { REFRESH_MODES, type RefreshMode, type ServerState } from './state.js'

export interface Backend {
  /** For Vite's middlewares: passes on what is not for the auth server. */
  handle(request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void): void
  state(): ServerState
  /** Ends what hangs. */
  close(): void
}

/** Never asked over the network: the handlers want absolute addresses. */
const ORIGIN = 'http://auth.test'
const STATE = '/playground/state'
const EXPIRE = '/playground/expire'
const REFRESH_MODE = '/playground/refresh'
const REFRESH = '/auth/refresh'
const LOGIN = '/auth/login'

export interface BackendOptions {
  pace: Pace
  refreshTimeoutMs(): number
  /** Called when the state may be another one. */
  onChange(state: ServerState): void
}

export function createBackend({ pace, refreshTimeoutMs, onChange }: BackendOptions): Backend {
  // Long-lived: here tokens expire when somebody presses a button.
  const server = createAuthServer({ origin: ORIGIN, protected: ['/api/*'], accessLifetimeSeconds: 86_400 })
  let refreshMode: RefreshMode = 'granted'
  let isExpired = false

  const state = (): ServerState => ({
    refreshMode,
    isExpired,
    counts: server.counts,
    refreshTimeoutMs: refreshTimeoutMs(),
  })

  /** The page's controls; `undefined` when it is none of them. */
  function control(path: string, body: string): ServerState | undefined {
    if (path === EXPIRE) {
      server.expireAccessTokens()
      isExpired = true
    } else if (path === REFRESH_MODE) {
      refreshMode = REFRESH_MODES.find((mode) => mode === body) ?? 'granted'
      server.refresh.always(refreshMode === 'slow' ? 'granted' : refreshMode)
    } else if (path !== STATE) return undefined
    onChange(state())
    return state()
  }

  async function answer(path: string, url: URL, request: IncomingMessage): Promise<Response> {
    const body = await buffer(request)
    const controlled = control(path, body.toString())
    if (controlled) return Response.json(controlled)
    const mode = refreshMode
    const response = await getResponse(
      server.handlers,
      new Request(url, {
        method: request.method,
        headers: Object.entries(request.headers).map(([name, value]): [string, string] => [
          name,
          String(value),
        ]),
        body: body.length ? new Uint8Array(body) : null,
      }),
    )
    const { status } = response ?? { status: 404 }
    onChange(state())
    if (path === REFRESH) await pace.beforeRefreshAnswer(mode)
    else if (path.startsWith('/api/')) {
      await pace.beforeAnswer(path, Number(url.searchParams.get('id')), status)
    }
    if (status === 200 && (path === REFRESH || path === LOGIN)) {
      isExpired = false
      onChange(state())
    }
    return response ?? new Response(null, { status })
  }

  return {
    state,
    close: () => server.reset(),
    handle(request, response, next) {
      const url = new URL(request.url ?? '/', ORIGIN)
      if (!/^\/(auth|api|playground)\//.test(url.pathname)) return next()
      answer(url.pathname, url, request)
        .then((answered) => send(answered, response))
        .catch(next)
    },
  }
}

async function send(answer: Response, response: ServerResponse): Promise<void> {
  // A network error, such as the end of an answer that hung.
  if (answer.type === 'error') return void response.destroy()
  response.writeHead(answer.status, Object.fromEntries(answer.headers))
  response.end(Buffer.from(await answer.arrayBuffer()))
}
