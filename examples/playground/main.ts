// npm run playground: serves the page until somebody stops it.
import { servePlayground } from './server/serve.js'

const { url, close } = await servePlayground()
console.log(`The playground is at ${url} (open it twice to see two tabs). Ctrl+C ends it.`)
process.once('SIGINT', () => void close().then(() => process.exit(0)))
