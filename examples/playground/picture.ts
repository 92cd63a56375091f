// npm run picture: draws docs/timeline.svg, the picture of the README, from a real run: the burst of the demo, against
// its server on loopback. With --check it draws anew and compares with the file, all but the times.
import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { createAuthClient, refreshWithBody } from 'axios-auth-client'
import { installAuthClient } from '../demo/auth-client.js'
import { FEWEST, type Install, type RequestRecord, runBurst } from '../demo/burst.js'
import { watchClient, watchWire } from './observe.js'
import { drawTimeline } from './timeline/draw.js'
import type { Happening, TimelineEvent } from './timeline/events.js'
import { STYLE } from './timeline/look.js'
import { readScene } from './timeline/scene.js'

const FILE = fileURLToPath(new URL('../../docs/timeline.svg', import.meta.url))
const TAB = 'the only one'
const REQUESTS = 9
const WIDTH = 880

const LABEL =
  'Nine requests over time. Those that meet the expired token are refused with 401 and held, one refresh runs for all ' +
  'of them, then each is replayed with the new token and answered. One is aborted while it waits.'

const NOTES: Record<RequestRecord['role'], string> = {
  ordinary: '',
  late: 'late 401',
  aborted: '',
  foreign: 'other origin',
  during: 'made meanwhile',
}

// Thrown away: without it, the picture would show an engine that is still compiling.
await runBurst(FEWEST, installAuthClient)
const drawn = await drawPicture()
if (process.argv[2] === '--check') {
  const kept = await readFile(FILE, 'utf8').catch(() => '')
  const [old, now] = [kept, drawn].map((svg) => withoutTimes(svg).split('\n')) as [string[], string[]]
  const at = now.findIndex((line, index) => line !== old[index])
  if (at >= 0 || old.length !== now.length) {
    console.error('picture: docs/timeline.svg is not what is drawn today: run npm run picture')
    console.error(`- ${old[at]}\n+ ${now[at]}`)
    process.exitCode = 1
  }
} else await writeFile(FILE, drawn)

/** What is the same in every run: the rows, their bars and marks, in order. How long the axis is depends on the run. */
function withoutTimes(svg: string): string {
  return svg.replace(/<g class="axis">.*?<\/g>/, '').replace(/-?\d+(\.\d+)?( m?s\b)?/g, '#')
}

async function drawPicture(): Promise<string> {
  const events: TimelineEvent[] = []
  const note = (atMs: number, happening: Happening) => events.push({ tab: TAB, atMs, ...happening })
  const install: Install = (instance) => {
    const report = (happening: Happening) => note(performance.now(), happening)
    watchWire(instance, report)
    const auth = createAuthClient(instance, { refresh: refreshWithBody({ url: '/auth/refresh' }) })
    watchClient(auth, report)
    return {
      signIn: auth.signIn,
      isSignedIn: () => auth.getSnapshot().status === 'signed-in',
      release: () => auth.dispose(),
    }
  }
  const { requests } = await runBurst(REQUESTS, install)
  for (const { id, kind, role, madeAtMs, settledAtMs, outcome, error } of requests) {
    note(madeAtMs, { what: 'made', id, name: kind === 'GET' ? 'GET' : `POST ${kind}`, note: NOTES[role] })
    if (settledAtMs === undefined) continue
    if (outcome === 'answered') note(settledAtMs, { what: 'answered', id })
    else if (outcome === 'canceled') note(settledAtMs, { what: 'aborted', id })
    else note(settledAtMs, { what: 'failed', id, reason: error ?? outcome })
  }
  return `${drawTimeline(readScene(events, [TAB]), { width: WIDTH, label: LABEL, style: STYLE, isAlone: true })}\n`
}
