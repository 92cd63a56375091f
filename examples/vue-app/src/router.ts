// Owns the pages, and who may see them.
// Promise: whoever is sent to the login page comes back to where they wanted to be, and to no other site.
import { onScopeDispose } from 'vue'
import {
  createRouter,
  createWebHistory,
  type RouteLocationNormalizedGeneric,
  type RouteLocationRaw,
} from 'vue-router'
import { auth } from './api.js'

export const router = createRouter({
  history: createWebHistory(),
  routes: [
    {
      path: '/',
      name: 'dashboard',
      component: () => import('./views/DashboardPage.vue'),
      meta: { title: 'Dashboard', guarded: true },
    },
    {
      path: '/account',
      name: 'account',
      component: () => import('./views/AccountPage.vue'),
      meta: { title: 'Account', guarded: true },
    },
    {
      path: '/login',
      name: 'login',
      component: () => import('./views/LoginPage.vue'),
      meta: { title: 'Sign in' },
    },
    {
      path: '/:path(.*)*',
      name: 'not-found',
      component: () => import('./views/NotFoundPage.vue'),
      meta: { title: 'Not found' },
    },
  ],
})

const isSignedIn = () => auth.getSnapshot().status === 'signed-in'

router.beforeEach(async (to) => {
  await auth.ready
  if (to.meta.guarded && !isSignedIn()) return loginFor(to)
  if (to.name === 'login' && isSignedIn()) return wantedPage(to)
  return true
})

router.afterEach((to) => {
  document.title = `${String(to.meta.title)} · Shop floor`
})

/** For the component that lives as long as the app: what `onSessionEnd` is for, at the place where the router is known. */
export function useLoginAtSessionEnd(): void {
  const stop = auth.on('sessionEnd', ({ reason }) => {
    const page = router.currentRoute.value
    // Somebody else has signed in, and may be where they are.
    if (!page.meta.guarded || reason.startsWith('replaced')) return
    void router.push(reason === 'signed-out' ? { name: 'login' } : loginFor(page))
  })
  onScopeDispose(stop)
}

function loginFor({ fullPath }: RouteLocationNormalizedGeneric): RouteLocationRaw {
  return { name: 'login', query: { redirect: fullPath } }
}

/** Where the user wanted to go before the login page came in between. */
export function wantedPage({ query: { redirect } }: RouteLocationNormalizedGeneric): RouteLocationRaw {
  // The address bar is open to everybody: only a page of this app will do, and the login page is none.
  const isPath = typeof redirect === 'string' && /^\/(?![/\\])/.test(redirect)
  const page = isPath ? router.resolve(redirect) : undefined
  return page?.meta.guarded ? page.fullPath : { name: 'dashboard' }
}
