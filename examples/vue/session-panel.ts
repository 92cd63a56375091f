import { useAuth } from 'axios-auth-client/vue'
import { computed } from 'vue'
import { auth } from '../quick-start.js'

/** In a component's `<script setup>`; released with the component. */
export function useSession() {
  const session = useAuth(auth, ({ status, subject }) => ({ status, subject }))
  const greeting = computed(() =>
    session.value.status === 'signed-in' ? `Hello, ${session.value.subject}` : 'Please sign in.',
  )
  return { session, greeting }
}
