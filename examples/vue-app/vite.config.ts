// Starts the app with the embedded backend, or with the one that VITE_BACKEND names.
import { fileURLToPath } from 'node:url'
import vue from '@vitejs/plugin-vue'
import { defineConfig, loadEnv } from 'vite'
import { embeddedBackend, proxyTo } from './backend/vite-plugin.js'

const PREFIX = '/backend'

/** Where the example backends listen by themselves. */
const DEFAULT_URLS: Record<string, string> = {
  'a-sanic': 'http://127.0.0.1:8000',
  'c-flask-header': 'http://127.0.0.1:5000',
  'd-fastapi': 'http://127.0.0.1:8000',
}

export default defineConfig(({ mode }) => {
  const env = loadEnv(mode, here('.'), ['VITE_', 'BACKEND_', 'ACCESS_'])
  const { VITE_BACKEND: name = '', BACKEND_URL, ACCESS_SECONDS = '20' } = env
  if (name && !DEFAULT_URLS[name]) {
    throw new Error(`VITE_BACKEND=${name}: there are ${Object.keys(DEFAULT_URLS).join(', ')}.`)
  }
  const url = BACKEND_URL ?? DEFAULT_URLS[name]
  const proxy = url ? proxyTo(url, PREFIX) : undefined
  return {
    root: here('.'),
    plugins: [vue(), !url && embeddedBackend(PREFIX, { accessSeconds: Number(ACCESS_SECONDS) })],
    server: { host: '127.0.0.1', proxy },
    preview: { host: '127.0.0.1', proxy },
    resolve: {
      // The source of the repository that this folder lives in. Remove the alias when you copy the folder elsewhere.
      alias: [
        { find: /^axios-auth-client$/, replacement: here('../../src/index.ts') },
        { find: /^axios-auth-client\/vue$/, replacement: here('../../src/bindings/vue.ts') },
      ],
    },
  }
})

function here(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url))
}
