// Owns what the auth server reads of a request and writes into an answer. Knows neither tokens' meaning nor state.
import { HttpResponse } from 'msw'

// Statuses that may have no body (Fetch standard, "null body status").
const BODILESS = Object.freeze([204, 205, 304])

export function json(status: number, body: object, headers: Record<string, string> = {}): Response {
  return BODILESS.includes(status)
    ? new HttpResponse(null, { status, headers })
    : HttpResponse.json(body, { status, headers })
}

export function bearerOf(request: Request): string | undefined {
  return /^Bearer (.+)$/i.exec(request.headers.get('authorization') ?? '')?.[1]
}

/** Reads the texts of a JSON or form body by their names; any other body has none. */
export async function fieldsOf(request: Request): Promise<(...names: string[]) => string | undefined> {
  const isForm = /form-data|x-www-form-urlencoded/i.test(request.headers.get('content-type') ?? '')
  const copy = request.clone()
  const fields = isForm ? Object.fromEntries(await copy.formData()) : parse(await copy.text())
  return (...names) =>
    names.map((name) => fields[name]).find((value) => typeof value === 'string' && value !== '') as
      | string
      | undefined
}

function parse(text: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(text))
  } catch {
    return {}
  }
}

export function pathOf({ url }: Request): string {
  return new URL(url).pathname
}

export function isOrigin(text: string): boolean {
  try {
    return new URL(text).origin === text
  } catch {
    return false
  }
}
