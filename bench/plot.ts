export function drawPlot(_: unknown) {
  return ''
}
