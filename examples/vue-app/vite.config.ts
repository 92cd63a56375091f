// Starts the app with the embedded backend, or in front of the one that VITE_BACKEND names.
import { fileURLToPath } from 'node:url'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vite'
import { embeddedBackend } from './backend.js'

/** Where the page finds its backend: on its own origin, so no CORS is needed. */
const PATH = '/backend'

/** Where the other example backends listen, unless BACKEND_URL says otherwise. */
const URLS: Record<string, string> = {
  'a-sanic': 'http://127.0.0.1:8000',
  'c-flask-header': 'http://127.0.0.1:5000',
  'd-fastapi': 'http://127.0.0.1:8000',
}

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

export default defineConfig(() => {
  const { VITE_BACKEND, BACKEND_URL, ACCESS_SECONDS = '20' } = process.env
  if (VITE_BACKEND && !URLS[VITE_BACKEND]) {
    throw new Error(`VITE_BACKEND=${VITE_BACKEND}: there are ${Object.keys(URLS).join(', ')}.`)
  }
  const target = VITE_BACKEND && (BACKEND_URL ?? URLS[VITE_BACKEND])
  const proxy = target
    ? { [PATH]: { target, rewrite: (path: string) => path.slice(PATH.length) } }
    : undefined
  return {
    root: here('.'),
    plugins: [vue(), !target && embeddedBackend(PATH, Number(ACCESS_SECONDS))],
    server: { host: '127.0.0.1', proxy },
    preview: { host: '127.0.0.1', proxy },
    resolve: {
      // The source of the repository that this folder lives in. Copied elsewhere, the app does without.
      alias: [
        { find: /^axios-auth-client$/, replacement: here('../../src/index.ts') },
        { find: /^axios-auth-client\/vue$/, replacement: here('../../src/bindings/vue.ts') },
      ],
    },
  }
})
