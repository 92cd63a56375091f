// Serves the playground on loopback: Vite with the page, the package as it would be published from the source of this
// moment, and the embedded auth server in its middlewares.
import { mkdtemp, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build as buildPackage } from 'tsup'
import { createServer, type ViteDevServer } from 'vite'
import { createBackend } from './backend.js'
import { humanPace, type Pace } from './pace.js'
import { type ServerState, STATE_EVENT } from './state.js'

export interface PlaygroundOptions {
  /** Default: Vite's usual one, or the next that is free; 0: any. */
  port?: number
  /** Default: slow enough for people. */
  pace?: Pace
  /** When the client of a page that is opened from now on gives up on a refresh. Default: after the slow ones. */
  refreshTimeoutMs?: number
}

export interface Playground {
  url: string
  state(): ServerState
  close(): Promise<void>
}

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const PAGE = fileURLToPath(new URL('..', import.meta.url))

export async function servePlayground(options: PlaygroundOptions = {}): Promise<Playground> {
  const { port, pace = humanPace } = options
  const built = await mkdtemp(join(tmpdir(), 'axios-auth-client-playground-'))
  await buildPackage({ outDir: join(built, 'dist'), dts: false, silent: true })
  const backend = createBackend({
    pace,
    refreshTimeoutMs: () => options.refreshTimeoutMs ?? 7000,
    onChange: (state) => vite.ws.send(STATE_EVENT, state),
  })
  const vite: ViteDevServer = await createServer({
    configFile: false,
    root: PAGE,
    cacheDir: join(built, 'vite'),
    logLevel: 'warn',
    resolve: {
      alias: { 'axios-auth-client': join(built, 'dist', 'index.js') },
      // From wherever the package was built to.
      dedupe: ['axios', 'jwt-decode'],
    },
    // In one file instead of sixty. Nothing else needs it.
    optimizeDeps: { noDiscovery: true, include: ['axios'] },
    server: { host: '127.0.0.1', port, fs: { allow: [ROOT, built] } },
    plugins: [
      {
        name: 'the embedded auth server',
        configureServer: ({ middlewares }) => void middlewares.use(backend.handle),
        // Here and not in `close`: Vite ends itself when it is terminated.
        async closeBundle() {
          backend.close()
          await rm(built, { recursive: true, force: true })
        },
      },
    ],
  })
  await vite.listen()
  const address = vite.httpServer?.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${address.port}/`,
    state: backend.state,
    close: () => vite.close(),
  }
}
