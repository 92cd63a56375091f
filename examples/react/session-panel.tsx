import { useAuth } from 'axios-auth-client/react'
import { auth } from '../quick-start.js'

interface MyClaims {
  roles?: string[]
}

/** Renders again when one of the two changes, and not when a token is renewed. */
export function SessionPanel() {
  const { status, subject } = useAuth(auth, (session) => ({
    status: session.status,
    subject: session.subject,
  }))
  // On a server, and in the first render after it.
  if (status === 'pending') return null
  return <p>{status === 'signed-in' ? `Hello, ${subject}` : 'Please sign in.'}</p>
}

export function AdminLink() {
  const { claims } = useAuth<MyClaims>(auth)
  return claims?.roles?.includes('admin') ? <a href="/admin">Administration</a> : null
}
