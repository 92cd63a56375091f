// Owns what the components see of the session, and what they can do with it.
// Promise: it follows the session wherever it changes: in this tab, in another one, at the server.
import type { SessionEnd } from 'axios-auth-client'
import { useAuth } from 'axios-auth-client/vue'
import { defineStore } from 'pinia'
import { computed, onScopeDispose, ref, shallowRef, watch } from 'vue'
import { api, auth, backend } from './api.js'
import type { Credentials } from './backends/backend.js'
import { farewellOf } from './messages.js'

/** A server that is away must not keep anybody from signing out. */
const SIGN_OUT_LIMIT_MS = 3_000

export const useSession = defineStore('session', () => {
  // Follows `auth.subscribe` and `auth.getSnapshot`, for as long as this store lives.
  const snapshot = useAuth(auth)
  const stats = shallowRef(auth.stats())
  const lastEnd = shallowRef<SessionEnd>()
  const user = ref('')
  /** Another one each time a user takes the place of another. */
  const seat = ref(0)

  const isSignedIn = computed(() => snapshot.value.status === 'signed-in')
  const isRefreshing = computed(() => snapshot.value.refreshing)
  const expiresAtMs = computed(() => snapshot.value.expiresAtMs)
  /** Why the user is on the login page, if they did not ask for it. */
  const farewell = computed(() => farewellOf(lastEnd.value))

  const count = () => {
    stats.value = auth.stats()
  }
  watch(snapshot, count)
  for (const event of ['refreshFailed', 'replay'] as const) onScopeDispose(auth.on(event, count))
  onScopeDispose(
    auth.on('sessionEnd', (end) => {
      lastEnd.value = end
      user.value = ''
      if (end.reason.startsWith('replaced')) seat.value++
    }),
  )
  watch([isSignedIn, seat], loadUser, { immediate: true })

  async function loadUser() {
    if (!isSignedIn.value) return
    lastEnd.value = undefined
    try {
      user.value = await backend.loadUser(api)
    } catch {
      // The name in the corner is not worth a message; a session that is over has shown itself.
    }
  }

  async function signIn(credentials: Credentials) {
    await auth.signIn(await backend.signIn(api, credentials))
  }

  /** The server first, while there is a token to tell it with; here, and in every tab, in any case. */
  async function signOut() {
    try {
      await backend.signOut(api, AbortSignal.timeout(SIGN_OUT_LIMIT_MS))
    } catch {
      // The server is away. Its session ends with its refresh token; what is kept here is gone now.
    } finally {
      await auth.signOut()
    }
  }

  return {
    isSignedIn,
    isRefreshing,
    expiresAtMs,
    stats,
    user,
    seat,
    farewell,
    signIn,
    signOut,
    refresh: auth.refresh,
  }
})
