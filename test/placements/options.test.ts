// The options of the placements: what does not fit is refused where it is written down, by a message that names it.
import { bearerHeader, jsonBodyField, tokenFromHeader } from 'axios-auth-client'
import { describe, expect, it } from 'vitest'

const refusals: [name: string, create: () => unknown, came: string][] = [
  ['bearerHeader', () => bearerHeader(null as never), 'null'],
  ['bearerHeader', () => bearerHeader('X-Token' as never), '"X-Token"'],
  ['bearerHeader: header', () => bearerHeader({ header: '' }), '""'],
  ['bearerHeader: header', () => bearerHeader({ header: null as never }), 'null'],
  ['bearerHeader: scheme', () => bearerHeader({ scheme: 5 as never }), '5'],
  ['jsonBodyField: field', () => jsonBodyField(''), '""'],
  ['jsonBodyField: field', () => jsonBodyField({ field: 'token' } as never), 'object'],
  ['tokenFromHeader: name', () => tokenFromHeader(''), '""'],
  ['tokenFromHeader: name', () => tokenFromHeader(undefined as never), 'undefined'],
]

describe('BAD_OPTION', () => {
  it.each(refusals)('%s (%#)', (name, create, came) => {
    expect(create).toThrow(
      expect.objectContaining({
        code: 'BAD_OPTION',
        message: expect.stringMatching(new RegExp(`^${name}: expected .*, got ${came}$`)),
      }),
    )
  })

  it('is not for what is missing, nor for the bare token', () => {
    expect(bearerHeader({ header: undefined, scheme: undefined })).toMatchObject({ header: 'Authorization' })
    expect(bearerHeader({ scheme: '' })).toMatchObject({ header: 'Authorization' })
    expect(jsonBodyField(undefined)).toMatchObject({ late: true })
  })
})
