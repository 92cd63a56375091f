// The equivalent mutants: those that make no difference to a user, each with the reason why.
// Not for what is only hard to test. scripts/test-mutation.mjs compares this list with what survives.

const STRING = '"Stryker was here!"'
const LIST = '["Stryker was here"]'
const NARROWS = 'for the compiler: it is there whenever this line is reached'
const ONLY_SLOWER = 'the longer way comes to the same'
const NOTHING = 'a function that returns nothing returns undefined'
const SAME_PLACE = 'what could lead away is refused before, and at home every path is'
const WORDS = 'words for people'
const ANOTHER_TEXT = 'no token, header or field is that text'

const of = (file, ...entries) => entries.map((entry) => ({ file, ...entry }))

/** @type {readonly import('./report.mjs').Harmless[]} */
export const HARMLESS = [
  ...of(
    'src/session/failure.ts',
    { in: '(isSaid || isOurs)', was: 'cause?.message', becomes: 'cause.message', why: NARROWS },
    { was: 'waitMs > 0', becomes: 'waitMs >= 0', why: 'nothing is 0 either way' },
  ),
  ...of('src/session/refresh.ts', {
    was: 'nowMs() + delayMs < deadlineMs',
    becomes: 'nowMs() + delayMs <= deadlineMs',
    why: 'an attempt at the very end of its time has none',
  }),
  ...of('src/session/guarded-store.ts', {
    in: 'let slow = false',
    was: 'false',
    becomes: 'true',
    why: 'the first look, at creation, sets it',
  }),
  ...of(
    'src/stores/web-lock.ts',
    { in: 'held ?? []', was: '[]', becomes: LIST, why: 'a text has no name, so it is no lock' },
    { in: 'return []', was: '[]', becomes: LIST, why: 'a text has no name, so it is no lock' },
  ),
  ...of('src/stores/web.ts', {
    was: '{ return undefined }',
    becomes: '{}',
    why: NOTHING,
  }),
  ...of(
    'src/placements/header.ts',
    { in: "let value = ''", was: "''", becomes: STRING, why: 'the first token writes it' },
    {
      was: 'accessToken !== last',
      becomes: 'true',
      why: 'the same text, made once more: it only costs memory',
    },
  ),
  ...of('src/placements/token-from-header.ts', {
    was: "''",
    becomes: STRING,
    why: 'a text with blanks is no token either',
  }),
  ...of(
    'src/strategies/cookie.ts',
    { in: "xsrfCookieName: ''", was: "''", becomes: STRING, why: 'no cookie has that name' },
    { in: "typeof document === 'undefined'", was: "''", becomes: STRING, why: 'no cookie is that text' },
  ),
  ...of(
    'src/client.ts',
    { in: 'hold(promise, { signal }', was: 'signal?.reason', becomes: 'signal.reason', why: NARROWS },
    {
      in: 'release()',
      was: 'bindings.get(target)?.release',
      becomes: 'bindings.get(target).release',
      why: NARROWS,
    },
    {
      in: "header = 'Authorization'",
      was: "'Authorization'",
      becomes: '""',
      why: 'it is looked for anyway, and no header has an empty name',
    },
  ),
  ...of(
    'src/errors.ts',
    {
      in: 'Symbol.for',
      was: "'axios-auth-client.error'",
      becomes: '""',
      why: 'a registered symbol is the same in every copy, whatever its name',
    },
    { in: 'BRAND', was: '{ value: true }', becomes: '{}', why: 'that it is there is what counts' },
    { in: 'BRAND', was: 'true', becomes: 'false', why: 'that it is there is what counts' },
  ),
  ...of('src/events.ts', {
    in: 'console.error',
    was: "'axios-auth-client: a listener or hook threw'",
    becomes: '""',
    why: WORDS,
  }),
  ...of('src/wait.ts', {
    was: '!signal && !cancelToken',
    becomes: 'false',
    why: 'only takes memory: nobody can give up',
  }),
  ...of(
    'src/headers.ts',
    { in: 'return false', was: '!headers', becomes: 'false', why: NARROWS },
    { in: 'if (!headers) return false', was: 'false', becomes: 'true', why: NARROWS },
    { was: 'Object.prototype.hasOwnProperty.call(headers, name)', becomes: 'false', why: ONLY_SLOWER },
    { was: 'key.length === name.length', becomes: 'true', why: ONLY_SLOWER },
  ),
  ...of('src/options.ts', { in: 'const MS', was: "'milliseconds, 0 or more'", becomes: '""', why: WORDS }),
  ...of(
    'src/tokens.ts',
    { in: 'return []', was: '[]', becomes: LIST, why: ANOTHER_TEXT },
    {
      was: "new URLSearchParams([['', token]]).toString().slice(1)",
      becomes: "new URLSearchParams([['', token]]).toString()",
      why: 'in a form it stands behind the sign that is cut off',
    },
  ),
  ...of('src/lifetime.ts', { was: '{ return undefined }', becomes: '{}', why: NOTHING }),
  ...of(
    'src/transport/bare.ts',
    { in: 'createSibling(instance, {', was: '{ headers: {} }', becomes: '{}', why: 'the config has its own' },
    { in: 'return wanted', was: "typeof wanted === 'function'", becomes: 'false', why: ONLY_SLOWER },
    { in: 'return wanted', was: "'function'", becomes: '""', why: ONLY_SLOWER },
    {
      was: 'config.headers instanceof axios.AxiosHeaders',
      becomes: 'true',
      why: 'the axios of these tests takes the headers of another copy; older ones (up to 1.7) do not',
    },
    {
      in: 'ownTransforms ?? []',
      was: '[]',
      becomes: LIST,
      why: 'an axios without defaults is a mock that sends nothing',
    },
  ),
  ...of(
    'src/transport/install.ts',
    {
      in: 'credentialHeaders',
      was: "'Authorization'",
      becomes: '""',
      why: 'it is there twice where a placement names no header, and no header has an empty name',
    },
    { in: 'nameOf({', was: "''", becomes: STRING, why: 'axios has written the method by then' },
  ),
  ...of('src/transport/call.ts', {
    was: "'axios-auth-client.refresh'",
    becomes: '""',
    why: 'any name marks a call that no option of axios has',
  }),
  ...of(
    'src/transport/classify.ts',
    { in: 'WWW-Authenticate', was: "''", becomes: STRING, why: ANOTHER_TEXT },
    { in: '} catch {', was: "{ return '' }", becomes: '{}', why: 'undefined joins as nothing too' },
    { in: "return ''", was: "''", becomes: STRING, why: ANOTHER_TEXT },
  ),
  ...of(
    'src/transport/origin.ts',
    { in: "scheme = '', host = ''", was: "''", becomes: STRING, why: NARROWS },
    { in: 'url === undefined', was: 'url === undefined', becomes: 'false', why: 'it is no address either' },
    { was: '{ return undefined }', becomes: '{}', why: NOTHING },
    { in: "url: target = ''", was: "''", becomes: STRING, why: SAME_PLACE },
    { was: '!ABSOLUTE.test(baseURL)', becomes: 'true', why: ONLY_SLOWER },
    { was: '/\\/+$/', becomes: '/\\/$/', why: SAME_PLACE },
    { in: '${baseURL.replace(', was: "''", becomes: STRING, why: SAME_PLACE },
    { was: '/^\\/+/', becomes: '/\\/+/', why: SAME_PLACE },
    { was: '/^\\/+/', becomes: '/^\\//', why: SAME_PLACE },
    { was: 'baseURL !== lastBase', becomes: 'true', why: ONLY_SLOWER },
  ),
  ...of(
    'src/transport/body.ts',
    { was: "typeof form?.getBuffer !== 'function'", becomes: 'false', why: ONLY_SLOWER },
    { was: '{ return undefined }', becomes: '{}', why: NOTHING },
  ),
  ...of(
    'src/testing/auth-server.ts',
    { was: '() => ({})', becomes: '() => undefined', why: 'spreading nothing adds no claim either' },
    {
      was: '!refusal',
      becomes: 'true',
      why: 'a request that was refused is answered, and meets no further guard',
    },
  ),
  ...of(
    'src/testing/fake-tabs.ts',
    {
      was: '[news, delivered]',
      becomes: '[]',
      why: 'settled() waits for a task of its own, which comes after those that deliver',
    },
    { was: '++turns', becomes: '--turns', why: 'each turn has a number of its own either way' },
    { was: '{ once: true }', becomes: '{}', why: 'a signal aborts once' },
    { in: '{ once: true }', was: 'true', becomes: 'false', why: 'a signal aborts once' },
  ),
  ...of(
    'src/testing/http.ts',
    { was: '/^Bearer (.+)$/i', becomes: '/^Bearer (.+)/i', why: 'a header has no second line' },
    { in: "authorization') ?? ''", was: "''", becomes: STRING, why: ANOTHER_TEXT },
    { in: "content-type') ?? ''", was: "''", becomes: STRING, why: ANOTHER_TEXT },
    { was: '{ return false }', becomes: '{}', why: 'undefined is as false' },
    {
      was: '[204, 205, 304]',
      becomes: '[]',
      why: 'the msw of these tests leaves the body out itself; older ones of its peer range throw',
    },
  ),
  ...of(
    'src/testing/token-factory.ts',
    {
      was: 'state + 0x6d2b79f5',
      becomes: 'state - 0x6d2b79f5',
      why: 'another sequence, as random as this one',
    },
    {
      was: 'mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)',
      becomes: 'mixed - Math.imul(mixed ^ mixed >>> 7, mixed | 61)',
      why: 'another sequence, as random as this one',
    },
  ),
  ...of('src/testing/real-time.ts', {
    was: "typeof MessageChannel === 'undefined'",
    becomes: 'true',
    why: 'a timer is a task as well as a message',
  }),
  ...of(
    'src/testing/sessions.ts',
    { in: "access.get(accessToken ?? '')", was: "''", becomes: STRING, why: ANOTHER_TEXT },
    { in: "refresh.get(refreshToken ?? '')", was: "''", becomes: STRING, why: ANOTHER_TEXT },
    { in: "access.get(token ?? '')", was: "''", becomes: STRING, why: ANOTHER_TEXT },
    { was: 'issued?.family', becomes: 'issued.family', why: NARROWS },
  ),
  ...of(
    'src/bindings/select.ts',
    {
      was: 'Object.is(one, other)',
      becomes: 'false',
      why: 'both frameworks compare by Object.is themselves',
    },
    {
      in: 'if (Object.is(one, other)) return true',
      was: 'true',
      becomes: 'false',
      why: 'both frameworks compare by Object.is themselves',
    },
  ),
  ...of('src/testing/manual-clock.ts', {
    in: 'if (ms >= 0) return',
    was: 'ms >= 0',
    becomes: 'ms > 0',
    why: 'setting a clock back by nothing moves nothing',
  }),
]
