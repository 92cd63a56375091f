// What a bundler with hot module replacement adds to import.meta.
/// <reference types="vite/client" />
