// Owns how a test speaks to the app in a tab: the same calls as in the page, each a promise.
import type { Tab } from './tab-page.js'

export type TabHandle = {
  [Name in keyof Tab]: (...args: Parameters<Tab[Name]>) => Promise<Awaited<ReturnType<Tab[Name]>>>
}

/** @param page runs expressions; what they result in is awaited, and comes back as JSON */
export function createTabHandle(page: { evaluate(expression: string): Promise<unknown> }): TabHandle {
  const call =
    <T>(name: keyof Tab) =>
    (...args: unknown[]): Promise<T> =>
      page.evaluate(`tab.${name}(${args.map((arg) => JSON.stringify(arg)).join()})`) as Promise<T>
  return {
    start: call('start'),
    signIn: call('signIn'),
    signOut: call('signOut'),
    fire: call('fire'),
    logIn: call('logIn'),
    logOut: call('logOut'),
    fireOnReturn: call('fireOnReturn'),
    returned: call('returned'),
    state: call('state'),
  }
}
