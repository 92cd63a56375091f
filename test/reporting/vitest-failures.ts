// Ends a run that failed with the list of what failed. For `reporters` in vitest's config, as the last one.
import type { Reporter, SerializedError, TestModule, Vitest } from 'vitest/node'
import { drawFailures } from './failures.js'

export default class FailuresReporter implements Reporter {
  #vitest: Vitest | undefined

  onInit(vitest: Vitest): void {
    this.#vitest = vitest
  }

  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const list = drawFailures(modules, unhandled, this.#vitest?.config.root ?? '')
    if (list) this.#vitest?.logger.error(list)
  }
}
