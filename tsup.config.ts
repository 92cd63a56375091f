import { defineConfig } from 'tsup'

export default defineConfig({
  entry: {
    index: 'src/index.ts',
    react: 'src/bindings/react.ts',
    vue: 'src/bindings/vue.ts',
    testing: 'src/testing/index.ts',
  },
  format: ['esm', 'cjs'],
  target: 'es2022',
  platform: 'neutral',
  dts: true,
  sourcemap: true,
  clean: true,
  treeshake: true,
  // Also for CJS: without it every CJS entry would get its own copy of each class.
  splitting: true,
  external: ['axios', 'jwt-decode', 'react', 'vue', 'msw'],
})
