import type { Database } from './own-store.js'

/** A database for the tests: asynchronous, and one write at a time. */
export function createDatabase(): Database {
  const texts = new Map<string, string>()
  const watchers = new Set<{ key: string; listener: () => void }>()
  return {
    async get(key) {
      return texts.get(key) ?? null
    },
    async set(key, text, condition) {
      if (condition && condition.onlyIf !== (texts.get(key) ?? null)) return false
      if (text === null) texts.delete(key)
      else texts.set(key, text)
      for (const watcher of [...watchers]) if (watcher.key === key) queueMicrotask(watcher.listener)
      return true
    },
    async watch(key, listener) {
      const watcher = { key, listener }
      watchers.add(watcher)
      return () => void watchers.delete(watcher)
    },
  }
}
