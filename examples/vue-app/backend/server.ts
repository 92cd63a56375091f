// Owns the embedded backend: sign-in, rotating refresh tokens, and a dozen figures behind the access token.
// Promise: it keeps everything in memory, listens on this machine only, and is gone after `close`.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { figureOf } from './figures.js'
import { createPasswords } from './passwords.js'
import { createSessions, type Session } from './sessions.js'

export interface BackendSettings {
  /** How long an access token lives. Short, so that there is something to see. */
  accessSeconds?: number
  refreshSeconds?: number
  /** 'name:password,name:password' */
  users?: string
}

export interface BackendCounts {
  granted: number
  refused: number
  figures: number
}

export interface Backend {
  readonly url: string
  /** What was answered since the start or the last `forget`: refreshes granted and refused, figures. */
  readonly counts: BackendCounts
  forget(): void
  expireAccessTokens(): void
  /** Signs everybody out. */
  endSessions(): void
  close(): Promise<void>
}

const BODY_LIMIT_BYTES = 10_000

/** Becomes an answer with this status. */
class Refusal extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message)
  }
}

export async function startBackend({
  accessSeconds = 20,
  refreshSeconds = 43_200,
  users = 'ada:ada-likes-numbers,bob:bob-likes-bricks',
}: BackendSettings = {}): Promise<Backend> {
  const passwords = await createPasswords(users)
  const sessions = createSessions({ accessSeconds, refreshSeconds })
  const counts: BackendCounts = { granted: 0, refused: 0, figures: 0 }

  /** What is answered with; nothing is a 204. */
  async function answer(request: IncomingMessage): Promise<object | undefined> {
    const { pathname } = new URL(request.url ?? '/', 'http://backend')
    switch (`${request.method} ${pathname}`) {
      case 'POST /auth/login': {
        const { username, password } = await readTexts(request)
        if (!username || !password || !(await passwords.check(username, password))) {
          throw new Refusal(401, 'Wrong name or password.')
        }
        return sessions.start(username)
      }
      case 'POST /auth/refresh': {
        const { refresh_token = '' } = await readTexts(request)
        const issued = sessions.refresh(refresh_token)
        counts[issued ? 'granted' : 'refused']++
        if (!issued) throw new Refusal(401, 'This session is over.')
        return issued
      }
      case 'POST /auth/logout': {
        guard(request)
        sessions.end(bearerOf(request))
        return undefined
      }
      case 'GET /auth/me': {
        const { user, startedAtMs } = guard(request)
        return { name: user, signed_in_at: new Date(startedAtMs).toISOString() }
      }
    }
    const [, name = ''] = /^\/figures\/([a-z]+)$/.exec(pathname) ?? []
    const figure = request.method === 'GET' ? figureOf(name) : undefined
    if (!figure) throw new Refusal(404, 'There is no such thing here.')
    guard(request)
    counts.figures++
    return figure
  }

  function guard(request: IncomingMessage): Session {
    const session = sessions.of(bearerOf(request))
    if (!session) throw new Refusal(401, 'The access token is missing or has expired.')
    return session
  }

  const server = createServer((request, response) => {
    answer(request).then(
      (body) => send(response, body ? 200 : 204, body),
      (error: unknown) => {
        const { status, message } = error instanceof Refusal ? error : new Refusal(500, 'Something broke.')
        if (status === 500) console.error(error)
        send(response, status, { message })
      },
    )
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    // A free port: only the dev server has to know it.
    server.listen(0, '127.0.0.1', resolve)
  })

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    counts,
    forget: () => void Object.assign(counts, { granted: 0, refused: 0, figures: 0 }),
    expireAccessTokens: sessions.expireAccessTokens,
    endSessions: sessions.endAll,
    close() {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

function send(response: ServerResponse, status: number, body?: object): void {
  // Answers are for one user at one moment: no cache may keep a token or a figure.
  response.writeHead(status, {
    'cache-control': 'no-store',
    ...(body && { 'content-type': 'application/json' }),
  })
  response.end(body && JSON.stringify(body))
}

function bearerOf({ headers }: IncomingMessage): string {
  return /^Bearer (\S+)$/i.exec(headers.authorization ?? '')?.[1] ?? ''
}

/** The fields of a JSON body that are texts; the others are nobody's business here. */
async function readTexts(request: IncomingMessage): Promise<Record<string, string | undefined>> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > BODY_LIMIT_BYTES) throw new Refusal(413, 'That is too much.')
    chunks.push(chunk)
  }
  let body: unknown
  try {
    body = JSON.parse(Buffer.concat(chunks).toString())
  } catch {
    throw new Refusal(400, 'That is not JSON.')
  }
  const fields = typeof body === 'object' && body !== null ? Object.entries(body) : []
  return Object.fromEntries(fields.filter(([, value]) => typeof value === 'string'))
}
