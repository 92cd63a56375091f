// @vitest-environment jsdom
// The recipe for a client that a component makes, under StrictMode, which mounts everything twice.
// Promise: there is one live client while it is mounted, none after it, and a client made while rendering is refused.

import axios from 'axios'
import { act, createElement, StrictMode, useState } from 'react'
import { createRoot } from 'react-dom/client'
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { AuthProvider, useAuthClient } from '../../examples/samples/react-browser/auth-provider.js'
import { type AuthClientOptions, createAuthClient, type TokenStore } from '../../src/index.js'
import { createFakeTabs } from '../../src/testing/index.js'

beforeEach(() => void vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true))

async function mount(element: React.ReactNode) {
  const box = document.createElement('div')
  const root = createRoot(box)
  onTestFinished(() => act(() => root.unmount()))
  await act(async () => root.render(createElement(StrictMode, null, element)))
  return { box, root }
}

/** A store that counts who has it: how many clients listen now, and how many ever did. */
function countedStore() {
  const counted = { live: 0, ever: 0 }
  const store: TokenStore = {
    ...createFakeTabs().openTab(),
    subscribe() {
      counted.live++
      counted.ever++
      return () => void counted.live--
    },
  }
  return { store, counted }
}

describe('a client that a component makes', () => {
  it('is created once under StrictMode, and disposed when it is unmounted', async () => {
    const api = axios.create({ baseURL: 'https://api.test' })
    const { store, counted } = countedStore()
    const options: AuthClientOptions = { store }
    const Status = () => useAuthClient().getSnapshot().status
    const { box, root } = await mount(
      createElement(() => AuthProvider({ api, options, children: createElement(Status) })),
    )
    expect(box.textContent).toBe('signed-out')
    // StrictMode did mount it twice.
    expect(counted).toEqual({ live: 1, ever: 2 })
    expect(() => createAuthClient(api)).toThrow('a live auth client holds this axios instance already')
    await act(() => root.unmount())
    expect(counted.live).toBe(0)
    createAuthClient(api).dispose()
  })

  it('is rejected when it is created while rendering: StrictMode renders twice and nobody disposes the first', async () => {
    const api = axios.create({ baseURL: 'https://api.test' })
    vi.spyOn(console, 'error').mockImplementation(() => {})
    const Careless = () => useState(() => createAuthClient(api))[0].getSnapshot().status
    await expect(mount(createElement(Careless))).rejects.toThrow(
      'instance: a live auth client holds this axios instance already. Use that one, or dispose() it first.',
    )
  })
})
