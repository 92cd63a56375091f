// Flask-JWT-Extended with tokens in the JSON body, run for real.
import { startPython } from '../backends/python.js'
import { describeBackend, type Row } from '../backends/suite.js'
import { createApp } from './client.js'

const row: Row = {
  start: (changes) => startPython('b-flask-json', changes),
  open(url) {
    const app = createApp(url)
    return {
      ...app,
      whoAmI: async () => (await app.api.post<{ name: string }>('/me')).data.name,
      visits: [],
    }
  },
  refresh: 'POST /refresh',
  wrongPassword: { response: { status: 401, data: { msg: 'Bad username or password' } } },
  noticedBy: ['client', 'server'],
  // Flask-JWT-Extended: a signature that is wrong is no expiry.
  tampered: { status: 422, refreshes: 0 },
  visitsAtEnd: [],
  survivesReload: true,
}

describeBackend('Flask-JWT-Extended with tokens in the JSON body', row)
