// Two copies of the package in one app, as a bundle gets them that mixes ESM and CJS, or two versions.
import axios from 'axios'
import { AuthClientError, authErrorOf, createAuthClient, isAuthClientError } from 'axios-auth-client'
import { describe, expect, it, onTestFinished, vi } from 'vitest'

async function otherCopy() {
  vi.resetModules()
  const other = await import('axios-auth-client')
  expect(other.AuthClientError).not.toBe(AuthClientError)
  return other
}

describe('two copies of the package', () => {
  it('recognise each other’s errors', async () => {
    const other = await otherCopy()
    expect(isAuthClientError(new other.AuthClientError('SIGNED_OUT', 'm'))).toBe(true)
    expect(other.isAuthClientError(new AuthClientError('SIGNED_OUT', 'm'))).toBe(true)
  })

  it('find each other’s error as a cause', async () => {
    const other = await otherCopy()
    const theirs = new other.AuthClientError('BAD_GRANT', 'm')
    expect(authErrorOf(new Error('x', { cause: theirs }))).toBe(theirs)
  })

  it('end the session by each other’s SessionRefused', async () => {
    const other = await otherCopy()
    const api = axios.create({ baseURL: 'https://api.example.com' })
    const ends: unknown[] = []
    const auth = createAuthClient(api, {
      tokens: { accessToken: 'access-1' },
      refresh: () => {
        throw new other.SessionRefused('Over.')
      },
      onSessionEnd: (end) => ends.push(end),
    })
    onTestFinished(() => auth.dispose())
    await expect(auth.refresh()).rejects.toMatchObject({ code: 'SESSION_EXPIRED', message: 'Over.' })
    expect(ends).toMatchObject([{ reason: 'refused', error: { code: 'SESSION_EXPIRED' } }])
  })

  it('see that the instance has a live client of the other copy', async () => {
    const other = await otherCopy()
    const api = axios.create({ baseURL: 'https://api.example.com' })
    const auth = createAuthClient(api)
    expect(() => other.createAuthClient(api)).toThrow(/holds this axios instance already/)
    auth.dispose()
    other.createAuthClient(api).dispose()
  })
})
