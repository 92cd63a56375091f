// @vitest-environment jsdom

// The tests of the transport in a page on the older kinds of axios: XMLHttpRequest is what they choose by themselves
// there.

import { describe } from 'vitest'
import { loadRelease } from '../contracts/axios-versions.js'
import { describeTransport, describeTransportCore } from '../contracts/transport-suite.js'

for (const version of ['0.27.2', '1.2.6'] as const) {
  const { axios, library } = await loadRelease(version)

  describe(`axios ${version} in a page`, () => {
    describeTransport({
      name: 'an instance with its default adapters',
      open: ({ url }) => ({ instance: axios.create({ baseURL: url }) }),
      library,
    })

    describeTransportCore({
      name: 'the default export',
      open({ url }) {
        axios.defaults.baseURL = url
        return { instance: axios, close: () => delete axios.defaults.baseURL }
      },
      library,
    })
  })
}
