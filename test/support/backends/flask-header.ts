// Backend C: Flask-JWT-Extended with tokens in the header. A refresh is an empty POST whose Bearer is the refresh token.

import { json } from '../auth-server/answer.js'
import type { CreateBackend } from '../auth-server/backend.js'
import { bearerOf, bodyField, type ReceivedRequest } from '../auth-server/request.js'
import { createDoor } from './door.js'
import { refuseRefreshToken, refuseToken } from './flask.js'

const MISSING = 'Missing Authorization Header'

export const flaskHeader: CreateBackend = (parts) => {
  const door = createDoor(parts)

  function logIn(request: ReceivedRequest) {
    // What Google signed says who it is; here, whatever begins like it.
    const google = /^google-(.+)$/.exec(bodyField(request, 'id_token') ?? '')?.[1]
    if (google !== undefined) return door.logIn(google, 'secret')
    return door.logIn(bodyField(request, 'email'), bodyField(request, 'password'))
  }

  return {
    dialects: [
      {
        path: '/auth/refresh',
        methods: ['POST'],
        rotates: false,
        read: bearerOf,
        body: (grant) => ({ access_token: grant.accessToken }),
        refuse: (message) => refuseRefreshToken(message, MISSING),
        failure: (msg, error) => ({ error, msg }),
      },
    ],
    answer(request) {
      const { method, path } = request
      if (path === '/auth/login' && method === 'POST') {
        const grant = logIn(request)
        if (!grant) return json(401, { msg: 'Bad email or password' })
        return json(200, { access_token: grant.accessToken, refresh_token: grant.refreshToken })
      }
      if (path !== '/auth/me' && !path.startsWith('/orders')) return undefined
      return door.guard(request, bearerOf(request), (flaw) => refuseToken(flaw, MISSING))
    },
  }
}
