// Colours, or none: the only file that knows escape codes. The sixteen basic ones, which every theme keeps readable.

export type Colour = 'red' | 'green' | 'yellow' | 'cyan' | 'bold' | 'dim'

/** Writes text in a colour; where there are no colours, as it is. */
export type Ink = (colour: Colour | undefined, text: string) => string

const CODES: Record<Colour, number> = { red: 31, green: 32, yellow: 33, cyan: 36, bold: 1, dim: 2 }

export function createInk(coloured: boolean): Ink {
  return (colour, text) => (coloured && colour && text ? `\x1b[${CODES[colour]}m${text}\x1b[0m` : text)
}

/** https://no-color.org: any value but an empty one means no. */
export function wantsColour(stream: { isTTY?: boolean }, env: NodeJS.ProcessEnv): boolean {
  return !!stream.isTTY && !env.NO_COLOR && env.TERM !== 'dumb'
}
