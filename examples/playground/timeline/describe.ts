// Describes a scene in sentences, for those who do not see the drawing or do not know yet what it means. Pure.
import { formatDuration } from './draw.js'
import type { Refresh, Row, Scene } from './scene.js'

/** What has happened so far, one sentence or two for each turn. The last one is the news. */
export function describeScene(scene: Scene): string[] {
  const rows = scene.lanes.flatMap((lane) => lane.rows)
  // The one that asks the server first, then those that take over what it got.
  const refreshes = scene.lanes
    .flatMap((lane) => lane.refreshes)
    .sort((a, b) => Number(a.attempts.length === 0) - Number(b.attempts.length === 0))
  if (rows.length === 0) return []
  const from = scene.lanes.length > 1 ? ` from ${scene.lanes.length} tabs` : ''
  return [
    `${count(rows, 'request')}${from}, at once.`,
    ...describeRefusals(rows, refreshes),
    ...refreshes.flatMap((refresh) => describeRefresh(refresh, rows)),
    ...describeInterruptions(scene, rows),
    ...(scene.isOver ? [describeEnd(rows, refreshes)] : []),
  ]
}

function describeRefusals(rows: Row[], refreshes: Refresh[]): string[] {
  const refused = rows.filter(({ marks }) => marks.some(({ mark }) => mark === 'refused'))
  // Mentioned once a refresh has started: the number still grows meanwhile.
  if (refused.length === 0 || refreshes.length === 0) return []
  return ['The server answers 401: the access token is no longer good.']
}

function describeRefresh(refresh: Refresh, rows: Row[]): string[] {
  const { outcome, attempts, fromMs, toMs, reason } = refresh
  if (outcome === 'adopted') return ['The other tab took the new token over, without a refresh of its own.']
  if (attempts.length === 0) return []
  const started = 'One refresh asks for a new token. Everybody else waits for it.'
  if (toMs === undefined || outcome === 'running') return [started]
  if (outcome === 'dropped') return [started]
  if (outcome === 'failed') return [started, describeFailure(reason, attempts.length)]
  const late = rows.filter(({ marks }) => marks.some(({ mark, atMs }) => mark === 'refused' && atMs > toMs))
  return [
    started,
    `The new token is there after ${formatDuration(toMs - fromMs)}: each request that waited is sent again, with it.`,
    ...(late.length
      ? ['A 401 about the old token came late. That request is sent again too, without another refresh.']
      : []),
  ]
}

function describeFailure(reason: string, attempts: number): string {
  switch (reason) {
    case 'SESSION_EXPIRED':
      return 'The refresh is refused: the session is over. Every waiting request rejects, and an app shows its login page.'
    case 'REFRESH_TIMEOUT':
      return 'The refresh never answers, so the client gives up on it. Nobody waits for ever, and you are still signed in.'
    default:
      return `The refresh fails, after ${attempts} attempts. You are still signed in: try again in a moment.`
  }
}

function describeInterruptions(scene: Scene, rows: Row[]): string[] {
  const aborted = rows.filter(({ outcome }) => outcome === 'aborted')
  const reasons = new Set(scene.lanes.flatMap(({ ends }) => ends.map(({ reason }) => reason)))
  return [
    ...(aborted.length
      ? [`${count(aborted, 'request')} aborted: its caller gets the error at once, the others do not notice.`]
      : []),
    ...(reasons.has('signed-out')
      ? ['Signed out in the middle of it: waiting requests reject at once, and the new token is not kept.']
      : []),
    ...(reasons.has('replaced')
      ? ['Somebody else signed in: no request of the first user is sent in the name of the second.']
      : []),
  ]
}

function describeEnd(rows: Row[], refreshes: Refresh[]): string {
  const ending = (outcome: Row['outcome'], words: string) => {
    const { length } = rows.filter((row) => row.outcome === outcome)
    return length ? [`${length === rows.length ? 'all ' : ''}${length} ${words}`] : []
  }
  const asked = refreshes.filter(({ attempts }) => attempts.length > 0)
  const times = ['no refresh', 'one refresh'][asked.length] ?? `${asked.length} refreshes`
  const ends = [
    ...ending('answered', 'answered'),
    ...ending('aborted', 'aborted'),
    ...ending('failed', 'failed'),
  ]
  const isIdle = asked.length === 0 && rows.every(({ outcome }) => outcome === 'answered')
  return `Done: ${times}, ${ends.join(', ')}.${isIdle ? ' The token is still good: expire it first.' : ''}`
}

function count(things: unknown[], word: string): string {
  return `${things.length} ${word}${things.length === 1 ? '' : 's'}`
}
