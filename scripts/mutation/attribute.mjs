// A setup file of the mutation tests' vitest. Stryker notes which test runs which mutant, and forgets the test before
// vitest calls what `onTestFinished` was given. Clients are disposed there, so half of src/ would count as covered by no
// particular test, and each of its mutants would run against all of them.
const stryker = (globalThis.__stryker__ ??= {})
/** Kept until the next test begins. What a file loads before its first test belongs to none. */
let test

Object.defineProperty(stryker, 'currentTestId', {
  configurable: true,
  get: () => test,
  set(id) {
    test = id ?? test
  },
})
