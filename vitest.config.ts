import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { compiledSources } from './test/support/compiled-sources.js';

/**
 * Begins with the files that take longest: those that install packages, start servers or measure. The many short ones fill
 * the end. The files of a project stay together, so that a worker keeps its modules from one file to the next.
 */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const projects = ['node-alone', 'node-mocks', 'sodium-alone', 'sodium', 'oldest-server', 'node'];
    const groups = ['/test/packaging/', '/test/integration/', '/'];
    const rankOf = ({ project, moduleId }: TestSpecification) =>
      projects.indexOf(project.name) * groups.length + groups.findIndex((part) => moduleId.includes(part));
    return sorted.sort((one, other) => rankOf(one) - rankOf(other));
  }
}

/** Files that replace a module of the sources, or count its calls: Vite loads those for them. */
const WITH_MOCKS = [
  'test/jwt/verified.test.ts',
  'test/master/watch/{judge,system-events}.test.ts',
  'test/integration/fleet/{breaker,stop-with-change}.test.ts',
];

/** More files that need a fresh worker. All others share the modules of their worker, which halves their time. */
const ALONE = [
  // count what a module does, which another file may have made it do before
  'test/creds/no-seed-shown.test.ts',
  // listen to the process or measure it
  'test/integration/{connection,fleet}/callbacks.test.ts',
  'test/integration/connection/reconnect-buffer.test.ts',
  'test/integration/fleet/{flood,slopes,soak}.test.ts',
  'test/security/{hostile-listeners,load,mutated-messages}.test.ts',
];

const ISOLATED = [...WITH_MOCKS, ...ALONE];

/** Keys, JWTs and credentials, on sodium-native too. */
const ON_SODIUM = ['test/{nkeys,jwt,creds,provision}/**/*.test.ts', 'test/integration/spec.test.ts'];

/** What a fleet rests on, which runs on a second server as well, where run-tests names one. */
const CORE = 'test/integration/fleet/{attack,bootstrap,enroll,renew,rotation,several-masters}.test.ts';
const OLDEST_SERVER = process.env['ZESTER_TEST_OLDEST_SERVER'];

const setupFiles = ['test/support/end-of-file.ts'];
const node = { env: { ZESTER_ED25519: 'node' }, setupFiles };
const sodium = { env: { ZESTER_ED25519: 'sodium' }, setupFiles };

/** Where `run-tests` has compiled the sources. Without it, a run starts sooner, and a stack trace has the lines of the sources. */
const COMPILED = process.env['ZESTER_TEST_COMPILED'];
const plugins = COMPILED === undefined ? [] : [compiledSources(COMPILED)];

export default defineConfig({
  // examples import the package by its name: here it is the source
  resolve: {
    alias: [{ find: /^zester$/, replacement: fileURLToPath(new URL('src/index.ts', import.meta.url)) }],
  },
  test: {
    // everything on what a user gets who installs nothing else
    projects: [
      { extends: true, test: { ...node, name: 'node-mocks', include: WITH_MOCKS } },
      { extends: true, plugins, test: { ...node, name: 'node-alone', include: ALONE } },
      {
        extends: true,
        plugins,
        test: {
          ...node,
          name: 'node',
          include: ['test/**/*.test.ts'],
          exclude: ISOLATED,
          isolate: false,
        },
      },
      {
        extends: true,
        test: {
          ...sodium,
          name: 'sodium-alone',
          include: ISOLATED.filter((path) => /^test\/(jwt|creds)/.test(path)),
        },
      },
      {
        extends: true,
        plugins,
        test: {
          ...sodium,
          name: 'sodium',
          include: ON_SODIUM,
          exclude: ISOLATED,
          isolate: false,
        },
      },
      ...(OLDEST_SERVER === undefined
        ? []
        : [
            {
              extends: true as const,
              plugins,
              test: {
                ...node,
                name: 'oldest-server',
                include: [CORE],
                isolate: false,
                env: { ...node.env, ZESTER_NATS_SERVER: OLDEST_SERVER },
              },
            },
          ]),
    ],
    // Node.js loads what run-tests compiled
    server: { deps: { external: [/\/zester-compiled\.[^/]+\/src\//] } },
    testTimeout: 60_000,
    hookTimeout: 90_000,
    // CI has two cores. Most of the time of the long tests is waiting: for a credential to expire, a lease to lapse, a
    // command to give up.
    maxWorkers: 5,
    // Tests make many short-lived objects, and run most code a few times only: collect garbage less often, and let V8
    // optimize later.
    execArgv: ['--max-semi-space-size=64', '--interrupt-budget=660000'],
    sequence: { sequencer: LongestFirst },
    reporters: ['default', './test/support/summary-reporter.ts'],
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      reporter: ['text-summary', 'text'],
    },
  },
});
