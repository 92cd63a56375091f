import axios from 'axios'
import { type AuthClientOptions, authErrorOf, refreshWithBody } from 'axios-auth-client'
import { useAuth } from 'axios-auth-client/react'
import { useState } from 'react'
import { AuthProvider, useAuthClient } from './auth-provider.js'

export const api = axios.create({ baseURL: 'https://api.test' })

export const options: AuthClientOptions = {
  refresh: refreshWithBody({ url: '/auth/refresh' }),
  refreshRetry: { baseDelayMs: 0 },
}

/** The app under test: the orders of who is signed in, and a login page for everybody else. */
export function App(props: { options: AuthClientOptions }) {
  return (
    <AuthProvider api={api} options={props.options}>
      <Page />
    </AuthProvider>
  )
}

function Page() {
  const status = useAuth(useAuthClient(), (session) => session.status)
  return status === 'signed-in' ? <Orders /> : <Login />
}

function Login() {
  const auth = useAuthClient()
  const signIn = async () => {
    const form = { username: 'ada', password: 'any' }
    const { data } = await api.post('/auth/login', form, { authClient: false })
    await auth.signIn({ accessToken: data.access_token, refreshToken: data.refresh_token })
  }
  return (
    <>
      <p>Please sign in.</p>
      <button type="button" onClick={signIn}>
        Sign in
      </button>
    </>
  )
}

function Orders() {
  const auth = useAuthClient()
  const subject = useAuth(auth, (session) => session.subject)
  const [notice, setNotice] = useState('')

  const load = async () => {
    try {
      const answers = await Promise.all([1, 2, 3, 4, 5].map((id) => api.get(`/orders/${id}`)))
      setNotice(`${answers.length} orders`)
    } catch (error) {
      setNotice(
        authErrorOf(error)?.code === 'REFRESH_FAILED' ? 'The server cannot be reached.' : 'No orders.',
      )
    }
  }
  const tryAgain = async () => {
    await auth.refresh()
    await load()
  }

  return (
    <>
      <h1>Hello, {subject}</h1>
      <p role="status">{notice}</p>
      <button type="button" onClick={load}>
        Load
      </button>
      <button type="button" onClick={tryAgain}>
        Try again
      </button>
    </>
  )
}
