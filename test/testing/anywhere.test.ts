// The kit where it has to run: Node, jsdom, a page. Bundled for a browser, and run in a world that has nothing else.
// Promise: no Node module, no Buffer, no WebCrypto, and nothing of the library itself comes with it.

import { fileURLToPath } from 'node:url'
import { runInNewContext } from 'node:vm'
import { build } from 'esbuild'
import * as msw from 'msw'
import { describe, expect, it } from 'vitest'
import type * as Kit from '../../src/testing/index.js'

const entry = fileURLToPath(new URL('../../src/testing/index.ts', import.meta.url))

async function bundle() {
  const { outputFiles, metafile } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    metafile: true,
    platform: 'browser',
    target: 'es2022',
    format: 'cjs',
    external: ['msw'],
  })
  return { code: outputFiles[0]?.text ?? '', metafile }
}

/** What a page and jsdom both have, and no more. */
const page = { URL, URLSearchParams, AbortController, btoa, setTimeout, clearTimeout }

async function kitInABarePage(): Promise<typeof Kit> {
  const { code } = await bundle()
  const module = { exports: {} }
  runInNewContext(code, { ...page, module, exports: module.exports, require: () => msw })
  return module.exports as typeof Kit
}

describe('the kit in a page', () => {
  it('imports msw and nothing else, and brings no part of the library', async () => {
    const { metafile } = await bundle()
    const imported = Object.values(metafile.outputs).flatMap(({ imports }) => imports.map(({ path }) => path))
    expect(new Set(imported)).toEqual(new Set(['msw']))
    expect(Object.keys(metafile.inputs).filter((file) => !file.includes('src/testing/'))).toEqual([])
  })

  it('grants, refuses, delays and resets with what every page has', async () => {
    const { createAuthServer } = await kitInABarePage()
    const backend = createAuthServer({ claims: () => ({ city: 'Zürich' }) })
    const ask = (path: string, init?: RequestInit) =>
      msw.getResponse([...backend.handlers], new Request(backend.origin + path, init))
    const { accessToken, refreshToken } = backend.login()
    const me = await ask('/me', { headers: { authorization: `Bearer ${accessToken}` } })
    expect(me?.status).toBe(200)
    const hold = backend.refresh.hold()
    const body = JSON.stringify({ refresh_token: refreshToken })
    const refresh = ask('/auth/refresh', { method: 'POST', body })
    await hold.waiting()
    hold.release()
    expect((await refresh)?.status).toBe(200)
    expect((await ask('/auth/refresh', { method: 'POST', body }))?.status).toBe(401)
    expect(backend.counts).toMatchObject({ refreshes: 2, granted: 1, reuses: 1, served: 1 })
    await backend.clock.advance(1)
    backend.reset()
    expect(backend.log).toHaveLength(0)
  })

  it('has tabs, locks and a clock in a page', async () => {
    const { createFakeTabs, createManualClock } = await kitInABarePage()
    const tabs = createFakeTabs()
    const [one, other] = [tabs.openTab(), tabs.openTab()]
    let news = 0
    other.subscribe?.(() => void news++)
    await one.save({ v: 1, sessionId: 's', version: 1, tokens: { accessToken: 'a' } })
    await tabs.settled()
    expect(news).toBe(1)
    expect(await tabs.locks.request('lock', () => 'held')).toBe('held')
    const clock = createManualClock(0)
    clock.setTimer(() => void news++, 10)
    await clock.advance(10)
    expect(news).toBe(2)
  })
})
