// What an import adds to an app: minified and gzipped by size-limit, as .size-limit.json has it, axios left out.
import { fileURLToPath } from 'node:url'
import sizeLimit from 'size-limit'

const OURS = new URL('../dist/index.js', import.meta.url).href
const QUEUE = new URL('../examples/demo/flag-and-queue.ts', import.meta.url).href

// They have no types of their own.
const PLUGINS = ['@size-limit/esbuild', '@size-limit/file']

const IMPORTS: readonly { name: string; from: string; take: string }[] = [
  { name: 'axios-auth-client', from: OURS, take: '{ createAuthClient, refreshWithBody }' },
  {
    name: 'axios-auth-client, with localStorageStore',
    from: OURS,
    take: '{ createAuthClient, refreshWithBody, localStorageStore }',
  },
  { name: 'flag-and-queue', from: QUEUE, take: '{ installFlagAndQueue }' },
  {
    name: 'axios-auth-refresh',
    from: import.meta.resolve('axios-auth-refresh'),
    take: '{ createAuthRefresh }',
  },
  {
    name: 'axios-jwt',
    from: import.meta.resolve('axios-jwt'),
    take: '{ applyAuthTokenInterceptor, setAuthTokens }',
  },
]

export async function measureBytes(): Promise<Record<string, number>> {
  const sizes = await bytesOf(IMPORTS)
  return Object.fromEntries(IMPORTS.map(({ name }, index) => [name, sizes[index] ?? Number.NaN]))
}

/** What each of these imports adds. `plugins`: of esbuild, for a bundle that is to be another one. */
export async function bytesOf(
  imports: readonly { from: string; take: string; plugins?: object[] }[],
): Promise<number[]> {
  const checks = imports.map(({ from, take, plugins }) => ({
    files: [],
    import: { [fileURLToPath(from)]: take },
    ignore: ['axios'],
    gzip: true,
    modifyEsbuildConfig: (config: object) => ({ ...config, plugins }),
  }))
  const plugins = await Promise.all(PLUGINS.map(async (name) => (await import(name)).default))
  const sizes = (await sizeLimit(plugins, { checks })) as { size: number }[]
  return sizes.map(({ size }) => size)
}
