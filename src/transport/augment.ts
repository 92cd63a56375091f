// The one key this package adds to axios's request config, in the one place that touches axios's types.

/** What one request wants to be different. */
export interface AuthRequestOptions {
  /** `false`: no token is attached; the request still waits for a refresh and is replayed after one. */
  place?: boolean | undefined
  /** `false`: the request never waits and is never replayed; it goes out with the token there is, or without one. */
  refresh?: boolean | undefined
}

declare module 'axios' {
  // Without type parameters: their number differs between axios versions, and this form merges with all of them.
  interface AxiosRequestConfig {
    /** For axios-auth-client. `false`: this request has nothing to do with the session. */
    authClient?: false | AuthRequestOptions | undefined
  }
}
