export default {
  // jsdom with what msw needs of Node: fetch and its classes, streams, and packages resolved as Node resolves them.
  testEnvironment: 'jest-fixed-jsdom',
  transform: { '\\.m?js$': ['babel-jest', { plugins: ['@babel/plugin-transform-modules-commonjs'] }] },
  // What msw depends on and is published as ESM only. From Node 24.9 on, jest can require that as it is.
  transformIgnorePatterns: ['/node_modules/(?!(@open-draft/deferred-promise|rettime|until-async)/)'],
}
