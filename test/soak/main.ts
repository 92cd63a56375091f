// The failure this exists to catch: what no short test shows, because it takes a hundred thousand requests to be seen. A
// request in a million that hangs, a refresh token that is sent twice when the network fails, a listener that stays.
//
// Usage: npm run test:soak. SOAK_SECONDS (default 300) is how long the sustained part runs. Exit code 1: a fact is broken.
import { startBackend } from './backend-process.js'
import { burst } from './burst.js'
import { createFindings } from './findings.js'
import { holdMany } from './held.js'
import { soak } from './sustained.js'

const findings = createFindings()
const backend = await startBackend()
try {
  await soak(backend, Number(process.env.SOAK_SECONDS ?? 300), findings)
  await burst(backend, findings)
  await holdMany(findings)
} finally {
  findings.end()
  await backend.stop()
}
