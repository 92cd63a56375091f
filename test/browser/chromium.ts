// Finds a Chromium and serves pages to it. Playwright's own download is not needed: a system's Chromium will do.
import { existsSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { type Browser, chromium } from 'playwright-core'

const CANDIDATES = [
  process.env.CHROMIUM_PATH,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
]

/** The path of a Chromium on this machine; says loudly when there is none. */
export function findChromium(): string | undefined {
  const found = CANDIDATES.find((path) => path && existsSync(path))
  if (!found) {
    console.warn(
      '\n!! No Chromium found: the browser stories were NOT run.\n' +
        '!! Install one (Debian: apt-get install chromium), or set CHROMIUM_PATH.\n',
    )
    // Where everything has to hold, a browser that is missing is a failure.
    if (process.env.CI) throw new Error('No Chromium found, and CI needs one.')
  }
  return found
}

export function launchChromium(executablePath: string): Promise<Browser> {
  return chromium.launch({
    executablePath,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
}

/** Serves an empty page that runs the bundled `entry`. */
export async function servePage(entry: string): Promise<{ url: string; close(): Promise<void> }> {
  const bundle = await build({
    entryPoints: [fileURLToPath(new URL(entry, import.meta.url))],
    bundle: true,
    write: false,
    format: 'iife',
    platform: 'browser',
    alias: { 'axios-auth-client': fileURLToPath(new URL('../../src/index.ts', import.meta.url)) },
  })
  const script = bundle.outputFiles[0]?.text.replaceAll('</script', '<\\/script')
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html; charset=utf-8')
    response.end(`<!doctype html><title>tab</title><script>${script}</script>`)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close() {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}
