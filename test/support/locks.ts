// Owns the part of the Web Locks API that tabs use, for tests of several tabs in one process: exclusive locks, first
// come first served, a signal while waiting, and a look at who holds what. Each turn counts as another tab's.

type Work = () => Promise<unknown>

export interface FakeLocks {
  request(name: string, ...rest: [{ signal: AbortSignal }, Work] | [Work]): Promise<void>
  query(): Promise<{ held: { name: string; clientId: string }[] }>
}

export function createFakeLocks(): FakeLocks {
  const queues = new Map<string, Promise<void>>()
  const holders = new Map<string, string>()
  let turns = 0
  return {
    async request(name, ...rest) {
      const [{ signal }, work] =
        rest.length === 2 ? rest : [{ signal: new AbortController().signal }, rest[0]]
      const before = queues.get(name) ?? Promise.resolve()
      let release = (): void => {}
      const mine = new Promise<void>((resolve) => {
        release = resolve
      })
      queues.set(
        name,
        before.then(() => mine),
      )
      try {
        await Promise.race([
          before,
          new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
        ])
        signal.throwIfAborted()
        holders.set(name, `tab ${++turns}`)
        await work()
        holders.delete(name)
      } finally {
        release()
      }
    },
    query: async () => ({ held: [...holders].map(([name, clientId]) => ({ name, clientId })) }),
  }
}
