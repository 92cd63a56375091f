// The servers of the demo, on loopback: an auth server that means it, and one of somebody else's on another port.
// They keep the log that everything is counted from; when they answer is up to the pace they are given.
// Nothing here knows who is calling: both sides of the comparison meet the same server.
import { randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { digestOfBytes, digestOfForm } from './digest.js'

/** One request that arrived, and what became of it. Times are those of `performance.now()`. */
export interface Trip {
  to: 'login' | 'refresh' | 'api' | 'foreign'
  /** The `?id=` of the caller, if it gave one. */
  id: number | undefined
  arrivedAtMs: number
  answeredAtMs: number | undefined
  status: number | undefined
  /** Whether it carried an `Authorization`. */
  hadToken: boolean
}

/** When to answer: each resolves at the moment the answer may go out. */
export interface Pace {
  beforeRefusal(id: number): Promise<void>
  beforeAnswer(id: number): Promise<void>
  beforeForeignAnswer(): Promise<void>
  /** `nth`: 1 for the first refresh that this server sees. */
  beforeGrant(nth: number): Promise<void>
}

export interface AuthServer {
  readonly origin: string
  readonly trips: readonly Trip[]
  /** How often a refresh token came that had been exchanged before. */
  readonly reuses: number
  /** Whether there is a session, and none was revoked. */
  isSessionAlive(): boolean
  /** When the server stops accepting this access token, in `performance.now()`. */
  expiresAtMs(accessToken: string): number
  close(): Promise<void>
}

export interface ForeignServer {
  readonly origin: string
  readonly trips: readonly Trip[]
  /** Every `Authorization` that was handed to it. */
  readonly authorizations: readonly string[]
  close(): Promise<void>
}

export const USER = { name: 'ada', password: 'correct horse battery staple' }

// The login's token dies before the burst; those of a refresh live long enough for the slowest machine to finish it.
const LOGIN_TOKEN_MS = 60
const REFRESHED_TOKEN_MS = 120_000

/** All that goes back to one login. A refresh token that comes twice was stolen, or sent twice: all of it ends. */
interface Family {
  refreshToken: string
  revoked: boolean
}

export async function startAuthServer(pace: Pace): Promise<AuthServer> {
  const trips: Trip[] = []
  const families: Family[] = []
  const accessTokens = new Map<string, { family: Family; expiresAtMs: number }>()
  const refreshTokens = new Map<string, Family>()
  let refreshes = 0
  let reuses = 0

  const listening = await listen(async (request, response) => {
    const { pathname, trip } = log(trips, request)
    const body = await readBody(request)
    const answer = (status: number, data: unknown, headers?: Record<string, string>) =>
      reply(trip, response, status, data, headers)
    if (request.method === 'POST' && pathname === '/auth/login') {
      trip.to = 'login'
      const { name, password } = fieldsOf(body)
      if (name !== USER.name || password !== USER.password) return answer(401, { error: 'wrong password' })
      const family: Family = { refreshToken: '', revoked: false }
      families.push(family)
      return answer(200, issue(family, LOGIN_TOKEN_MS))
    }
    if (request.method === 'POST' && pathname === '/auth/refresh') {
      trip.to = 'refresh'
      const nth = ++refreshes
      const sent = String(fieldsOf(body)['refresh_token'])
      const family = refreshTokens.get(sent)
      if (!family || family.revoked) return answer(401, { error: 'invalid_grant' })
      if (family.refreshToken !== sent) {
        reuses++
        family.revoked = true
        return answer(401, { error: 'invalid_grant' })
      }
      // Exchanged now, answered later: whoever sends the same one in between is caught.
      const grant = issue(family, REFRESHED_TOKEN_MS)
      await pace.beforeGrant(nth)
      return answer(200, grant)
    }
    if (pathname !== '/notes' && pathname !== '/photos') return answer(404, { error: 'not found' })

    const id = trip.id ?? 0
    if (!isAccepted(request.headers.authorization)) {
      await pace.beforeRefusal(id)
      return answer(401, { error: 'invalid_token' }, { 'WWW-Authenticate': 'Bearer error="invalid_token"' })
    }
    const digest = await digestOf(request, body)
    await pace.beforeAnswer(id)
    return answer(200, { id, method: request.method, digest })
  })

  return {
    ...listening,
    trips,
    get reuses() {
      return reuses
    },
    isSessionAlive: () => families.length > 0 && families.every(({ revoked }) => !revoked),
    expiresAtMs: (accessToken) => accessTokens.get(accessToken)?.expiresAtMs ?? 0,
  }

  /** New tokens. Without `expires_in`, as many backends do it: only a 401 shows that one has expired. */
  function issue(family: Family, lifetimeMs: number): { access_token: string; refresh_token: string } {
    const accessToken = `access-${randomBytes(18).toString('base64url')}`
    family.refreshToken = `refresh-${randomBytes(18).toString('base64url')}`
    accessTokens.set(accessToken, { family, expiresAtMs: performance.now() + lifetimeMs })
    refreshTokens.set(family.refreshToken, family)
    return { access_token: accessToken, refresh_token: family.refreshToken }
  }

  function isAccepted(authorization = ''): boolean {
    const token = accessTokens.get(authorization.replace(/^Bearer /, ''))
    return token !== undefined && !token.family.revoked && performance.now() < token.expiresAtMs
  }
}

/** Somebody else's server: it answers anybody, and writes down what it is handed. */
export async function startForeignServer(pace: Pick<Pace, 'beforeForeignAnswer'>): Promise<ForeignServer> {
  const trips: Trip[] = []
  const authorizations: string[] = []
  const listening = await listen(async (request, response) => {
    const { trip } = log(trips, request)
    trip.to = 'foreign'
    const { authorization } = request.headers
    if (authorization !== undefined) authorizations.push(authorization)
    const digest = await digestOf(request, await readBody(request))
    await pace.beforeForeignAnswer()
    reply(trip, response, 200, { id: trip.id, method: request.method, digest })
  })
  return { ...listening, trips, authorizations }
}

// ---- HTTP ----------------------------------------------------------------------------------------------------------

async function listen(handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>) {
  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      // A caller that hung up while its body was read is no fault of ours.
      if (!request.destroyed) response.writeHead(500).end(String(error))
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', 1024, resolve)
  })
  const { port } = server.address() as AddressInfo
  return { origin: `http://127.0.0.1:${port}`, close: () => close(server) }
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}

function log(trips: Trip[], request: IncomingMessage): { pathname: string; trip: Trip } {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://server')
  const trip: Trip = {
    to: 'api',
    id: Number(searchParams.get('id')) || undefined,
    arrivedAtMs: performance.now(),
    answeredAtMs: undefined,
    status: undefined,
    hadToken: request.headers.authorization !== undefined,
  }
  trips.push(trip)
  return { pathname, trip }
}

function reply(
  trip: Trip,
  response: ServerResponse,
  status: number,
  data: unknown,
  headers: Record<string, string> = {},
): void {
  trip.answeredAtMs = performance.now()
  trip.status = status
  response.writeHead(status, { 'Content-Type': 'application/json', ...headers }).end(JSON.stringify(data))
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

function fieldsOf(body: Buffer): Record<string, unknown> {
  try {
    const fields: unknown = JSON.parse(body.toString())
    return typeof fields === 'object' && fields !== null ? (fields as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

async function digestOf(request: IncomingMessage, body: Buffer): Promise<string> {
  const type = request.headers['content-type'] ?? ''
  if (!type.startsWith('multipart/form-data')) return digestOfBytes(body)
  try {
    const form = await new Response(new Uint8Array(body), { headers: { 'Content-Type': type } }).formData()
    return await digestOfForm(form)
  } catch {
    return 'a form that cannot be read'
  }
}
