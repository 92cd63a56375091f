// Owns the shape of a small chart, 100 wide and 28 high.

/** As an SVG polyline wants it; empty for fewer than two values. */
export function pointsOf(series: readonly number[]): string {
  if (series.length < 2) return ''
  const low = Math.min(...series)
  const span = Math.max(...series) - low || 1
  return series
    .map((value, index) => {
      const x = (100 * index) / (series.length - 1)
      // The line has a width: it must not be cut off at the edges.
      const y = 26 - (24 * (value - low)) / span
      return `${x.toFixed(1)},${y.toFixed(1)}`
    })
    .join(' ')
}
