import { QueryClient } from '@tanstack/react-query'
import { authErrorOf } from 'axios-auth-client'
import { auth } from '../quick-start.js'

/** A request that reaches TanStack Query has been refreshed and replayed already: a verdict of ours is not retried. */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      retry: (failures, error) => !authErrorOf(error) && failures < 3,
    },
  },
})

// Nothing of one user is shown to the next. `clear` tells no component that is on the screen, so where somebody else is
// signed in already, these fetch anew.
auth.on('sessionEnd', ({ reason }) => {
  if (reason.startsWith('replaced')) void queryClient.resetQueries()
  else queryClient.clear()
})
