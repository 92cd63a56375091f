// When the embedded server answers: slowly enough for people to see it, differently for each request, and the same
// each time.
import { setTimeout as delay } from 'node:timers/promises'
import type { RefreshMode } from './state.js'

/** Each resolves when the answer, which has been decided on arrival, may go out. */
export interface Pace {
  beforeAnswer(path: string, id: number, status: number): Promise<unknown>
  beforeRefreshAnswer(mode: RefreshMode): Promise<unknown>
}

/** One of many requests asks for something that takes its time: its 401 comes when the refresh is over. */
export const SLOW_PATH = '/api/report'

const REFRESH_MS: Record<RefreshMode, number> = {
  ...{ granted: 1500, slow: 4500, refused: 1500, unavailable: 700, hang: 0 },
}

export const humanPace: Pace = {
  beforeAnswer(path, id, status) {
    const spread = (id * 29) % 50
    if (path === SLOW_PATH) return delay(status === 401 ? 2400 : 700)
    return delay(status === 401 ? 200 + 7 * spread : 400 + 9 * spread)
  },
  beforeRefreshAnswer: (mode) => delay(REFRESH_MS[mode]),
}
