// Starts the embedded backend with `vite` and `vite preview`, and stops it with them.
// Promise: the page reaches it under the prefix, on its own origin, so that no CORS is needed.
import type { Plugin, ProxyOptions } from 'vite'
import { type Backend, type BackendSettings, startBackend } from './server.js'

/** What `embeddedBackend().api` is, for who needs the running backend: the tests of this app. */
export interface EmbeddedBackend {
  backend?: Backend
}

export function embeddedBackend(prefix: string, settings: BackendSettings): Plugin<EmbeddedBackend> {
  const api: EmbeddedBackend = {}
  const closeWith = (server: { once(event: 'close', listener: () => void): unknown } | null) =>
    void server?.once('close', () => api.backend?.close())
  return {
    name: 'embedded-backend',
    apply: 'serve',
    api,
    async config() {
      api.backend = await startBackend(settings)
      const proxy = proxyTo(api.backend.url, prefix)
      return { server: { proxy }, preview: { proxy } }
    },
    configureServer: ({ httpServer }) => closeWith(httpServer),
    configurePreviewServer: ({ httpServer }) => closeWith(httpServer),
  }
}

/** Hands everything under the prefix on to `target`. */
export function proxyTo(target: string, prefix: string): Record<string, ProxyOptions> {
  return { [prefix]: { target, changeOrigin: true, rewrite: (path) => path.slice(prefix.length) } }
}
