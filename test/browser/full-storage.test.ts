// What a browser's own quota does to a rotated refresh token: the storage is full to the last character when it comes.
import { expect, it } from 'vitest'
import { inEachBrowser } from './stage.js'

/** Runs in the page. */
const FILL = `(() => {
  let text = ''
  for (let size = 2 ** 23; size >= 1; size /= 2) {
    try {
      localStorage.setItem('rest', text + 'x'.repeat(size))
      text += 'x'.repeat(size)
    } catch {}
  }
})()`

inEachBrowser('a localStorage that is full', (setStage) => {
  it('G15: when tokens are rotated sends no used token after a reload', async (context) => {
    const { server, tabs, signIn, expire } = await setStage(context, { tabs: 2 })
    const [tab, other] = tabs
    // Without a lifetime: the record that is to replace this one has one, and is larger.
    await signIn('ada')
    await tab?.page.evaluate(FILL)
    expire()
    expect(await tab?.fire(20)).toMatchObject({ users: Array(20).fill('ada') })
    expect(await tab?.state()).toMatchObject({ status: 'signed-in', storeErrors: ['save'] })
    expect(JSON.parse(String(await tab?.page.evaluate(`localStorage.getItem('app')`)))).toMatchObject({
      version: 2,
      spent: true,
    })

    // It has an older access token, which was refused, and a refresh token that is spent.
    expect(await other?.fire(1)).toMatchObject({ codes: ['SESSION_EXPIRED'] })
    expect(await tab?.fire(5)).toMatchObject({ users: Array(5).fill('ada') })
    await tab?.restart()
    expect(await tab?.state()).toMatchObject({ status: 'signed-out' })
    expect(server.counts).toMatchObject({ refreshes: 1, reuses: 0 })
  })
})
