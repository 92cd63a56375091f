/// <reference types="vite/client" />

declare module '*.vue' {
  import type { DefineComponent } from 'vue'

  const component: DefineComponent
  export default component
}

interface ImportMetaEnv {
  /** The folder of an example backend; without it, the embedded one. */
  readonly VITE_BACKEND?: string
}
