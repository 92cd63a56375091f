// Owns the numbers of the dashboard: made up, and the same for a whole day.

export interface Figure {
  value: number
  unit?: 'EUR' | '%' | 'min'
  /** Against the week before, in percent. */
  change: number
  /** The last twelve weeks, the oldest first. */
  series: number[]
}

/** What each is about, with a usual value. */
const USUAL: Record<string, [value: number, unit?: Figure['unit']]> = {
  orders: [1240],
  revenue: [58_400, 'EUR'],
  visitors: [23_100],
  conversion: [5.4, '%'],
  baskets: [310],
  returns: [46],
  refunds: [1720, 'EUR'],
  stock: [8450],
  deliveries: [1190],
  tickets: [87],
  waiting: [12, 'min'],
  reviews: [264],
}

const DAY_MS = 86_400_000

export function figureOf(name: string): Figure | undefined {
  const usual = Object.hasOwn(USUAL, name) && USUAL[name]
  if (!usual) return undefined
  const [value, unit] = usual
  const today = Math.floor(Date.now() / DAY_MS)
  const seed = [...name].reduce((sum, letter) => sum + letter.charCodeAt(0), today)
  const series = Array.from({ length: 12 }, (_, week) => {
    const swing = 0.12 * Math.sin(seed + week * 0.9) + 0.05 * Math.sin(seed * 3 + week * 2.3)
    return round(value * (0.86 + week * 0.014 + swing), unit === '%' || unit === 'min' ? 1 : 0)
  })
  const [before = value, now = value] = series.slice(-2)
  return { value: now, unit, change: round((now / before - 1) * 100, 1), series }
}

const round = (value: number, digits: number) => Number(value.toFixed(digits))
