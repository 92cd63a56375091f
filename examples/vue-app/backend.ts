// The backend that `npm run dev` starts inside Vite: sign-in, refresh tokens that rotate, and figures behind the token.
// For a developer's machine only: it keeps everything in memory, and its passwords are on the login page.
import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { json } from 'node:stream/consumers'
import type { Plugin, ViteDevServer } from 'vite'

const PASSWORDS = new Map([
  ['ada', 'ada-likes-numbers'],
  ['bob', 'bob-likes-bricks'],
])

interface Session {
  user: string
  refreshToken: string
  /** The access tokens that are alive, and when each expires. */
  expiresAtMs: Map<string, number>
}

/** Becomes an answer with this status. */
class Refusal extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message)
  }
}

export function embeddedBackend(path: string, accessSeconds: number): Plugin {
  const answer = createBackend(accessSeconds)
  // On the page's own origin, with `vite` and with `vite preview`.
  const serve = ({ middlewares }: Pick<ViteDevServer, 'middlewares'>) => {
    middlewares.use(path, (request, response) => {
      answer(request).then(
        (body) => send(response, body ? 200 : 204, body),
        (error) => send(response, error.status ?? 500, { message: error.message }),
      )
    })
  }
  return { name: 'embedded-backend', configureServer: serve, configurePreviewServer: serve }
}

/** Returns what answers a request: with a body, with nothing, or by throwing a `Refusal`. */
function createBackend(accessSeconds: number): (request: IncomingMessage) => Promise<object | undefined> {
  const sessions = new Map<string, Session>()

  // Both tokens name their session, so that a used one differs from one that was never issued.
  const newToken = (id: string) => `${id}.${randomUUID()}`
  const idIn = (token: string) => token.split('.')[0] ?? ''

  function issue(id: string, session: Session) {
    const accessToken = newToken(id)
    session.expiresAtMs.set(accessToken, Date.now() + accessSeconds * 1000)
    session.refreshToken = newToken(id)
    return { access_token: accessToken, refresh_token: session.refreshToken, expires_in: accessSeconds }
  }

  /** Whose token it is that comes with the request. */
  function sessionOf({ headers }: IncomingMessage): [id: string, session: Session] {
    const token = headers.authorization?.replace('Bearer ', '') ?? ''
    const id = idIn(token)
    const session = sessions.get(id)
    if (!session || Date.now() >= (session.expiresAtMs.get(token) ?? 0)) {
      throw new Refusal(401, 'The access token is missing or has expired.')
    }
    return [id, session]
  }

  return async (request) => {
    const route = `${request.method} ${request.url}`
    switch (route) {
      case 'POST /auth/login': {
        const { username, password } = await bodyOf(request)
        const user = String(username)
        if (!password || PASSWORDS.get(user) !== password) throw new Refusal(401, 'Wrong name or password.')
        const id = randomUUID()
        const session: Session = { user, refreshToken: '', expiresAtMs: new Map() }
        sessions.set(id, session)
        return issue(id, session)
      }
      case 'POST /auth/refresh': {
        const token = String((await bodyOf(request)).refresh_token)
        const id = idIn(token)
        const session = sessions.get(id)
        if (session?.refreshToken === token) return issue(id, session)
        // Spent before: its owner or a thief has the newer one, and the server cannot know which (RFC 9700, 4.14.2).
        sessions.delete(id)
        throw new Refusal(401, 'This session is over.')
      }
      case 'POST /auth/logout':
        sessions.delete(sessionOf(request)[0])
        return undefined
      // For the demonstration: what the clock does by itself, done now, and behind the client's back.
      case 'POST /auth/expire':
        sessionOf(request)[1].expiresAtMs.clear()
        return undefined
    }
    if (!route.startsWith('GET /figures/')) throw new Refusal(404, 'There is no such thing here.')
    return figureOf(sessionOf(request)[1].user + request.url)
  }
}

/** Twelve weeks of something: made up, and the same each time for the same name. */
function figureOf(name: string) {
  const seed = [...name].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 9973, 7)
  const series = Array.from({ length: 12 }, (_, week) =>
    Math.round(
      (400 + seed) * (1 + 0.02 * week + 0.12 * Math.sin(seed + week) + 0.05 * Math.sin(seed * week)),
    ),
  )
  return { value: series.at(-1), series }
}

async function bodyOf(request: IncomingMessage): Promise<Record<string, unknown>> {
  try {
    return Object(await json(request))
  } catch {
    throw new Refusal(400, 'That is not JSON.')
  }
}

function send(response: ServerResponse, status: number, body?: object): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
  response.end(body && JSON.stringify(body))
}
