// A CommonJS program that uses the installed package.
const axios = require('axios')
const api = require('axios-auth-client')
const { round } = require('./round.cjs')

round(axios.default ?? axios, api).then(() => console.log(JSON.stringify(Object.keys(api).sort())))
