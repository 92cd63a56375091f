// Owns the pages that the browsers open: it builds the package, bundles an entry with it, and serves the result.
// Promise: what runs in the page is the package as it would be published from the source of this moment, reached
// through its `exports`; a `dist` that lies around is never read.
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type Plugin } from 'esbuild'
import { build as buildPackage } from 'tsup'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/** The text of an empty page that runs the bundled `entry`. */
export async function buildPage(entry: string): Promise<string> {
  const script = (await bundle(entry)).replaceAll('</script', '<\\/script')
  return `<!doctype html><title>tab</title><script>${script}</script>`
}

/** Serves that page on an origin of its own: the app's API is somewhere else. */
export async function servePage(entry: string): Promise<{ url: string; close(): Promise<void> }> {
  const page = await buildPage(entry)
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html; charset=utf-8')
    response.end(page)
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

async function bundle(entry: string): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), 'axios-auth-client-page-'))
  try {
    const installed = join(home, 'node_modules', 'axios-auth-client')
    await mkdir(installed, { recursive: true })
    await cp(join(ROOT, 'package.json'), join(installed, 'package.json'))
    // The options of `npm run build`; only types and maps, which no page reads, are left out.
    await buildPackage({ outDir: join(installed, 'dist'), dts: false, sourcemap: false, silent: true })
    const { outputFiles } = await build({
      entryPoints: [fileURLToPath(new URL(entry, import.meta.url))],
      bundle: true,
      write: false,
      format: 'iife',
      platform: 'browser',
      // What is imported for its effect is meant, whatever this package says of its own files.
      ignoreAnnotations: true,
      nodePaths: [join(ROOT, 'node_modules')],
      plugins: [resolveFrom(home)],
    })
    return outputFiles[0]?.text ?? ''
  } finally {
    await rm(home, { recursive: true, force: true })
  }
}

/** Our own name must be looked up there: in this repository it means the source to TypeScript, and `dist` to Node. */
function resolveFrom(home: string): Plugin {
  return {
    name: 'the package as installed',
    setup({ onResolve, resolve }) {
      onResolve({ filter: /^axios-auth-client(\/|$)/ }, async ({ path, kind, pluginData }) => {
        if (pluginData === home) return undefined
        const found = await resolve(path, { kind, resolveDir: home, pluginData: home })
        if (found.errors.length === 0 && !found.path.startsWith(home))
          return { errors: [{ text: `${path} is ${found.path}, which is not the package just built` }] }
        return found
      })
    },
  }
}
