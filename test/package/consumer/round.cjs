// One session from a refused token to a replayed request, on whichever copy of the package and of axios is handed in.
// Used by use.mjs and use.cjs; prints nothing, throws when something is not as promised.
const assert = require('node:assert/strict')

exports.round = async function round(axios, { createAuthClient, isAuthClientError }) {
  const seen = []
  const api = axios.create({
    baseURL: 'https://api.example.com',
    adapter: async (config) => {
      const credential = config.headers.get('Authorization')
      seen.push(credential)
      const status = credential === 'Bearer new' ? 200 : 401
      const response = { data: { ok: true }, status, statusText: '', headers: {}, config, request: {} }
      if (status === 200) return response
      throw new axios.AxiosError('refused', 'ERR_BAD_REQUEST', config, {}, response)
    },
  })
  let refreshes = 0
  const auth = createAuthClient(api, {
    refresh: async () => {
      refreshes++
      return { accessToken: 'new', refreshToken: 'r2' }
    },
  })
  await auth.signIn({ accessToken: 'old', refreshToken: 'r1' })
  const answers = await Promise.all([api.get('/a'), api.get('/b')])
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 200],
  )
  assert.equal(refreshes, 1)
  assert.deepEqual(seen, ['Bearer old', 'Bearer old', 'Bearer new', 'Bearer new'])
  await auth.signOut()
  auth.dispose()

  const error = badOption(axios, createAuthClient)
  assert.equal(isAuthClientError(error), true)
  return error
}

function badOption(axios, createAuthClient) {
  try {
    createAuthClient(axios.create({ baseURL: 'https://api.example.com' }), { refresh: 42 })
  } catch (error) {
    return error
  }
  throw new Error('a bad option was accepted')
}
