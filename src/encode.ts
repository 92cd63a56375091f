// Writes text the way forms and HTTP Basic want it. Pure, and by hand: React Native has half a URLSearchParams (0.72 to
// 0.79: `set` throws, lists and blanks come out wrong) and no `btoa` before 0.74.

/** One name or value of an `application/x-www-form-urlencoded` body, as URLSearchParams writes it. */
export function formEncode(text: string): string {
  // URL Standard: all but ASCII letters, digits and *-._ is percent-encoded, and a lone surrogate becomes U+FFFD.
  return encodeURIComponent(text.replace(/[\ud800-\udfff]/gu, '\ufffd'))
    .replace(/[!'()~]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    .replace(/%20/g, '+')
}

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/** The value of an `Authorization: Basic` header (RFC 7617). Both parts are ASCII: encode what is not. */
export function basic(user: string, password: string): string {
  const text = `${user}:${password}`
  let coded = ''
  for (let at = 0; at < text.length; at += 3) {
    // Beyond the end it is NaN, which counts as 0 here.
    const bits = (text.charCodeAt(at) << 16) | (text.charCodeAt(at + 1) << 8) | text.charCodeAt(at + 2)
    for (const shift of [18, 12, 6, 0]) coded += BASE64[(bits >> shift) & 63]
  }
  const missing = (3 - (text.length % 3)) % 3
  return `Basic ${coded.slice(0, coded.length - missing)}${'=='.slice(0, missing)}`
}
