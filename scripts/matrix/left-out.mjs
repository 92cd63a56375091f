// What an axios cannot do, and so which tests are left out with it. Everything else runs on every axios.
// A test is left out by its full title. The matrix fails when an entry leaves out nothing.

/** @type {{ what: string, before: string, from?: string, tests: RegExp, why: string }[]} */
const LEFT_OUT = [
  {
    what: 'iterable objects as bodies',
    before: '1.19.0',
    from: '1.7.0',
    tests: /an object with an async iterator/,
    why: 'axios dropped symbol keys when it merged configs',
  },
  {
    what: 'the new order of interceptors',
    before: '1.13.5',
    tests: /in their new order|legacyInterceptorReqResOrdering|in the order of registration/,
    why: 'axios threw "Unknown option legacyInterceptorReqResOrdering"',
  },
  {
    what: 'the fetch adapter',
    before: '1.7.0',
    tests: /fetch adapter|an adapter set per request by a list|a function adapter set per request/,
    why: 'there was none',
  },
  {
    what: 'XMLHttpRequest as the default in jsdom',
    before: '1.5.1',
    from: '1.5.0',
    tests: /is what sends in a page/,
    why: 'axios chose by the process, which jsdom has too',
  },
  {
    what: 'FormData and Blob in Node',
    before: '1.3.0',
    tests: /native FormData|a FormData with a file|a Blob/,
    why: 'the http adapter refused them',
  },
  {
    what: 'adapters by name',
    before: '1.2.0',
    tests:
      /a list of adapters|a list with a function in it|an adapter set per request by its name|a name that axios does not know|an empty list|one that is not to be had here/,
    why: 'an adapter was a function',
  },
  {
    what: 'sending a config again',
    before: '1.2.0',
    from: '1.0.0',
    tests:
      /sent again as a retry plug-in does|axios-retry retries a|axios-retry that retries 401s|of an error is sent, refreshed and replayed as any other: (?!as JSON)/,
    why: 'axios failed on AxiosHeaders of its own, Invalid character in header content ["0"], or lost the Content-Type in them',
  },
  {
    what: 'axios-cache-interceptor',
    before: '1.0.0',
    tests: /axios-cache-interceptor|\ba cache\b|all of them together/,
    why: 'it asks for axios 1',
  },
  {
    what: 'AxiosHeaders',
    before: '1.2.0',
    tests: /an AxiosHeaders/,
    why: 'axios did not export them',
  },
  {
    what: 'an accessor of Authorization',
    before: '1.2.6',
    tests: /headers\.setAuthorization\(/,
    why: 'headers had none for it',
  },
  {
    what: 'methods of headers',
    before: '1.0.0',
    tests: /headers\.(?:set|delete)\(/,
    why: 'they were plain objects',
  },
  {
    what: 'frozen headers',
    before: '1.0.0',
    tests: /an interceptor after ours copies .*frozen plain headers/,
    why: 'axios wrote to them',
  },
  {
    what: 'addresses with a query',
    before: '1.1.0',
    from: '1.0.0',
    tests: /by an address that no cache knows|nor without its own params|shows the query of a request/,
    why: 'the http adapter left out the question mark',
  },
  {
    what: 'postForm with bytes in Node',
    before: '1.0.0',
    tests: /what postForm makes/,
    why: 'axios made a Blob of them, which form-data refuses',
  },
  {
    what: 'objects as forms',
    before: '1.0.0',
    tests: /an object that is to be a form/,
    why: 'axios made JSON of them, whatever their type said',
  },
  {
    what: 'an instance of axios 0.27 beside it',
    before: '1.2.0',
    from: '1.0.0',
    tests:
      /through the http of an instance of axios 0\.27|refreshed and replayed by axios 0\.27|give http the current ones \(axios 0\.27\)|set after sign-in, however many refreshes ago \(axios 0\.27\)/,
    why: 'its transforms call what its headers do not have',
  },
  {
    what: 'frozen configs',
    before: '1.20.0',
    tests:
      /a config that an interceptor has frozen|an interceptor after ours copies .*(?:immer produce|Object\.freeze|Object\.seal)/,
    why: 'axios wrote to them',
  },
  {
    what: '`sensitiveHeaders`',
    before: '1.18.0',
    tests: /`sensitiveHeaders`/,
    why: 'axios sent every header but Authorization and Cookie on',
  },
  {
    what: '`redact`',
    before: '1.16.0',
    tests: /`redact`/,
    why: 'the JSON of an error had the whole config in it',
  },
  {
    what: 'QUERY',
    before: '1.16.0',
    tests: /instance\.query/,
    why: 'there was no such method',
  },
  {
    what: 'the end of an HTTP/2 session',
    before: '1.14.0',
    from: '1.13.0',
    tests: /HTTP\/2 leaves no stream/,
    why: 'axios kept it for good',
  },
  {
    what: 'HTTP/2',
    before: '1.13.0',
    tests: /HTTP\/2/,
    why: 'the http adapter spoke HTTP/1 only',
  },
  {
    what: '`env.fetch`',
    before: '1.12.0',
    tests: /`env\.fetch`/,
    why: 'the fetch adapter took the global one',
  },
  {
    what: 'proxies',
    before: '1.1.0',
    from: '1.0.0',
    tests: /a proxy is used for|redirects go on through a proxy/,
    why: 'axios set out for localhost, or failed with "protocol mismatch"',
  },
  {
    what: 'progress in Node',
    before: '1.0.0',
    tests: /progress is reported for the replay too/,
    why: 'the http adapter reported none',
  },
]

/** What this axios cannot do. */
export function missingIn(version) {
  return LEFT_OUT.filter(({ from, before }) => isOlder(version, before) && !(from && isOlder(version, from)))
}

/** Whether `version` is older than `other`. */
export function isOlder(version, other) {
  return version.localeCompare(other, 'en', { numeric: true }) < 0
}
