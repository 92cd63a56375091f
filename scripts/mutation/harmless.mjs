// The mutants that no story tells from the original, each with the reason why it makes no difference to a user.
// Not for what is only hard to test. scripts/test-mutation.mjs compares this list with what survives.

/** @type {readonly import('./report.mjs').Harmless[]} */
export const HARMLESS = []
