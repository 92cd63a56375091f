// The app's instance is of another copy of axios than the one that the library finds: as in a tree with two versions.
import axios027 from 'axios-0.27'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createAuthClient, type RefreshContext } from '../../src/index.js'
import { json } from '../support/auth-server/answer.js'
import { startServer } from '../support/client.js'

describe('a refresh through the http of an instance of axios 0.27', () => {
  const FORM = 'application/x-www-form-urlencoded'
  const calls: [string, (context: RefreshContext) => Promise<unknown>, type: string, body: string][] = [
    ['URLSearchParams', ({ http }) => http.post('/r', new URLSearchParams({ a: '1' })), FORM, 'a=1'],
    ['an object', ({ http }) => http.post('/r', { a: 1 }), 'application/json', '{"a":1}'],
    [
      'an object that is to be a form',
      ({ http }) => http.post('/r', { a: 1 }, { headers: { 'Content-Type': FORM } }),
      FORM,
      'a=1',
    ],
    [
      'a text with a type',
      ({ http }) => http.post('/r', 'a: 1', { headers: { 'Content-Type': 'text/yaml' } }),
      'text/yaml',
      'a: 1',
    ],
  ]

  it.each(calls)('sends %s as its type says', async (_, call, type, body) => {
    const server = await startServer()
    server.route('/r', () => json(200, {}))
    const auth = createAuthClient(axios027.create({ baseURL: server.url }), {
      tokens: { accessToken: 'a' },
      refresh: async (context) => {
        await call(context)
        return { accessToken: 'b' }
      },
    })
    onTestFinished(() => auth.dispose())
    await auth.refresh()
    const [sent] = server.log
    expect([sent?.headers['content-type']?.split(';')[0], sent?.bodyBytes.toString()]).toEqual([type, body])
  })
})
