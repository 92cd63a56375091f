import { useAuth } from 'axios-auth-client/react'
import { Navigate, Outlet, useLocation } from 'react-router'
import { auth } from '../quick-start.js'

/** As the element of a layout route: `{ element: <SignedInOnly />, children: [...] }`. */
export function SignedInOnly() {
  const { status, refreshing } = useAuth(auth, (session) => ({
    status: session.status,
    refreshing: session.refreshing,
  }))
  const { pathname, search } = useLocation()
  if (status === 'signed-in') return <Outlet />
  // Not known yet: an asynchronous store is being read, or a cookie is asked for its session.
  if (status === 'pending' || refreshing) return null
  return <Navigate replace to={`/login?redirect=${encodeURIComponent(pathname + search)}`} />
}
