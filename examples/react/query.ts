import { QueryClient } from '@tanstack/react-query'
import { authErrorOf } from 'axios-auth-client'
import { auth } from '../quick-start.js'

/** A failure that reaches TanStack Query has been refreshed and replayed already: do not retry one that is about the session. */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      retry: (failures, error) => !authErrorOf(error) && failures < 3,
    },
  },
})

// Show nothing of one user to the next. `clear` does not update mounted components, so where another user is signed in
// already, refetch instead.
auth.on('sessionEnd', ({ reason }) => {
  if (reason.startsWith('replaced')) void queryClient.resetQueries()
  else queryClient.clear()
})
