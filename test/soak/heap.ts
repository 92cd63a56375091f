// Owns the look at this process: what is left when all garbage is gone.
import { setImmediate } from 'node:timers/promises'

/** Live heap in bytes, after what can be collected was. */
export async function liveHeap(): Promise<number> {
  const { gc } = globalThis as { gc?: () => void }
  if (!gc) throw new Error('Run this with --expose-gc, as `npm run test:soak` does.')
  // What was finalised by one collection frees more at the next.
  for (let i = 0; i < 4; i++) {
    gc()
    await setImmediate()
  }
  return process.memoryUsage().heapUsed
}

export const megabytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(2)} MB`
