// webLock(name), for stores of one's own; and who pays for it.

import axios from 'axios'
import { createAuthClient, refreshWithBody, webLock } from 'axios-auth-client'
import { build } from 'esbuild'
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { createFakeTabs } from '../../src/testing/fake-tabs.js'
import { createManualClock } from '../../src/testing/manual-clock.js'
import { startServer, tokensOf } from '../support/client.js'
import { createOpenStore } from '../support/stores.js'
import { heldLocks } from '../support/tabs.js'

beforeEach(() => void vi.stubGlobal('navigator', { locks: createFakeTabs().locks }))

describe('webLock', () => {
  it('G1: lets tabs with a custom store share each refresh', async () => {
    const server = await startServer({ tokens: 'opaque' })
    const store = createOpenStore()
    const tabs = [1, 2, 3].map(() => {
      const api = axios.create({ baseURL: server.url })
      const auth = createAuthClient(api, {
        store: { ...store, ...accessors(store), exclusively: webLock('app') },
        refresh: refreshWithBody({ url: '/auth/refresh' }),
      })
      onTestFinished(() => auth.dispose())
      return { api, auth }
    })
    await tabs[0]?.auth.signIn(tokensOf(server.login()))
    store.hint()
    server.killAccessTokens()
    const answers = await Promise.all(tabs.map(({ api }) => api.get('/api/x')))
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
    expect(server.counts).toMatchObject({ refreshes: 1, reuses: 0 })
    expect(await heldLocks()).toEqual([])
  })

  it.each([undefined, '', null, 7])('refuses the name %j', (name) => {
    expect(() => webLock(name as never)).toThrow(
      expect.objectContaining({ code: 'BAD_OPTION', message: expect.stringContaining('webLock') }),
    )
  })

  it('without Web Locks lets the clients of one page take turns, within their time limit', async () => {
    vi.stubGlobal('navigator', {})
    const exclusively = webLock('app')
    const clock = createManualClock()
    const turn = { signal: new AbortController().signal, timeoutMs: 17_000, clock }
    let end = () => {}
    const first = exclusively(() => new Promise<void>((resolve) => (end = resolve)), turn)
    const second = exclusively(async () => 'second', turn)
    const third = exclusively(async () => 'third', turn)
    const outcomes = Promise.allSettled([second, third])
    await clock.advance(17_000)
    expect(await outcomes).toMatchObject([
      { status: 'rejected', reason: { code: 'REFRESH_FAILED' } },
      { status: 'rejected', reason: { code: 'REFRESH_FAILED' } },
    ])
    // Whoever gave up has not ended the turn of the first.
    const fourth = exclusively(async () => 'fourth', turn)
    end()
    await first
    expect(await fourth).toBe('fourth')
    expect(clock.pending).toBe(0)
  })
})

/** `kept` is an accessor, which a spread would read once. */
function accessors(store: ReturnType<typeof createOpenStore>) {
  return { load: () => store.load(), save: store.save, clear: store.clear, subscribe: store.subscribe }
}

describe('the code that an app links', () => {
  async function linked(names: string): Promise<string[]> {
    const { metafile } = await build({
      stdin: {
        contents: `import { ${names} } from './src/index.ts'; console.log(${names})`,
        resolveDir: new URL('../..', import.meta.url).pathname,
      },
      bundle: true,
      format: 'esm',
      write: false,
      metafile: true,
      external: ['axios', 'jwt-decode'],
    })
    const [output] = Object.values(metafile.outputs)
    const used = Object.entries(output?.inputs ?? {}).filter(([, { bytesInOutput }]) => bytesInOutput > 0)
    return used.map(([file]) => file).filter((file) => file.startsWith('src/stores/'))
  }

  const LOCKS = ['src/stores/lock-holders.ts', 'src/stores/web-lock.ts', 'src/stores/announced-commits.ts']

  it('contains no Web Locks without a store that needs them', async () => {
    for (const names of ['createAuthClient', 'createAuthClient, sessionStorageStore']) {
      const files = await linked(names)
      expect(files).toContain('src/stores/page-memory.ts')
      for (const file of LOCKS) expect(files).not.toContain(file)
    }
    expect(await linked('createAuthClient, localStorageStore')).toEqual(expect.arrayContaining(LOCKS))
    expect(await linked('createAuthClient')).not.toContain('src/stores/memory.ts')
  })
})
