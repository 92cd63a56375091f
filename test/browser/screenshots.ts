// Pictures of what the tests show, for people to look at: `SCREENSHOTS=folder npm run test:browser -- vue-app playground`.
import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'

const { SCREENSHOTS: folder } = process.env

/** Takes a picture of the whole page, if somebody wants to see it. */
export async function shoot(
  page: { screenshot(options: { path: `${string}.png`; fullPage: boolean }): Promise<unknown> },
  name: string,
): Promise<void> {
  if (!folder) return
  await mkdir(folder, { recursive: true })
  await page.screenshot({ path: `${join(resolve(folder), name)}.png`, fullPage: true })
}
