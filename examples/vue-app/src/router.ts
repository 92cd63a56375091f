// The pages, and who may see them.
// Promise: whoever is sent to the login page comes back to where they wanted to be, and goes to no other site.
import {
  createRouter,
  createWebHistory,
  type RouteLocationNormalized,
  type RouteLocationRaw,
} from 'vue-router'
import { auth } from './api.js'
import AccountPage from './pages/AccountPage.vue'
import DashboardPage from './pages/DashboardPage.vue'
import LoginPage from './pages/LoginPage.vue'

export const router = createRouter({
  history: createWebHistory(),
  routes: [
    { path: '/', name: 'dashboard', component: DashboardPage, meta: { guarded: true } },
    { path: '/account', name: 'account', component: AccountPage, meta: { guarded: true } },
    { path: '/login', name: 'login', component: LoginPage },
    { path: '/:path(.*)*', redirect: { name: 'dashboard' } },
  ],
})

router.beforeEach(async (to) => {
  // Only with an asynchronous store does this wait.
  await auth.ready
  const isSignedIn = auth.getSnapshot().status === 'signed-in'
  if (to.meta.guarded && !isSignedIn) return loginFor(to)
  if (to.name === 'login' && isSignedIn) return wantedPage(to)
  return true
})

auth.on('sessionEnd', ({ reason }) => {
  const page = router.currentRoute.value
  // Somebody else has signed in, in another tab: nothing of the first one stays on the screen.
  if (reason === 'replaced-elsewhere') location.reload()
  else if (page.meta.guarded) void router.push(reason === 'signed-out' ? { name: 'login' } : loginFor(page))
})

function loginFor({ fullPath }: RouteLocationNormalized): RouteLocationRaw {
  return { name: 'login', query: { redirect: fullPath } }
}

/** Where the user wanted to go before the login page came in between. */
function wantedPage({ query: { redirect } }: RouteLocationNormalized): RouteLocationRaw {
  // Anybody can write a link to the login page: only a page of this app will do.
  const { name, query, hash, meta } = router.resolve(String(redirect ?? '/'))
  return meta.guarded && name ? { name, query, hash } : { name: 'dashboard' }
}
