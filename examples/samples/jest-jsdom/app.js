import axios from 'axios'
import { createAuthClient, refreshWithBody } from 'axios-auth-client'

/** The app under test: it shows orders at /orders, and the page of a user whose session is over is /login. */
export function startApp(options) {
  const api = axios.create({ baseURL: 'https://api.test' })
  const auth = createAuthClient(api, {
    refresh: refreshWithBody({ url: '/auth/refresh' }),
    onSessionEnd: () => history.pushState(null, '', '/login'),
    ...options,
  })
  history.pushState(null, '', '/orders')
  return { api, auth }
}

/** Shows the orders with these numbers in the page. */
export async function showOrders(api, ids) {
  const answers = await Promise.all(ids.map((id) => api.get(`/orders/${id}`)))
  const items = answers.map(({ data }) => `<li>${data.path} of ${data.user}</li>`)
  document.body.innerHTML = `<ul>${items.join('')}</ul>`
}
