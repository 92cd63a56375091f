export default {
  // jsdom, with what msw needs of Node: fetch and its classes, streams, packages resolved as Node resolves them.
  testEnvironment: 'jest-fixed-jsdom',
  transform: { '\\.m?js$': ['babel-jest', { plugins: ['@babel/plugin-transform-modules-commonjs'] }] },
  // Packages of msw that are published as ESM only. From Node 24.9 on, jest can require them as they are.
  transformIgnorePatterns: ['/node_modules/(?!.*(@open-draft/deferred-promise|rettime|until-async)/)'],
}
