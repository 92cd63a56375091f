import { type AuthClient, type AuthClientOptions, type AxiosLike, createAuthClient } from 'axios-auth-client'
import { createContext, type ReactNode, useContext, useEffect, useState } from 'react'

const AuthContext = createContext<AuthClient | undefined>(undefined)

/** Makes the client when it is mounted, and disposes of it when it is unmounted: in an effect, never while rendering. */
export function AuthProvider(props: { api: AxiosLike; options: AuthClientOptions; children: ReactNode }) {
  const { api, options, children } = props
  const [auth, setAuth] = useState<AuthClient>()
  useEffect(() => {
    const client = createAuthClient(api, options)
    setAuth(client)
    return () => client.dispose()
  }, [api, options])
  return auth && <AuthContext.Provider value={auth}>{children}</AuthContext.Provider>
}

export function useAuthClient(): AuthClient {
  const auth = useContext(AuthContext)
  if (!auth) throw new Error('useAuthClient needs an <AuthProvider> above it')
  return auth
}
