// The failure this exists to catch: a name, a comment or a test title in words that only this project uses (a dead token,
// a healed request, a mutant told by a story), which every reader has to learn before the sentence says anything.
//
// It reads the names of all files and what is in them, code and prose alike, and refuses the words below in any
// inflection, in identifiers too: `tokensSeenDead` is read as "tokens Seen Dead". A phrase in which such a word is the
// usual one of the field goes into ALLOWED, with the reason. What it cannot see: sentences in an unusual order, and plain
// words in a private sense. Reviews look there.
//
// Usage: node scripts/check-words.mjs [--self-test]
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** What to look for, after identifiers were split into words, and what to write instead. */
const WORDS = [
  [/\bstor(?:y|ies)\b/, 'scenario, test'],
  [/\bstairs?\b/, 'layers'],
  [/\b(?:tells?|told|telling)\b/, 'show, report, notify, call, pass; for a mutant: kill'],
  [/\bflights?\b/, 'refresh, run, request'],
  [/\bvault\b/, 'guarded store'],
  [/\bverdicts?\b/, 'failure, result, outcome'],
  [/\b(?:un)?heal(?:s|ed|ing)?\b/, 'refresh and replay, recover'],
  [/\b(?:fruitless|futile)\b/, 'excessive (refresh)'],
  [/\btickets?\b/, 'request handle'],
  [/\bpatience\b/, 'time limit'],
  [/\bdespair(?:s|ed)?\b/, 'give up'],
  [/\bfreshen(?:s|ed)?\b/, 'ensure fresh'],
  [/\bspellings of\b/, 'encodings of'],
  [/\bjudg(?:es?|ed|ing)\b/, 'classify, check, decide'],
  [/\beditions?\b/, 'generation, release'],
  [/\bdead\b/, 'expired, rejected, closed'],
  [/\bplaced\b/, 'attached, stored'],
  [/\b(?:over)?hear(?:s|d|ing)?\b/, 'be notified of, learn of'],
  [/\b(?:lets?|letting)(?: \w+)? go\b/, 'release'],
  [/\bheld (?:requests?|back|before|after|until|for an?)\b/, 'waiting'],
  [/\brequests?(?: that)?(?: is| are| was| were)? held\b|\bwhile(?: it is)? held\b/, 'waiting'],
  [/\bwho was replaced\b|\bled on by\b/, 'say what happened, in the usual order'],
  [/\bhomeless\b/, 'without an owner, without an origin'],
  [/\b(?:an?|his|its|their|the|own|has|had|have) share\b/, 'refresh, started refresh'],
  [/\bnote (?:refused|served)\b/, 'token rejected, token accepted'],
  // Only as names: in prose these words say what they mean.
  [/\b(?:putOn|takeOff|raiseFlag|inTheDark)\b/, 'attach, detach, announceCommit, abandoned', 'names'],
  [/\b(?:type|interface|class) Login\b|[:<|] ?Login\b(?! )/, 'SessionState, session', 'names'],
]

/** Where such a word is the usual one. */
const ALLOWED = [
  // The field's term for one shared call; the name of the tests about it, and of a keyword of the package.
  /\bsingle[- ]flight\b/,
  // The field's term for a request that was sent and not answered yet.
  /\bin[- ]?flight\b/,
  // A figure on the dashboard of examples/vue-app, and not a handle on a request.
  /'Tickets'/,
]

/** Written by other programs, or not by us; and this file, which has to name the words. */
const NOT_OURS = /(?:^|\/)package-lock\.json$|^LICENSE$|\.(?:svg|png|ico)$|^scripts\/check-words\.mjs$/

/** `tokensSeenDead`, `tokens-seen-dead` and `TOKENS_SEEN_DEAD` as words. */
function wordsOf(text) {
  return text
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1 $2')
    .replace(/_/g, ' ')
}

/** The private words of a text, each with what to write instead. */
export function findPrivate(text) {
  const withoutAllowed = (whole) =>
    ALLOWED.reduce((rest, phrase) => rest.replace(new RegExp(phrase, 'gi'), ''), whole)
  const plain = withoutAllowed(wordsOf(text))
  return WORDS.flatMap(([word, instead, where]) => {
    const found = where === 'names' ? word.exec(text) : new RegExp(word, 'i').exec(plain)
    return found ? [{ word: found[0].trim(), instead }] : []
  })
}

/** One line per private word. @param {string} file @param {string} text */
export function findFaults(file, text) {
  const fault =
    (at) =>
    ({ word, instead }) =>
      `${at}: "${word}": ${instead}`
  return [
    ...findPrivate(file.replace(/[/.-]/g, ' ')).map(fault(`${file} (its name)`)),
    ...text.split('\n').flatMap((line, index) => findPrivate(line).map(fault(`${file}:${index + 1}`))),
  ]
}

function selfTest() {
  const found = [
    '  const tokensSeenDead = new Map()',
    "it('heals a 401 that comes late', async () => {",
    'const PATIENCE_MS = 4000',
    '// A mutant that no story tells from the original.',
    'const verdicts = judgeAll(flights)',
    'a request aborted while held is let go of',
    "'G8: two fruitless refreshes stop nothing'",
    'The token is placed on the request, and everybody hears of it.',
    'function showLogin(login: Login) {',
    'export const takeOff = () => {}',
    'login.edition++',
    'hadItsShare',
    'step "stairs"',
  ]
  const fine = [
    "import { createWebHistory } from 'vue-router'",
    'test/guarantees/single-flight.test.ts, singleFlight, a single flight',
    'a refresh in flight, inFlight, refreshInFlight, preflights',
    "auth.on('held', listener); auth.stats().heldNow",
    'const held = server.holdRefresh()',
    'the login page, LoginPage, a login answer, interface LoginAnswer',
    'the deadline, a deadlock, replaced, placement, the placeholder',
    'tabs share one refresh; shareRefreshes; a shared worker',
    'the theatre of the history; category; health; a judicious word',
    'takes off what it attached',
  ]
  const failures = [
    ...found.filter((text) => findPrivate(text).length === 0).map((text) => `not found: ${text}`),
    ...fine.flatMap((text) => findPrivate(text).map(({ word }) => `"${word}" found in: ${text}`)),
    ...(findFaults('test/dead-tabs.test.ts', '').length === 1 ? [] : ['not found: the name of a file']),
  ]
  return { failures, cases: found.length + fine.length + 1 }
}

function main(args) {
  if (args.includes('--self-test')) {
    const { failures, cases } = selfTest()
    for (const failure of failures) console.error(`check-words: ${failure}`)
    console.log(`check-words: self-test, ${cases - failures.length} of ${cases} cases as expected`)
    return failures.length === 0
  }
  const root = fileURLToPath(new URL('..', import.meta.url))
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  })
  const files = [...new Set(listed.split('\0'))].filter((file) => file !== '' && !NOT_OURS.test(file))
  const faults = files.flatMap((file) => findFaults(file, readIfThere(`${root}/${file}`) ?? ''))
  for (const fault of faults) console.error(fault)
  console.log(`check-words: ${files.length} files, ${faults.length} faults`)
  return faults.length === 0
}

/** Undefined for one that was removed and not staged yet. */
function readIfThere(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (error.code === 'ENOENT') return undefined
    throw error
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = main(process.argv.slice(2)) ? 0 : 1
