// Answers of real refresh endpoints, each with its source, and what it means for the session. Data, no tests: the table
// is asked about each in session/failure.test.ts, and some go through a client in guarantees/refresh-failures.test.ts.

import type { FailureKind } from '../../src/session/failure.js'

export interface RefreshAnswer {
  /** Who answers so, and where that is written. */
  source: string
  status: number
  /** Data that is sent as JSON, or a text that is sent as it is. */
  body: unknown
  headers?: Record<string, string>
  means: FailureKind
}

const HTML = { 'content-type': 'text/html; charset=utf-8' }
const FORM = { 'content-type': 'application/x-www-form-urlencoded' }
const BASIC = { 'www-authenticate': 'Basic realm="proxy"' }

function answer(
  means: FailureKind,
  source: string,
  status: number,
  body: unknown = '',
  headers?: Record<string, string>,
): RefreshAnswer {
  return { source, status, body, ...(headers && { headers }), means }
}

const refused = answer.bind(undefined, 'refused')
const unavailable = answer.bind(undefined, 'unavailable')
const setUpFault = answer.bind(undefined, 'set-up')
const malformed = answer.bind(undefined, 'malformed')

export const REFRESH_ANSWERS: readonly RefreshAnswer[] = [
  // ---- OAuth 2.0 and OpenID Connect
  refused('RFC 6749 section 5.2, invalid_grant', 400, { error: 'invalid_grant' }),
  setUpFault('RFC 6749 section 5.2, invalid_client', 400, { error: 'invalid_client' }),
  setUpFault(
    'RFC 6749 section 5.2, invalid_client after HTTP Basic',
    401,
    { error: 'invalid_client' },
    BASIC,
  ),
  setUpFault('RFC 6749 section 5.2, invalid_request', 400, { error: 'invalid_request' }),
  setUpFault('RFC 6749 section 5.2, unauthorized_client', 400, { error: 'unauthorized_client' }),
  setUpFault('RFC 6749 section 5.2, unsupported_grant_type', 400, { error: 'unsupported_grant_type' }),
  setUpFault('RFC 6749 section 5.2, invalid_scope', 400, { error: 'invalid_scope' }),
  unavailable('RFC 6749 section 4.1.2.1, temporarily_unavailable', 400, { error: 'temporarily_unavailable' }),
  unavailable('RFC 6749 section 4.1.2.1, server_error', 400, { error: 'server_error' }),
  unavailable('RFC 8628 section 3.5, slow_down', 400, { error: 'slow_down' }),
  refused('OpenID Connect Core 3.1.2.6, login_required', 400, { error: 'login_required' }),
  refused('OpenID Connect Core 3.1.2.6, interaction_required', 400, { error: 'interaction_required' }),
  refused('OpenID Connect Core 3.1.2.6, consent_required', 403, { error: 'consent_required' }),
  // With a status that says nothing by itself, each of the words decides.
  refused('G10: login_required with another status', 404, { error: 'login_required' }),
  refused('G10: interaction_required with another status', 409, { error: 'interaction_required' }),
  refused('G10: consent_required with another status', 410, { error: 'consent_required' }),
  refused('OpenID Connect Core 3.1.2.6, account_selection_required', 404, {
    error: 'account_selection_required',
  }),
  refused('RFC 6750 section 3.1, invalid_token', 401, { error: 'invalid_token' }),
  refused('G10: invalid_grant with another status', 404, { error: 'invalid_grant' }),
  refused('G10: invalid_grant with a status of throttling', 429, { error: 'invalid_grant' }),
  unavailable('G10: invalid_grant with a 500', 500, { error: 'invalid_grant' }),
  refused('G10: invalid_grant as the `code`', 400, { code: 'INVALID_GRANT', message: 'Sign in.' }),
  refused('G10: invalid_grant as JSON with the type of a text', 404, '{"error":"invalid_grant"}', {
    'content-type': 'text/plain',
  }),

  // ---- identity providers
  refused('Keycloak: token is not active', 400, {
    error: 'invalid_grant',
    error_description: 'Token is not active',
  }),
  setUpFault('Keycloak: wrong client id', 401, {
    error: 'invalid_client',
    error_description: 'Invalid client or Invalid client credentials',
  }),
  refused('Auth0: unknown refresh token', 403, {
    error: 'invalid_grant',
    error_description: 'Unknown or invalid refresh token.',
  }),
  setUpFault('Auth0: grant type not allowed for the client', 403, { error: 'unauthorized_client' }),
  refused('Auth0: a rule needs the user', 403, { error: 'mfa_required', error_description: 'MFA required' }),
  unavailable('Auth0: global limit', 429, { error: 'too_many_requests' }),
  refused('Okta: refresh token is invalid or expired', 400, { error: 'invalid_grant' }),
  unavailable('Okta: E0000047', 429, {
    errorCode: 'E0000047',
    errorSummary: 'API call exceeded rate limit due to too many requests.',
  }),
  refused('Okta: E0000011', 401, { errorCode: 'E0000011', errorSummary: 'Invalid token provided' }),
  refused('Microsoft identity platform: AADSTS50076', 400, {
    error: 'interaction_required',
    error_description: 'AADSTS50076: you must use multi-factor authentication.',
    error_codes: [50076],
    suberror: 'basic_action',
  }),
  setUpFault('Microsoft identity platform: AADSTS7000222, secret expired', 401, {
    error: 'invalid_client',
    error_codes: [7000222],
  }),
  refused('Amazon Cognito: NotAuthorizedException', 400, {
    __type: 'NotAuthorizedException',
    message: 'Refresh Token has been revoked',
  }),
  unavailable('Amazon Cognito: TooManyRequestsException', 400, {
    __type: 'TooManyRequestsException',
    message: 'Rate exceeded',
  }),
  unavailable('Amazon Cognito: LimitExceededException, with its namespace', 400, {
    __type: 'com.amazonaws.cognito.identity.idp.model#LimitExceededException',
    message: 'Attempt limit exceeded, please try after some time.',
  }),
  unavailable('AWS JSON protocol: ThrottlingException', 400, { __type: 'ThrottlingException' }),
  refused('AWS IAM Identity Center: InvalidGrantException', 400, { __type: 'InvalidGrantException' }),
  setUpFault('AWS IAM Identity Center: InvalidClientException', 401, { __type: 'InvalidClientException' }),
  refused('Firebase Auth REST: TOKEN_EXPIRED', 400, {
    error: { code: 400, message: 'TOKEN_EXPIRED', status: 'INVALID_ARGUMENT' },
  }),
  refused('Firebase Auth REST: USER_NOT_FOUND', 400, { error: { code: 400, message: 'USER_NOT_FOUND' } }),
  unavailable('Firebase Auth REST: TOO_MANY_ATTEMPTS_TRY_LATER', 400, {
    error: { code: 400, message: 'TOO_MANY_ATTEMPTS_TRY_LATER : Access was temporarily disabled.' },
  }),
  unavailable('Google API design guide: RESOURCE_EXHAUSTED', 403, {
    error: { code: 403, message: 'Too much.', status: 'RESOURCE_EXHAUSTED' },
  }),
  unavailable('Google APIs: quotaExceeded', 403, { error: { code: 'quotaExceeded', message: 'Sorry' } }),
  refused('Supabase Auth: refresh_token_not_found', 400, {
    code: 400,
    error_code: 'refresh_token_not_found',
    msg: 'Invalid Refresh Token: Refresh Token Not Found',
  }),
  unavailable('Supabase Auth: over_request_rate_limit', 429, { error_code: 'over_request_rate_limit' }),
  refused('Salesforce: expired access/refresh token', 400, {
    error: 'invalid_grant',
    error_description: 'expired access/refresh token',
  }),
  unavailable('Salesforce: REQUEST_LIMIT_EXCEEDED', 403, {
    error: 'REQUEST_LIMIT_EXCEEDED',
    message: 'TotalRequests Limit exceeded.',
  }),
  refused('Sign in with Apple: invalid_grant', 400, { error: 'invalid_grant' }),
  setUpFault('Sign in with Apple: invalid_client', 400, { error: 'invalid_client' }),
  refused('Discord: invalid_grant', 400, {
    error: 'invalid_grant',
    error_description: 'Invalid "refresh_token" in request.',
  }),
  unavailable('Discord: rate limits', 429, {
    message: 'You are being rate limited.',
    retry_after: 64.57,
    global: false,
  }),
  refused('GitHub: bad_refresh_token', 200, {
    error: 'bad_refresh_token',
    error_description: 'The refresh token passed is incorrect or expired.',
  }),
  refused(
    'GitHub without Accept: a form',
    200,
    'error=bad_refresh_token&error_description=It+is+expired.',
    FORM,
  ),
  setUpFault('RFC 6749 section 5.2, invalid_client in a form with a 200', 200, 'error=invalid_client', FORM),
  unavailable('GitHub REST: rate limit', 403, { message: 'API rate limit exceeded for 198.51.100.1.' }),
  refused('Slack: invalid_refresh_token', 200, { ok: false, error: 'invalid_refresh_token' }),
  unavailable('Slack: ratelimited', 200, { ok: false, error: 'ratelimited' }),
  unavailable('Slack: internal_error', 200, { ok: false, error: 'internal_error' }),
  refused('Twitch: Invalid refresh token', 400, { status: 400, message: 'Invalid refresh token' }),

  // ---- frameworks
  refused('Spring Boot: default error body', 403, { status: 403, error: 'Forbidden', path: '/refresh' }),
  refused('Spring Boot: Bad Request', 400, { status: 400, error: 'Bad Request', path: '/refresh' }),
  setUpFault('Spring Authorization Server: invalid_client', 401, { error: 'invalid_client' }),
  refused('ASP.NET Core: problem+json', 401, {
    type: 'https://tools.ietf.org/html/rfc9110#section-15.5.2',
    title: 'Unauthorized',
    status: 401,
    traceId: '00-8fd9f6-01',
  }),
  refused('ASP.NET Core: validation problem', 400, {
    title: 'One or more validation errors occurred.',
    errors: { RefreshToken: ['The RefreshToken field is required.'] },
  }),
  refused('Laravel Sanctum: Unauthenticated', 401, { message: 'Unauthenticated.' }),
  refused('Laravel: validation', 422, { message: 'Invalid.', errors: { refresh_token: ['required'] } }),
  setUpFault('Laravel: page expired', 419, { message: 'CSRF token mismatch.' }),
  unavailable('Laravel: throttle middleware', 429, { message: 'Too Many Attempts.' }),
  refused('Django simplejwt: token_not_valid', 401, {
    detail: 'Token is invalid or expired',
    code: 'token_not_valid',
  }),
  unavailable('Django REST framework: throttled', 429, { detail: 'Request was throttled.' }),
  unavailable('Django: CSRF verification failed', 403, '<!DOCTYPE html><h1>Forbidden (403)</h1>', HTML),
  refused('better-auth: session expired', 401, { code: 'SESSION_EXPIRED', message: 'Session expired' }),
  refused('NestJS: Unauthorized', 401, { statusCode: 401, message: 'Unauthorized' }),
  unavailable('Fastify rate-limit', 403, { statusCode: 403, error: 'Too Many Requests', message: 'Wait.' }),
  refused('FastAPI: detail', 401, { detail: 'Could not validate credentials' }),
  refused('Flask-JWT-Extended', 422, { msg: 'Not enough segments' }),
  refused('Apollo Server: UNAUTHENTICATED', 200, {
    data: null,
    errors: [{ message: 'Session is over', extensions: { code: 'UNAUTHENTICATED' } }],
  }),
  unavailable('Apollo Server: INTERNAL_SERVER_ERROR', 200, {
    errors: [{ message: 'Oops', extensions: { code: 'INTERNAL_SERVER_ERROR' } }],
  }),

  // ---- a backend's own words
  ...['invalid_refresh_token', 'token_invalid', 'refresh_token_expired', 'session_not_found'].flatMap(
    (error) => [
      refused(`a backend's own ${error}`, 400, { error }),
      refused(`a backend's own ${error} with a 200`, 200, { error }),
    ],
  ),
  refused("a backend's own sentence", 400, { error: 'Invalid request, sign in again' }),
  refused('a session limit, which is no quota', 401, { error: 'session_limit_exceeded' }),
  refused('too many devices, which is no throttling', 401, { error: 'TooManyDevices' }),
  ...['RATE_LIMIT_EXCEEDED', 'rate-limited', 'RateLimitReached', 'Rate limit exceeded', 'TOOMANYREQUESTS']
    .concat(['quotaExceeded', 'Throttling', 'RequestThrottled', 'Too many requests', 'dailyLimitExceeded'])
    .flatMap((error) => [
      unavailable(`throttling, spelt ${error}`, 400, { error }),
      unavailable(`throttling as the \`code\`, spelt ${error}`, 403, { code: error }),
    ]),
  ...['INVALID_CLIENT', 'invalidClient', 'invalid-client', 'InvalidClient'].map((error) =>
    setUpFault(`a fault of the set-up, spelt ${error}`, 400, { error }),
  ),
  refused('an error that is a sentence about a request', 400, { error: 'Invalid request' }),

  refused('a word for the session, and a sentence about throttling', 400, {
    error: 'session_revoked',
    message: 'Too many failed attempts: sign in again.',
  }),
  refused('the same word as the `code`', 403, {
    code: 'SESSION_REVOKED',
    message: 'The rate limit was exceeded too often: sign in again.',
  }),

  // ---- gateways
  unavailable('Cloudflare: challenge page', 403, '<!DOCTYPE html><title>Just a moment...</title>', HTML),
  unavailable('Cloudflare: error 1020 as text', 403, 'error code: 1020', { 'content-type': 'text/plain' }),
  unavailable(
    'nginx: 403 Forbidden',
    403,
    '\r\n<html><head><title>403 Forbidden</title></head></html>',
    HTML,
  ),
  unavailable('CloudFront: XML', 403, '<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>'),
  unavailable('a proxy that wants HTTP Basic', 401, '<html>Authorization Required</html>', BASIC),
  unavailable('a proxy that wants Negotiate or NTLM', 401, '', { 'www-authenticate': 'Negotiate, NTLM' }),
  refused(
    'a 401 with the Bearer challenge of an API',
    401,
    {},
    { 'www-authenticate': 'Bearer realm="Basic x"' },
  ),
  refused(
    'a 401 that takes Bearer as well as Basic',
    401,
    {},
    { 'www-authenticate': 'Bearer, Basic realm="x"' },
  ),
  refused('PHP: JSON with the type of a page', 403, '{"message":"Forbidden"}', HTML),
  refused('a 401 with a page', 401, '<html>Please sign in</html>', HTML),
  ...[408, 425, 429, 500, 502, 503, 504, 511, 599].map((status) =>
    unavailable(`RFC 9110 section 15, ${status}`, status, '<html>Sorry</html>', HTML),
  ),
  ...[300, 302, 304, 307, 402, 404, 405, 407, 409, 410, 415, 418, 451].map((status) =>
    setUpFault(`RFC 9110 section 15, ${status}`, status, ''),
  ),
  refused('401 without a body', 401),
  refused('403 without a body', 403),
  refused('422 without a body', 422),
  refused('400 without a body', 400),

  // ---- successes that are none
  malformed('a captive portal', 200, '<html>Welcome to the hotel network</html>', HTML),
  malformed('204', 204),
  malformed('an envelope that nobody has mapped', 200, { code: 'SUCCESS', data: { token: 'a' } }),
  malformed('a code of 0', 200, { code: 0, message: 'please sign in again' }),
  malformed('an error that is null', 200, { error: null, data: {} }),
  malformed('an error that is false', 200, { error: false }),
  malformed('an error that is empty', 200, { error: '', errors: [] }),
]
