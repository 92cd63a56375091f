import type { Router } from 'vue-router'
import { auth } from '../quick-start.js'

/** Routes with `meta: { guarded: true }` are for users who are signed in. */
export function guard(router: Router) {
  router.beforeEach(async (to) => {
    // An asynchronous store has to be read first; with a synchronous one this does not wait.
    await auth.ready
    if (!to.meta.guarded || auth.getSnapshot().status === 'signed-in') return true
    return { path: '/login', query: { redirect: to.fullPath } }
  })
}
