/** Two numbers of 32 bits, each from every character. */
export function hashOf(text: string): [number, number] {
  let one = 0x9e3779b9
  let two = 0x41c6ce57
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    one = Math.imul(one ^ code, 0x85ebca6b)
    one = (one << 13) | (one >>> 19)
    two = Math.imul(two ^ code, 0xc2b2ae35)
    two = (two << 17) | (two >>> 15)
  }
  one = Math.imul(one ^ (one >>> 16), 0x85ebca6b) ^ Math.imul(two ^ (two >>> 13), 0xc2b2ae35)
  two = Math.imul(two ^ (two >>> 16), 0x27d4eb2f) ^ Math.imul(one ^ (one >>> 13), 0x165667b1)
  return [one | 0, two | 0]
}
