// The library and the axios of a page, in each version of axios that a test asks for: both as freshly loaded, so that
// the library too runs on that axios and not on the newest.

import type { AxiosAdapter, AxiosRequestConfig } from 'axios'
import { vi } from 'vitest'
import type { AxiosLike } from '../../src/index.js'

export type Library = typeof import('../../src/index.js')

/** What the tests use of an axios, of whatever version. */
export interface AnyAxios extends AxiosLike {
  VERSION: string
  AxiosError: new (...parts: never[]) => Error
  Axios: new (config: object) => AxiosLike
  create(config: AxiosRequestConfig): AxiosLike
  getAdapter?: unknown
}

export interface Release {
  version: string
  axios: AnyAxios
  library: Library
}

const SOURCES = {
  '0.27.2': () => import('axios-0.27'),
  '1.2.6': () => import('axios-1.2'),
  '1.21.1': () => vi.importActual('axios'),
}

export type Version = keyof typeof SOURCES

export async function loadRelease(version: Version): Promise<Release> {
  vi.resetModules()
  vi.doMock('axios', SOURCES[version])
  try {
    const { default: axios } = await import('axios')
    const library = await import('../../src/index.js')
    return { version, axios: axios as unknown as AnyAxios, library }
  } finally {
    vi.doUnmock('axios')
    vi.resetModules()
  }
}

/** A function adapter as a user of that version would wrap it. */
export function ownAdapter({ axios }: Release): AxiosAdapter {
  const bare = axios.create({})
  return (config) => {
    // Without its own adapter, which is this one. What is serialised already must not be serialised again.
    const { adapter: _self, ...rest } = config
    return bare.request({ ...rest, transformRequest: [], transformResponse: [] })
  }
}
