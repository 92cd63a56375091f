// The mutants that no story tells from the original, each with the reason why it makes no difference to a user.
// Not for what is only hard to test. scripts/test-mutation.mjs compares this list with what survives.

const STRING = '"Stryker was here!"'
const LIST = '["Stryker was here"]'
const OVERWRITTEN = 'renewLogin writes it before anybody reads it'
const NARROWS = 'for the compiler: it is there whenever this line is reached'
const NOT_A_NUMBER = 'a text is no number, so no comparison of times holds, as with none'

/** @type {readonly import('./report.mjs').Harmless[]} */
export const HARMLESS = [
  ...[
    { in: "accessToken: '',", was: "''", becomes: STRING },
    { in: 'refused: false,', was: 'false', becomes: 'true' },
    { in: 'unproven: false,', was: 'false', becomes: 'true' },
  ].map((entry) => ({ file: 'src/session/login.ts', why: OVERWRITTEN, ...entry })),
  { file: 'src/session/login.ts', in: 'fruitlessAtMs: [],', was: '[]', becomes: LIST, why: NOT_A_NUMBER },
  {
    file: 'src/session/login.ts',
    in: 'spent: [],',
    was: '[]',
    becomes: LIST,
    why: 'no refresh token is that text',
  },
  {
    file: 'src/session/login.ts',
    was: 'record.version > login.version',
    becomes: 'record.version >= login.version',
    why: 'they differ, by the condition before it',
  },
  {
    file: 'src/session/verdict.ts',
    in: '(isSaid || isOurs)',
    was: 'cause?.message',
    becomes: 'cause.message',
    why: NARROWS,
  },
  {
    file: 'src/session/verdict.ts',
    was: 'waitMs > 0',
    becomes: 'waitMs >= 0',
    why: 'nothing is 0 either way',
  },
  {
    file: 'src/session/verdict.ts',
    was: '{ // Nothing, a cycle, a BigInt: what could not be looked through. return undefined }',
    becomes: '{}',
    why: 'a function that returns nothing returns undefined',
  },
  {
    file: 'src/session/refresh.ts',
    was: 'nowMs() + delayMs < deadlineMs',
    becomes: 'nowMs() + delayMs <= deadlineMs',
    why: 'an attempt at the very end of its time has none',
  },
  {
    file: 'src/session/vault.ts',
    in: 'let slow = false',
    was: 'false',
    becomes: 'true',
    why: 'the first look, at creation, sets it',
  },
]
