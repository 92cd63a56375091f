// Owns a `Storage` as browsers have it, for localStorage and sessionStorage in Node.

/** Web storage in memory: texts only, keys in order of insertion. */
export class FakeStorage implements Storage {
  readonly #items = new Map<string, string>();

  [name: string]: unknown

  get length(): number {
    return this.#items.size
  }

  clear(): void {
    this.#items.clear()
  }

  getItem(key: string): string | null {
    return this.#items.get(String(key)) ?? null
  }

  key(index: number): string | null {
    return [...this.#items.keys()][index] ?? null
  }

  removeItem(key: string): void {
    this.#items.delete(String(key))
  }

  setItem(key: string, value: string): void {
    this.#items.set(String(key), String(value))
  }
}
