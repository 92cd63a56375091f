// The page: connects the app, its observers, the other tabs and the controls, and draws whenever something happens.
import type { AuthStats } from 'axios-auth-client'
import { createApp } from './app.js'
import { drawCounters, drawLegend, element, write, writeList } from './panels.js'
import { type ServerState, STATE_EVENT } from './server/state.js'
import { joinTabs, type Message } from './tabs.js'
import { describeScene } from './timeline/describe.js'
import { drawTimeline } from './timeline/draw.js'
import type { Happening, TimelineEvent } from './timeline/events.js'
import { STYLE } from './timeline/look.js'
import { createReel } from './timeline/reel.js'
import { readScene } from './timeline/scene.js'

const USERS = ['Ada', 'Grace'] as const
const MOST = 40
/** Bars grow slowly: more pictures a second would be work for nothing. */
const FRAME_MS = 40

const reel = createReel()
const others = new Map<string, { openedAtMs: number; stats: AuthStats }>()
const stillness = matchMedia('(prefers-reduced-motion: reduce)')

let server = await askServer('state')
const tabs = joinTabs(receive)
const app = createApp(report, server.refreshTimeoutMs)
let nextId = 1

// ---- What happens ----------------------------------------------------------------------------------------------------

/** One clock for all tabs, that nobody can set back. */
function nowMs(): number {
  return performance.timeOrigin + performance.now()
}

function report(happening: Happening): void {
  const event: TimelineEvent = { tab: tabs.me, atMs: nowMs(), ...happening }
  reel.record(event)
  tabs.post({ say: 'event', event, stats: app.auth.stats() })
  redraw()
}

function receive(message: Message, from: string): void {
  switch (message.say) {
    case 'hello':
      introduce()
      break
    case 'here':
      others.set(from, message)
      reel.replace(from, message.events)
      break
    case 'event': {
      const { event, stats } = message
      others.set(from, { openedAtMs: others.get(from)?.openedAtMs ?? Infinity, stats })
      reel.record(event)
      break
    }
    case 'fire':
      fire(message.count)
      break
    case 'bye':
      others.delete(from)
      reel.replace(from, [])
      break
  }
  redraw()
}

/** The page changes what the embedded server does, and looks at it. */
async function askServer(what: 'state' | 'expire' | 'refresh', body?: string): Promise<ServerState> {
  const answer = await fetch(`/playground/${what}`, { method: 'POST', body })
  return answer.json()
}

import.meta.hot?.on(STATE_EVENT, (state: ServerState) => {
  server = state
  redraw()
})

// ---- The controls ----------------------------------------------------------------------------------------------------

const plot = element('plot')
const count = element<HTMLInputElement>('count')
const everywhere = element<HTMLInputElement>('everywhere')
const modes = [...document.querySelectorAll<HTMLInputElement>('input[name=mode]')]

function wanted(): number {
  return Math.min(MOST, Math.max(1, Math.round(Number(count.value)) || 1))
}

function fire(howMany: number): void {
  if (reel.isOver()) nextId = 1
  app.fire(howMany, nextId)
  nextId += howMany
}

function fireWanted(): void {
  if (everywhere.checked) tabs.post({ say: 'fire', count: wanted() })
  fire(wanted())
  plot.scrollIntoView({ block: 'nearest' })
}

function userNow(): string | undefined {
  const { status, subject } = app.auth.getSnapshot()
  return status === 'signed-in' ? subject : undefined
}

/** Who may sign in: whoever is not. */
function userNext(): string {
  return USERS.find((user) => user !== userNow()) ?? USERS[0]
}

element('show').onclick = async () => {
  if (!userNow()) await app.signIn(USERS[0])
  await askServer('expire')
  fireWanted()
}
element('expire').onclick = () => askServer('expire')
element('send').onclick = fireWanted
element('abort').onclick = app.abortOne
element('leave').onclick = () => userNow() && app.signOut()
element('switch').onclick = () => app.signIn(userNext())
for (const mode of modes) mode.onchange = () => askServer('refresh', mode.value)
count.oninput = redraw

// ---- What one sees ---------------------------------------------------------------------------------------------------

let isDue = false

/** Soon, and once, however much happens at once. */
function redraw(): void {
  if (isDue) return
  isDue = true
  requestAnimationFrame(() => {
    isDue = false
    draw()
  })
}

function draw(): void {
  const order = [[tabs.me, tabs] as const, ...others].sort(([, a], [, b]) => a.openedAtMs - b.openedAtMs)
  const ids = order.map(([id]) => id)
  const nameOf = (id: string, index: number) => `Tab ${index + 1}${id === tabs.me ? ' (this one)' : ''}`
  const names = Object.fromEntries(ids.map((id, index) => [id, nameOf(id, index)]))
  const scene = readScene(reel.events, ids)
  const sentences = describeScene(scene)
  // Otherwise bars grow while nothing happens; who does not want that sees each change when it comes.
  const isMoving = !scene.isOver && !stillness.matches
  plot.innerHTML = scene.lanes.length
    ? drawTimeline(scene, {
        width: plot.clientWidth,
        label: sentences.join(' '),
        nowMs: isMoving ? nowMs() : undefined,
        names: ids.length > 1 ? names : undefined,
      })
    : '<p class="empty">Press the blue button, and the requests draw themselves here.</p>'
  write('news', sentences.at(-1) ?? 'Nothing has happened yet.')
  writeList('sentences', sentences)

  const user = userNow()
  write('who', user ? `Signed in as ${user}` : 'Signed out')
  // Not `disabled`: that would take the focus away from whoever has just pressed it.
  element('leave').ariaDisabled = String(!user)
  write('switch', user ? `Switch to ${userNext()}` : `Sign in as ${userNext()}`)
  write('show', `Expire the token, send ${wanted()} requests`)
  write('tabs', `from every open tab (${ids.length})`)
  write('token', server.isExpired ? 'Expired: the server answers 401 to it.' : 'Good.')
  for (const mode of modes) mode.checked = mode.value === server.refreshMode
  drawCounters(
    order.map(([id], index) => [
      nameOf(id, index),
      id === tabs.me ? app.auth.stats() : others.get(id)!.stats,
    ]),
  )
  const { refused, served, refreshes, reuses } = server.counts
  write(
    'server',
    `At the server, from all tabs: ${served} answered, ${refused} refused, refreshes: ${refreshes}, refresh tokens used twice: ${reuses}.`,
  )
  if (isMoving) setTimeout(redraw, FRAME_MS)
}

// ---- The start -------------------------------------------------------------------------------------------------------

document.head.append(Object.assign(document.createElement('style'), { textContent: STYLE }))
drawLegend()
new ResizeObserver(redraw).observe(plot)
app.auth.subscribe(redraw)
tabs.post({ say: 'hello' })
introduce()
await app.auth.ready
// Whoever opens the page wants to see requests, and not a login form.
if (!userNow()) await app.signIn(USERS[0])
redraw()

function introduce(): void {
  const events = reel.events.filter(({ tab }) => tab === tabs.me)
  tabs.post({ say: 'here', openedAtMs: tabs.openedAtMs, stats: app.auth.stats(), events })
}
