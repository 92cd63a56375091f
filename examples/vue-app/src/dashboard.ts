// Owns the dashboard's dozen requests: all of them at once.
import { computed, onScopeDispose, reactive, ref } from 'vue'
import { api, backend } from './api.js'
import type { Figure } from './backends/backend.js'
import { requestFailure } from './messages.js'

const TITLES = [
  'Orders',
  'Revenue',
  'Visitors',
  'Conversion',
  'Baskets',
  'Returns',
  'Refunds',
  'Stock',
  'Deliveries',
  'Tickets',
  'Waiting',
  'Reviews',
]

export interface Card {
  readonly title: string
  state: 'loading' | 'ready' | 'failed'
  figure?: Figure
  message?: string
}

export function useDashboard() {
  const cards = reactive(TITLES.map((title): Card => ({ title, state: 'loading' })))
  const isLoading = computed(() => cards.some(({ state }) => state === 'loading'))
  const ready = computed(() => cards.filter(({ state }) => state === 'ready').length)
  /** They fail together, so one of them speaks for all. */
  const failure = computed(() => cards.find(({ state }) => state === 'failed')?.message)
  const tookMs = ref(0)
  let leaving = new AbortController()
  onScopeDispose(() => leaving.abort())

  async function load() {
    leaving.abort()
    leaving = new AbortController()
    const { signal } = leaving
    const startedAtMs = performance.now()
    await Promise.all(cards.map((card) => loadCard(card, signal)))
    if (!signal.aborted) tookMs.value = Math.round(performance.now() - startedAtMs)
  }

  return { cards, isLoading, ready, failure, tookMs, load }
}

async function loadCard(card: Card, signal: AbortSignal) {
  card.state = 'loading'
  card.message = undefined
  try {
    const figure = await backend.loadFigure(api, card.title.toLowerCase(), signal)
    if (signal.aborted) return
    card.figure = figure
    card.state = 'ready'
  } catch (error) {
    if (signal.aborted) return
    card.message = requestFailure(error)
    card.state = 'failed'
  }
}
