import { useAuth } from 'axios-auth-client/vue'
import { computed } from 'vue'
import { auth } from '../quick-start.js'

/** In a component's `<script setup>`; released with the component. */
export function useSession() {
  const session = useAuth(auth, ({ status, subject }) => ({ status, subject }))
  const greeting = computed(() => {
    const { status, subject } = session.value
    // On a server, and in the first render after it.
    if (status === 'pending') return ''
    return status === 'signed-in' ? `Hello, ${subject}` : 'Please sign in.'
  })
  return { session, greeting }
}
