// Owns the cookies that a browser would keep: Node's adapter has none.
// Promise: what an answer sets is in the jar when its caller gets it, and when nobody waits for it any more, as well.

import type { AxiosInstance, AxiosResponse } from 'axios'
import { adapterAsFunction } from './adapters.js'

/** Sends the cookies of the jar with every request of the instance, the CSRF header too, and keeps what answers set. */
export function giveCookies(api: AxiosInstance): Map<string, string> {
  const jar = new Map<string, string>()
  const http = adapterAsFunction('http')

  function keep(response: AxiosResponse | undefined): void {
    for (const cookie of (response?.headers['set-cookie'] as string[] | undefined) ?? []) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? []
      if (/max-age=0/i.test(cookie)) jar.delete(name)
      else jar.set(name, value)
    }
  }

  api.defaults.adapter = async (config) => {
    config.headers.Cookie = [...jar].map((pair) => pair.join('=')).join('; ')
    config.headers['X-CSRF-Token'] = jar.get('csrf_refresh') ?? ''
    try {
      const response = await http(config)
      keep(response)
      return response
    } catch (error) {
      keep((error as { response?: AxiosResponse }).response)
      throw error
    }
  }
  return jar
}
