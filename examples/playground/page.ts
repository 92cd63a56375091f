// The page: connects the app, its observers, the other tabs and the controls, and draws whenever something happens.
import type { AuthStats } from 'axios-auth-client'
import { createApp } from './app.js'
import { drawCounters, drawLegend } from './panels.js'
import type { ServerState } from './server/backend.js'
import { joinTabs, type Message } from './tabs.js'
import { drawTimeline } from './timeline/draw.js'
import type { Happening, TimelineEvent } from './timeline/events.js'
import { STYLE } from './timeline/look.js'
import { createReel } from './timeline/reel.js'
import { readScene } from './timeline/scene.js'
import { tellStory } from './timeline/tell.js'

const USERS = ['Ada', 'Grace'] as const
const reel = createReel()
const others = new Map<string, { openedAtMs: number; stats: AuthStats }>()
const motion = matchMedia('(prefers-reduced-motion: reduce)')

let server = await ask('state')
const tabs = joinTabs(hear)
const app = createApp(tell, server.refreshTimeoutMs)
let nextId = 1

// ---- What happens ----------------------------------------------------------------------------------------------------

/** One clock for all tabs, that nobody can set back. */
function nowMs(): number {
  return performance.timeOrigin + performance.now()
}

function tell(happening: Happening): void {
  const event: TimelineEvent = { tab: tabs.me, atMs: nowMs(), ...happening }
  reel.record(event)
  tabs.post({ say: 'event', event, stats: app.auth.stats() })
  if (happening.what === 'refreshed' || reel.isOver()) void learn()
  redraw()
}

function hear(message: Message, from: string): void {
  switch (message.say) {
    case 'hello':
      introduce()
      break
    case 'here':
      // Those who were here first answer a newcomer, and hear of it by that.
      if (!others.has(from)) introduce()
      others.set(from, message)
      for (const event of message.events) if (!isKnown(event)) reel.record(event)
      break
    case 'event': {
      const other = others.get(from)
      if (other) other.stats = message.stats
      reel.record(message.event)
      break
    }
    case 'fire':
      fire(message.count)
      break
    case 'server':
      void learn()
      break
    case 'bye':
      others.delete(from)
      reel.forget(from)
      break
  }
  redraw()
}

function isKnown({ tab, atMs, what }: TimelineEvent): boolean {
  return reel.events.some((event) => event.tab === tab && event.atMs === atMs && event.what === what)
}

function introduce(): void {
  const events = reel.events.filter(({ tab }) => tab === tabs.me)
  tabs.post({ say: 'here', openedAtMs: tabs.openedAtMs, stats: app.auth.stats(), events })
}

// ---- The embedded server ---------------------------------------------------------------------------------------------

async function ask(what: 'state' | 'expire' | 'refresh', body?: string): Promise<ServerState> {
  const answer = await fetch(`/playground/${what}`, { method: 'POST', body })
  return answer.json()
}

async function learn(): Promise<void> {
  server = await ask('state')
  redraw()
}

async function change(what: 'expire' | 'refresh', body?: string): Promise<void> {
  server = await ask(what, body)
  tabs.post({ say: 'server' })
  redraw()
}

// ---- The controls ----------------------------------------------------------------------------------------------------

function element<T extends HTMLElement>(id: string): T {
  return document.getElementById(id) as T
}

const count = element<HTMLInputElement>('count')
const everywhere = element<HTMLInputElement>('everywhere')
const modes = [...document.querySelectorAll<HTMLInputElement>('input[name=mode]')]

function wanted(): number {
  return Math.min(40, Math.max(1, Math.round(Number(count.value)) || 1))
}

function fire(howMany: number): void {
  if (reel.isOver()) nextId = 1
  app.fire(howMany, nextId)
  nextId += howMany
}

function fireWanted(): void {
  if (everywhere.checked) tabs.post({ say: 'fire', count: wanted() })
  fire(wanted())
}

function subject(): string | undefined {
  const { status, subject = USERS[0] } = app.auth.getSnapshot()
  return status === 'signed-in' ? subject : undefined
}

async function signIn(user: string): Promise<void> {
  await app.signIn(user)
  await learn()
  tabs.post({ say: 'server' })
}

const otherUser = () => USERS.find((user) => user !== subject()) ?? USERS[0]

element('show').onclick = async () => {
  if (!subject()) await signIn(USERS[0])
  await change('expire')
  fireWanted()
}
element('expire').onclick = () => change('expire')
element('send').onclick = fireWanted
element('abort').onclick = app.abortOne
element('leave').onclick = () => (subject() ? app.signOut() : signIn(USERS[0]))
element('switch').onclick = () => signIn(subject() ? otherUser() : USERS[1])
for (const mode of modes) mode.onchange = () => change('refresh', mode.value)
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
  const names = Object.fromEntries(
    ids.map((id, index) => [id, `Tab ${index + 1}${id === tabs.me ? ' (this one)' : ''}`]),
  )
  const scene = readScene(reel.events, ids)
  const story = tellStory(scene)
  const isMoving = !scene.isOver && !motion.matches
  const plot = element('plot')
  if (scene.lanes.length > 0) {
    plot.innerHTML = drawTimeline(scene, {
      width: plot.clientWidth,
      label: story.join(' '),
      ...(isMoving && { nowMs: nowMs() }),
      ...(ids.length > 1 && { names }),
    })
  } else if (!plot.firstElementChild) {
    plot.innerHTML = '<p class="empty">Press the blue button, and the requests draw themselves here.</p>'
  }
  write('news', story.at(-1) ?? 'Nothing yet.')
  tellAll(story)

  const user = subject()
  write('who', user ? `Signed in as ${user}.` : 'Signed out.')
  write('leave', user ? 'Sign out' : `Sign in as ${USERS[0]}`)
  write('switch', user ? `Switch to ${otherUser()}` : `Sign in as ${USERS[1]}`)
  write('show-count', String(wanted()))
  write('tab-count', String(ids.length))
  write(
    'token',
    server.isExpired
      ? 'Expired at the server. The page does not know yet: a 401 will tell.'
      : 'Good. The server accepts it.',
  )
  for (const mode of modes) mode.checked = mode.value === server.refreshMode
  const stats = order.map(([id]) => (id === tabs.me ? app.auth.stats() : others.get(id)!.stats))
  drawCounters(
    ids.map((id) => names[id]!),
    stats,
  )
  const { refused, served, refreshes, reuses } = server.counts
  write(
    'server',
    `At the server, from all tabs: ${served} answered, ${refused} refused, ${refreshes} refresh calls, ${reuses} refresh tokens used twice.`,
  )
  if (isMoving) redraw()
}

/** Only what is new, so that a live region is read out once. */
function write(id: string, text: string): void {
  const target = element(id)
  if (target.textContent !== text) target.textContent = text
}

function tellAll(story: string[]): void {
  const list = element('story')
  while (list.children.length > story.length) list.lastElementChild?.remove()
  story.forEach((sentence, index) => {
    const item = list.children[index] ?? list.appendChild(document.createElement('li'))
    if (item.textContent !== sentence) item.textContent = sentence
  })
}

// ---- The start -------------------------------------------------------------------------------------------------------

document.head.append(Object.assign(document.createElement('style'), { textContent: STYLE }))
drawLegend()
new ResizeObserver(redraw).observe(element('plot'))
app.auth.subscribe(redraw)
tabs.post({ say: 'hello' })
introduce()
await app.auth.ready
// Whoever opens the page wants to see requests, and not a login form.
if (!subject()) await signIn(USERS[0])
redraw()
