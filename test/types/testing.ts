// The same for the testing kit. A file of its own: the versions matrix compiles surface.ts as CommonJS too, and msw's types
// cannot be read there.
import type { AuthServerOptions } from 'axios-auth-client/testing'
import type { Equal, Refusing } from './surface.js'

export const isExact: Equal<Refusing<AuthServerOptions>, never> = true
