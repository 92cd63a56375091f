// The failure this exists to catch: everything is green in the repository, and the published package does not load,
// or its types do not, in somebody's project.
// It installs the packed package into an empty project outside of the repository, and uses it there.
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkTypes, install, manifestOf, type Packed, packPackage, repository, run } from './packing.js'

const consumer = fileURLToPath(new URL('./consumer', import.meta.url))

// Folders of node_modules, by what they hold: the ends of the range, and the first 1.x with types for CommonJS.
const AXIOS = { latest: 'axios', '1.2.6': 'axios-1.2', '0.27.2': 'axios-0.27' }

const WAYS = {
  'node16, ESM': { extension: '.mts', options: { module: 'node16', moduleResolution: 'node16' } },
  'node16, CommonJS': { extension: '.cts', options: { module: 'node16', moduleResolution: 'node16' } },
  bundler: { extension: '.ts', options: { module: 'esnext', moduleResolution: 'bundler' } },
  'CommonJS, node10': {
    extension: '.ts',
    options: { module: 'commonjs', moduleResolution: 'node10', esModuleInterop: true },
  },
}

let packed: Packed
let project: string

beforeAll(async () => {
  packed = await packPackage()
  project = path.join(packed.place, 'project')
  mkdirSync(project)
  writeFileSync(path.join(project, 'package.json'), JSON.stringify({ name: 'project', private: true }))
  const { version } = manifestOf(path.join(repository, 'node_modules/axios'))
  await install(project, packed.tarball, `axios@${version}`)
})

afterAll(() => packed?.remove())

describe('the tarball', () => {
  it('contains the build, README, LICENSE and CHANGELOG, and nothing else', () => {
    const files = [...packed.files].sort()
    const beside = files.filter((file) => !file.startsWith('dist/'))
    expect(beside).toEqual(['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json'])
    expect(
      files.filter((file) => file.startsWith('dist/') && !/\.(c?js|d\.c?ts)(\.map)?$/.test(file)),
    ).toEqual([])
    expect(files).toEqual(
      expect.arrayContaining(['dist/index.js', 'dist/index.cjs', 'dist/index.d.ts', 'dist/index.d.cts']),
    )
  })

  it('asks for one dependency and runs no script at installation', () => {
    const manifest = manifestOf(installed())
    expect(Object.keys(manifest.dependencies ?? {})).toEqual(['jwt-decode'])
    expect(
      Object.keys(manifest.scripts ?? {}).filter((name) => /^(pre|post)?(install|prepare)$/.test(name)),
    ).toEqual([])
    expect(manifest.sideEffects).toBe(false)
  })

  it('contains source maps with their source and no path of the machine that built it', () => {
    const dist = path.join(installed(), 'dist')
    const maps = readdirSync(dist).filter((file) => /js\.map$/.test(file))
    expect(maps.length).toBeGreaterThanOrEqual(2)
    for (const file of maps) {
      const { sources, sourcesContent } = JSON.parse(readFileSync(path.join(dist, file), 'utf8')) as {
        sources: string[]
        sourcesContent?: string[]
      }
      expect(sources.filter((source) => !source.startsWith('../'))).toEqual([])
      expect(sourcesContent).toHaveLength(sources.length)
    }
    for (const file of readdirSync(dist)) {
      expect(readFileSync(path.join(dist, file), 'utf8').includes(repository), file).toBe(false)
    }
  })
})

describe('the installed package runs', () => {
  it('from ESM and from CommonJS with the same API, and each knows the errors of the other', async () => {
    cpSync(consumer, project, { recursive: true })
    const esm = await run(process.execPath, ['use.mjs'], project)
    const cjs = await run(process.execPath, ['use.cjs'], project)
    const names = JSON.parse(esm.stdout) as string[]
    expect(names).toEqual(expect.arrayContaining(['authErrorOf', 'createAuthClient', 'isAuthClientError']))
    expect(JSON.parse(cjs.stdout)).toEqual(names)
  })
})

describe.each(Object.entries(AXIOS))('its types with axios %s', (name, folder) => {
  it.each(Object.entries(WAYS))('compile under %s', async (way, { extension, options }) => {
    const home = path.join(packed.place, `${name} ${way}`)
    cpSync(path.join(project, 'node_modules'), path.join(home, 'node_modules'), { recursive: true })
    if (folder !== 'axios') {
      rmSync(path.join(home, 'node_modules/axios'), { recursive: true })
      cpSync(path.join(repository, 'node_modules', folder), path.join(home, 'node_modules/axios'), {
        recursive: true,
      })
    }
    expect(manifestOf(path.join(home, 'node_modules/axios')).version).toContain(
      name === 'latest' ? '1.' : name,
    )
    cpSync(path.join(consumer, 'api.ts'), path.join(home, `api${extension}`))
    const compilerOptions = {
      ...options,
      target: 'es2020',
      lib: ['es2022', 'dom'],
      types: [],
      strict: true,
      noEmit: true,
      skipLibCheck: false,
    }
    writeFileSync(
      path.join(home, 'tsconfig.json'),
      JSON.stringify({ compilerOptions, files: [`api${extension}`] }),
    )
    await checkTypes(home)
  })
})

function installed(): string {
  return path.join(project, 'node_modules/axios-auth-client')
}
