// Owns the network of the URL tests: two real servers, `home` and `foreign`, and the sockets that lead to them. Node parses
// the address and says where it wants to connect; only then is the socket led to a server, as DNS and routers would do.
// Promise: a connection to anything but a home origin ends at `foreign`; both keep everything that arrives.
import { once } from 'node:events'
import { createServer, Agent as HttpAgent, type IncomingMessage, type ServerResponse } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { everythingIn, receiveBody, receiveHead } from '../support/auth-server/request.js'

export interface Arrival {
  at: 'home' | 'foreign'
  /** All of it, in the clear, encoded credentials too. */
  everything: string
}

export interface Network {
  /** What has arrived since the last look. */
  look(): Arrival[]
  /** axios's http adapter connects by these. */
  readonly agents: { httpAgent: HttpAgent; httpsAgent: HttpsAgent }
  /** And Node's fetch by this one. */
  readonly dispatcher: unknown
  /** Where the servers listen on 127.0.0.1, for a browser that gets rules for it. */
  readonly ports: { home: number; foreign: number }
  close(): Promise<void>
}

/** @param page what home answers to a GET of /page */
export async function createNetwork(homes: readonly string[], page = ''): Promise<Network> {
  let arrivals: Arrival[] = []
  const home = await listen('home')
  const foreign = await listen('foreign')
  const homeHosts = new Set(homes.map(hostOf))
  const httpAgent = leading(new HttpAgent({ keepAlive: true }), 'http:')
  const httpsAgent = leading(new HttpsAgent({ keepAlive: true }), 'https:')
  const dispatcher = await createDispatcher((protocol, host, port) => socketTo(protocol, host, port))

  return {
    look() {
      const seen = arrivals
      arrivals = []
      return seen
    },
    agents: { httpAgent, httpsAgent },
    dispatcher,
    ports: { home: home.port, foreign: foreign.port },
    async close() {
      httpAgent.destroy()
      httpsAgent.destroy()
      await dispatcher.close()
      await Promise.all([home.close(), foreign.close()])
    },
  }

  async function listen(at: Arrival['at']) {
    const server = createServer((message, response) => void receive(at, message, response))
    server.keepAliveTimeout = 0
    server.on('clientError', ({ rawPacket }: Error & { rawPacket?: Buffer }, socket) => {
      // Not HTTP, but bytes that have left all the same.
      const text = rawPacket?.toString('latin1') ?? ''
      const basic = /Basic (\S+)/.exec(text)?.[1] ?? ''
      arrivals.push({ at, everything: text + Buffer.from(basic, 'base64').toString('latin1') })
      socket.destroy()
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return {
      port: (server.address() as AddressInfo).port,
      close() {
        server.closeAllConnections()
        return new Promise((resolve) => server.close(resolve))
      },
    }
  }

  async function receive(at: Arrival['at'], message: IncomingMessage, response: ServerResponse) {
    // Any page may send anything here, or a browser would keep to itself what must not arrive.
    const { origin = '*', 'access-control-request-headers': wanted = '*' } = message.headers
    response.setHeader('access-control-allow-origin', origin)
    response.setHeader('access-control-allow-headers', wanted)
    const request = receiveHead(message, 0, 0)
    await receiveBody(message, request)
    if (request.method === 'OPTIONS') return void response.writeHead(204).end()
    if (request.path === '/page') return void response.setHeader('content-type', 'text/html').end(page)
    arrivals.push({ at, everything: everythingIn(request) })
    // Foreign refuses everything: its 401 must not cost us a refresh.
    response.writeHead(at === 'home' ? 200 : 401, { 'content-length': '0' }).end()
  }

  function socketTo(protocol: string, host: string, port: number): Socket {
    return connect(homeHosts.has(`${protocol}//${host}:${port}`) ? home.port : foreign.port, '127.0.0.1')
  }

  function leading<T extends HttpAgent>(agent: T, protocol: string): T {
    const createConnection = ({ host, port }: { host?: string; port?: number }) =>
      socketTo(protocol, host ?? 'localhost', Number(port))
    return Object.assign(agent, { createConnection })
  }
}

/** Protocol, host and port as a socket knows them: in lower case, without brackets, with the usual port. */
function hostOf(origin: string): string {
  const { protocol, hostname, port } = new URL(origin)
  return `${protocol}//${hostname.replace(/^\[|\]$/g, '')}:${port || (protocol === 'https:' ? 443 : 80)}`
}

interface Dispatcher {
  close(): Promise<void>
}

/** Node's own fetch takes a dispatcher, and shows its class nowhere but here. */
async function createDispatcher(
  socketTo: (protocol: string, host: string, port: number) => Socket,
): Promise<Dispatcher> {
  // It is made for the first call.
  await fetch('data:,')
  const key = Symbol.for('undici.globalDispatcher.1')
  const { constructor: Agent } = (globalThis as unknown as Record<symbol, object>)[key] ?? {}
  if (!Agent) throw new Error('The fetch of this Node shows no dispatcher: find out how to lead its sockets.')
  return new (Agent as unknown as new (options: object) => Dispatcher)({
    connect(
      { protocol, hostname, port }: Record<string, string>,
      done: (error: Error | null, socket?: Socket) => void,
    ) {
      const socket = socketTo(
        protocol ?? '',
        hostname ?? '',
        Number(port || (protocol === 'https:' ? 443 : 80)),
      )
      socket.once('connect', () => done(null, socket)).once('error', done)
    },
  })
}
