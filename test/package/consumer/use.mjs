// An ES module that uses the installed package, and beside it the CommonJS copy that some dependency may bring in.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import axios from 'axios'
import * as api from 'axios-auth-client'
import { round } from './round.cjs'

const required = createRequire(import.meta.url)('axios-auth-client')
assert.notEqual(required.createAuthClient, api.createAuthClient, 'ESM and CJS are expected to be two copies')

const ours = await round(axios, api)
const theirs = await round(axios, required)
assert.equal(api.isAuthClientError(theirs), true, 'ESM does not know an error of CJS')
assert.equal(required.isAuthClientError(ours), true, 'CJS does not know an error of ESM')
assert.equal(api.authErrorOf(new Error('x', { cause: theirs })), theirs)

console.log(JSON.stringify(Object.keys(api).sort()))
