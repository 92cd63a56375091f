// Backend D: FastAPI with the OAuth2 password form. A refresh is a GET with the Bearer, or a POST with JSON.

import { json, type Reply } from '../auth-server/answer.js'
import type { CreateBackend } from '../auth-server/backend.js'
import { bearerOf, bodyField } from '../auth-server/request.js'
import { createDoor } from './door.js'

export const fastapi: CreateBackend = (parts) => {
  const door = createDoor(parts)
  return {
    dialects: [
      {
        path: '/refresh_token',
        methods: ['GET', 'POST'],
        rotates: false,
        read(request) {
          if (request.method === 'GET') return bearerOf(request)
          const refreshToken = bodyField(request, 'refresh_token')
          if (refreshToken !== undefined) return refreshToken
          // What pydantic says of a body that does not fit.
          return json(422, {
            detail: [{ type: 'missing', loc: ['body', 'refresh_token'], msg: 'Field required' }],
          })
        },
        body: (grant) => ({ access_token: grant.accessToken, token_type: 'bearer' }),
        refuse: unauthorized,
        failure: (detail, error) => ({ error, detail }),
      },
    ],
    answer(request) {
      const { method, path } = request
      if (path === '/token' && method === 'POST') {
        const form = request.headers['content-type']?.includes('x-www-form-urlencoded')
        const grant = form && door.logIn(bodyField(request, 'username'), bodyField(request, 'password'))
        if (!grant) return json(400, { detail: 'Incorrect username or password' })
        const { accessToken: access_token, refreshToken: refresh_token } = grant
        return json(200, { access_token, refresh_token, token_type: 'bearer' })
      }
      if (!path.startsWith('/orders')) return undefined
      return door.guard(request, bearerOf(request), (flaw) =>
        unauthorized(flaw === 'missing' ? 'Not authenticated' : 'Could not validate credentials'),
      )
    },
  }
}

function unauthorized(detail: string): Reply {
  return json(401, { detail }, { 'www-authenticate': 'Bearer' })
}
