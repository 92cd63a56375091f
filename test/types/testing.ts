// The same for the testing kit. A file of its own: the versions matrix compiles surface.ts as CommonJS too, and msw's types
// cannot be read there.
import { memoryStore } from 'axios-auth-client'
import {
  type AuthServerOptions,
  type DescribeTokenStoreOptions,
  describeTokenStore,
} from 'axios-auth-client/testing'
import type { Equal, Refusing } from './surface.js'

export const isExact: Equal<Refusing<AuthServerOptions | DescribeTokenStoreOptions>, never> = true

export function suites(runner: DescribeTokenStoreOptions['runner']): void {
  const store = memoryStore()
  describeTokenStore('mine', () => () => store)
  describeTokenStore('mine', () => () => store, { replaces: true, unguarded: false, runner })
}
