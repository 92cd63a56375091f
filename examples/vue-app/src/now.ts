// Owns a clock that ticks once a second, for as long as somebody looks.
import { onMounted, onUnmounted, ref } from 'vue'

export function useNowMs() {
  const nowMs = ref(Date.now())
  let timer: ReturnType<typeof setInterval> | undefined
  onMounted(() => {
    timer = setInterval(() => {
      nowMs.value = Date.now()
    }, 1_000)
  })
  onUnmounted(() => clearInterval(timer))
  return nowMs
}
