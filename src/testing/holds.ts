// Owns the answers that are delayed until the test releases them. Knows no tokens: an entry is whatever the server logs.
// Promise: `waiting` ends by its bound with a sentence that says what to do, and nothing stays delayed after `endAll`.
import { createWatch } from './real-time.js'

/** Answers that the server keeps back until the test says so: see `backend.hold` and `backend.refresh.hold`. */
export interface Hold {
  /** How many answers are held now. */
  readonly held: number
  /**
   * Resolves once `count` answers (default 1) are held at the same time.
   * @throws {Error} after `timeoutMs` real milliseconds (default 3000), saying how many came.
   */
  waiting(count?: number, options?: { timeoutMs?: number | undefined }): Promise<void>
  /**
   * Sends every held answer, and holds none from now on.
   * @throws {Error} when nothing is held: await `waiting()` first.
   */
  release(): void
}

const TIMEOUT_MS = 3000

export function createHolds<Entry>() {
  const holds = new Set<{ pass(entry: Entry): Promise<void> | undefined; end(): void }>()
  return {
    /** @param what names in errors what is held, such as `refresh` */
    add(what: string, matches: (entry: Entry) => boolean): Hold {
      const watch = createWatch()
      let held = 0
      let end = () => {}
      const ended = new Promise<void>((resolve) => {
        end = resolve
      })
      const hold = {
        pass(entry: Entry) {
          if (!matches(entry)) return undefined
          held++
          watch.changed()
          return ended
        },
        end() {
          holds.delete(hold)
          held = 0
          end()
        },
      }
      holds.add(hold)
      return {
        get held() {
          return held
        },
        waiting: (count = 1, { timeoutMs = TIMEOUT_MS } = {}) =>
          watch.until(
            () => held >= count,
            timeoutMs,
            () =>
              `hold.waiting(${count}): after ${timeoutMs} ms ${held} of ${count} ${what} answers are held. ` +
              (holds.has(hold)
                ? 'Is the request made before this line, and without `await`?'
                : 'This hold is over: take a new one.'),
          ),
        release() {
          if (!held) {
            throw new Error(
              holds.has(hold)
                ? `hold.release(): no ${what} answer is held yet. First: await hold.waiting()`
                : 'hold.release(): this hold is over. Take a new one for the next answers.',
            )
          }
          hold.end()
        },
      }
    },
    /** Resolves when every hold that wants this answer has released it. */
    async pass(entry: Entry): Promise<void> {
      await Promise.all([...holds].map((hold) => hold.pass(entry)))
    },
    endAll() {
      for (const hold of [...holds]) hold.end()
    },
  }
}
