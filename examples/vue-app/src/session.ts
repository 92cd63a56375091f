// What the components see of the session, and what they can do with it.
import type { SessionEnd } from 'axios-auth-client'
import { useAuth } from 'axios-auth-client/vue'
import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import { api, auth } from './api.js'
import { backend, type Credentials } from './backends.js'

/** What users read on the login page when they did not ask for it. */
const FAREWELLS: Partial<Record<SessionEnd['reason'], string>> = {
  refused: 'Your session has ended. Please sign in again.',
  'signed-out-elsewhere': 'You have signed out in another tab.',
}

export const useSession = defineStore('session', () => {
  const snapshot = useAuth<{ name?: string }>(auth)
  const farewell = ref('')
  auth.on('sessionEnd', ({ reason }) => {
    farewell.value = FAREWELLS[reason] ?? ''
  })

  async function signIn(credentials: Credentials) {
    await auth.signIn(await backend.signIn(api, credentials))
  }

  /** Calls the server first, while there is a token for it; then signs out here and in every tab, in any case. */
  async function signOut() {
    try {
      await api.post(backend.signOutUrl, undefined, { signal: AbortSignal.timeout(3_000) })
    } catch {
      // It cannot be reached: there, the session ends when its refresh token does.
    } finally {
      await auth.signOut()
    }
  }

  return {
    isSignedIn: computed(() => snapshot.value.status === 'signed-in'),
    isRefreshing: computed(() => snapshot.value.refreshing),
    expiresAtMs: computed(() => snapshot.value.expiresAtMs),
    user: computed(() => snapshot.value.claims?.name ?? snapshot.value.subject),
    farewell,
    signIn,
    signOut,
  }
})
