import { useAuth } from 'axios-auth-client/react'
import { Navigate, Outlet, useLocation } from 'react-router'
import { auth } from '../quick-start.js'

/** As the element of a layout route: `{ element: <SignedInOnly />, children: [...] }`. */
export function SignedInOnly() {
  const status = useAuth(auth, (session) => session.status)
  const { pathname, search } = useLocation()
  // Only with an asynchronous store, until it has been read.
  if (status === 'pending') return null
  if (status === 'signed-in') return <Outlet />
  return <Navigate replace to={`/login?redirect=${encodeURIComponent(pathname + search)}`} />
}
