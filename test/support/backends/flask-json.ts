// Backend B: Flask-JWT-Extended that looks for tokens in the JSON body and nowhere else.
// So it protects no GET; a refresh takes both tokens, and they must belong together.

import { json } from '../auth-server/answer.js'
import type { CreateBackend } from '../auth-server/backend.js'
import { bodyField } from '../auth-server/request.js'
import { echo } from '../auth-server/resources.js'
import { createDoor } from './door.js'
import { refuseRefreshToken, refuseToken } from './flask.js'

const MISSING = 'Missing "token" key in json data.'

export const flaskJson: CreateBackend = (parts) => {
  const { families } = parts
  const door = createDoor(parts)
  return {
    dialects: [
      {
        path: '/refresh',
        methods: ['POST'],
        rotates: false,
        read(request) {
          const refreshToken = bodyField(request, 'refresh_token')
          const family = families.status(bodyField(request, 'token') ?? '')?.family
          if (refreshToken === undefined || !family) return undefined
          const owner = families.ofRefreshToken(refreshToken)
          if (owner && owner !== family) return json(401, { msg: 'The tokens are of two sessions' })
          return refreshToken
        },
        body: (grant) => ({ access_token: grant.accessToken }),
        refuse: (message) => refuseRefreshToken(message, MISSING),
        failure: (msg, error) => ({ error, msg }),
      },
    ],
    answer(request) {
      const { method, path } = request
      if (path === '/login' && method === 'POST') {
        const form = request.headers['content-type']?.includes('x-www-form-urlencoded')
        const grant = form && door.logIn(bodyField(request, 'username'), bodyField(request, 'password'))
        if (!grant) return json(401, { msg: 'Bad username or password' })
        return json(200, { access_token: grant.accessToken, refresh_token: grant.refreshToken })
      }
      if (path.startsWith('/public/')) return echo(request)
      if (!path.startsWith('/orders')) return undefined
      return door.guard(request, bodyField(request, 'token'), (flaw) => refuseToken(flaw, MISSING))
    },
  }
}
