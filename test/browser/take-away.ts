// Takes from this page what its address says (`?without=locks&without=channels`), before anything else runs in it.
const WAYS: Record<string, () => void> = {
  locks: () => Object.defineProperty(navigator, 'locks', { value: undefined }),
  channels: () => Object.defineProperty(globalThis, 'BroadcastChannel', { value: undefined }),
  /** As where the user blocks site data: touching it throws. */
  storage: () =>
    Object.defineProperty(globalThis, 'localStorage', {
      get() {
        throw new DOMException('Access is denied for this document.', 'SecurityError')
      },
    }),
  /** As where there never was any. */
  'storage-object': () => Object.defineProperty(globalThis, 'localStorage', { value: undefined }),
  /** Nothing is faked: the storage is filled to the last character. */
  'storage-room': fillStorage,
  /** This page gets no notification of what other tabs have written. */
  hints() {
    addEventListener('storage', (event) => event.stopImmediatePropagation(), true)
    Object.defineProperty(globalThis, 'BroadcastChannel', { value: undefined })
  },
}

for (const name of new URLSearchParams(location.search).getAll('without')) {
  const take = WAYS[name]
  if (!take) throw new Error(`Nobody knows how to take ${name} away`)
  take()
}

function fillStorage(): void {
  for (let size = 2 ** 22; size >= 1; size /= 2) {
    try {
      for (let part = 0; ; part++) localStorage.setItem(`${size}.${part}`, 'x'.repeat(size))
    } catch {
      // No room for so much: the next ones are half as long.
    }
  }
}

export {}
