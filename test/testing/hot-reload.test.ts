// The recipe for hot module reload, under the real Vite: the module that makes the client is replaced while the app runs.
// Promise: there is one client before and after, and without the recipe the second one is refused in so many words.

import { fileURLToPath } from 'node:url'
import { createServer, createServerModuleRunner, type Plugin } from 'vite'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { AuthClient } from '../../src/index.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const recipe = `${root}examples/testing/one-client/auth.ts`

/** An app that takes the recipe's module anew whenever it is replaced, and keeps every client it was given. */
const app = `
  import { auth } from '${recipe}'
  export const clients = [auth]
  export const replaced = []
  let reported = () => {}
  export const nextReplacement = () => new Promise((resolve) => { reported = resolve })
  import.meta.hot.accept('${recipe}', (module) => {
    if (module) clients.push(module.auth)
    reported(module ? 'replaced' : 'failed')
  })
`

interface App {
  clients: AuthClient[]
  nextReplacement(): Promise<string>
}

function appPlugin(edit: (code: string) => string): Plugin {
  return {
    name: 'app',
    enforce: 'pre',
    resolveId: (id) => (id === 'app.js' ? id : undefined),
    load: (id) => (id === 'app.js' ? app : undefined),
    transform: (code, id) => (id === recipe ? edit(code) : undefined),
  }
}

/** The app in Vite's own module runner, and what an edit of the recipe's file would set off. */
async function startVite(edit = (code: string) => code) {
  const errors: string[] = []
  let fail = () => {}
  const failed = new Promise<void>((resolve) => {
    fail = resolve
  })
  const noteError = (error: unknown) => {
    errors.push(String(error))
    fail()
  }
  const vite = await createServer({
    configFile: false,
    root,
    logLevel: 'silent',
    server: { middlewareMode: true, ws: false, watch: null },
    resolve: { alias: { 'axios-auth-client': `${root}src/index.ts` } },
    plugins: [appPlugin(edit)],
  })
  const runner = createServerModuleRunner(vite.environments.ssr, {
    hmr: { logger: { error: noteError, debug() {} } },
  })
  onTestFinished(async () => {
    await runner.close()
    await vite.close()
  })
  const { clients, nextReplacement } = (await runner.import('app.js')) as App
  return {
    clients,
    errors,
    failed,
    async replace() {
      const { moduleGraph } = vite.environments.ssr
      const [module] = moduleGraph.getModulesByFile(recipe) ?? []
      if (!module) throw new Error(`Vite does not know ${recipe}`)
      const reported = nextReplacement()
      await vite.environments.ssr.reloadModule(module)
      return reported
    },
  }
}

describe('a module that makes the client and is replaced', () => {
  it('leaves one client: the old one is disposed, the new one works', async () => {
    const { clients, errors, replace } = await startVite()
    for (let edits = 1; edits <= 3; edits++) {
      expect(await replace()).toBe('replaced')
      expect(clients).toHaveLength(edits + 1)
    }
    expect(errors).toEqual([])
    const [latest, ...old] = [...clients].reverse()
    for (const client of old) {
      await expect(client.signIn({ accessToken: 'a-token' })).rejects.toMatchObject({ code: 'DISPOSED' })
    }
    await latest?.signIn({ accessToken: 'a-token' })
    expect(latest?.getSnapshot().status).toBe('signed-in')
  })

  it('gets an error that the instance has a live client when it was not disposed', async () => {
    const { clients, errors, failed, replace } = await startVite((code) =>
      code.replace(/^import\.meta\.hot.*$/m, ''),
    )
    void replace()
    await failed
    expect(errors.join()).toContain(
      'a live auth client holds this axios instance already. Use that one, or dispose() it first.',
    )
    expect(clients).toHaveLength(1)
  })
})
