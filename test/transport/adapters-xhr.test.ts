// @vitest-environment jsdom

// The tests of the transport in a page: XMLHttpRequest to another origin, with its preflights.

import axios from 'axios'
import { describe, expect, it } from 'vitest'
import { describeTransport, describeTransportCore } from '../contracts/transport-suite.js'
import { adapterAsFunction, adapterNamed } from '../support/adapters.js'
import { setUp } from '../support/client.js'

describeTransport({
  name: 'the xhr adapter',
  open: ({ url }) => ({ instance: axios.create({ baseURL: url, adapter: adapterNamed('xhr') }) }),
})

describeTransportCore({
  name: 'the default adapters of a page',
  open: ({ url }) => ({ instance: axios.create({ baseURL: url }) }),
})

describeTransportCore({
  name: 'the xhr adapter as a function, set per request',
  open: ({ url }) => ({
    instance: axios.create({ baseURL: url }),
    each: { adapter: adapterAsFunction('xhr') },
  }),
})

describe('the xhr adapter', () => {
  it('is what sends in a page, after a preflight', async () => {
    const { server, api } = await setUp()
    const { request } = await api.get('/api/me')
    expect(request).toBeInstanceOf(XMLHttpRequest)
    expect(server.counts.preflights).toBe(1)
  })

  it('replays a request for a blob, and answers with one', async () => {
    const { server, api } = await setUp()
    server.killAccessTokens()
    const { data } = await api.get<Blob>('/api/me', { adapter: adapterNamed('xhr'), responseType: 'blob' })
    expect(data).toBeInstanceOf(Blob)
    expect(server.counts.refreshes).toBe(1)
  })
})
