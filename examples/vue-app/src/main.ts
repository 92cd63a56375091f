import { createPinia, disposePinia } from 'pinia'
import { createApp } from 'vue'
import App from './App.vue'
import { router } from './router.js'
import './style.css'

const pinia = createPinia()
const app = createApp(App).use(pinia).use(router)
app.mount('#app')

if (import.meta.hot) {
  // Whatever changes above, the app starts anew with it, without a reload of the page.
  import.meta.hot.accept()
  import.meta.hot.dispose(() => {
    app.unmount()
    disposePinia(pinia)
  })
}
