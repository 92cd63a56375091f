// Owns the adapters of the axios that the tests run on, which may be an old one (`npm run test:matrix`): 0.27 to 1.1 want
// functions, and only from 1.5 on can a name be resolved to one.

import axios, { type AxiosAdapter, type AxiosRequestConfig } from 'axios'

type Adapter = AxiosRequestConfig['adapter']
export type AdapterName = 'http' | 'xhr' | 'fetch'

/** The adapter as a config says it. */
export function adapterNamed(name: AdapterName): NonNullable<Adapter> {
  const { adapter } = axios.defaults
  // The only one that an axios of that age has here.
  return typeof adapter === 'function' && name !== 'fetch' ? adapter : name
}

/** The adapter as a function, for those who wrap it. */
export function adapterAsFunction(wanted: Adapter): AxiosAdapter {
  const adapter = typeof wanted === 'string' ? adapterNamed(wanted as AdapterName) : wanted
  if (typeof adapter === 'function') return adapter
  if (axios.getAdapter) return axios.getAdapter(adapter)
  const bare = axios.create({ adapter })
  return ({ adapter: _wrapper, ...config }) =>
    // What is serialised already must not be serialised again.
    bare.request({ ...config, transformRequest: [], transformResponse: [] })
}

/** An adapter that sends nothing and is answered 401. */
export const refusing: AxiosAdapter = async (config) => {
  const response = { status: 401, statusText: '', data: '', headers: {}, config }
  throw new axios.AxiosError('Unauthorized', 'ERR_BAD_REQUEST', config, undefined, response)
}
