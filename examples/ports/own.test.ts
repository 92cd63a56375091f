import { describePlacement, describeTokenStore } from 'axios-auth-client/testing'
import { describe, it } from 'vitest'
import { createDatabase } from './memory-database.js'
import { signature } from './own-placement.js'
import { databaseStore } from './own-store.js'

const runner = { describe, it }

describeTokenStore(
  'databaseStore',
  () => {
    const database = createDatabase()
    return () => databaseStore(database, 'session')
  },
  // It heeds `replaces`.
  { replaces: true, runner },
)

const hmac = { name: 'HMAC', hash: 'SHA-256' } as const
describePlacement(
  'signature',
  async () => signature(await crypto.subtle.importKey('raw', new Uint8Array(32), hmac, false, ['sign'])),
  { runner },
)
