// Owns what a soak has found out: facts that must hold, and figures to look at.
// Promise: nothing fails in silence: `end` prints every broken fact and makes the process fail.

export interface Findings {
  /** Notes whether a fact holds; goes on either way. */
  check(fact: string, holds: boolean, seen?: unknown): void
  figure(name: string, value: string | number): void
  end(): void
}

export function createFindings(): Findings {
  const figures: Record<string, string | number> = {}
  const facts: { fact: string; holds: boolean; seen: unknown }[] = []
  return {
    check(fact, holds, seen = '') {
      facts.push({ fact, holds, seen })
    },
    figure(name, value) {
      figures[name] = value
    },
    end() {
      console.table(Object.entries(figures).map(([figure, value]) => ({ figure, value })))
      for (const { fact, holds, seen } of facts)
        console.log(`${holds ? 'ok    ' : 'BROKEN'} ${fact} ${String(seen)}`)
      const broken = facts.filter(({ holds }) => !holds).length
      console.log(`${facts.length - broken} of ${facts.length} facts hold`)
      if (broken > 0) process.exitCode = 1
    },
  }
}
