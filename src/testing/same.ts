// Compares plain JSON, whatever the order of keys; a field that is `undefined` counts as absent.

export function isSame(one: unknown, other: unknown): boolean {
  const [left, right] = [one, other].map(fieldsOf)
  if (!left || !right) return (one ?? null) === (other ?? null)
  return Object.keys({ ...left, ...right }).every((key) => isSame(left[key], right[key]))
}

function fieldsOf(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value ? (value as Record<string, unknown>) : undefined
}
