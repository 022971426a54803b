import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Begins with the files that start servers or install packages: they take longest, and the many short ones fill the end. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const groups = ['/test/packaging/', '/test/integration/', '/'];
    const groupOf = ({ moduleId }: TestSpecification) => groups.findIndex((part) => moduleId.includes(part));
    return sorted.sort((one, other) => groupOf(one) - groupOf(other));
  }
}

/** Folders of tests that start no server. */
const UNIT_FOLDERS =
  'account,async,backup,connection,creds,doctor,files,fleet,fleet-client,jwt,master,masters,nats-server,options,peel,' +
  'permissions,protocol,provision,text,trust';
/** Not those that count what a module does, which another file may have made it do before. */
const UNIT = [`test/{${UNIT_FOLDERS}}/**/!(verified|judge|no-seed-shown).test.ts`, 'test/*.test.ts'];

export default defineConfig({
  // examples import the package by its name: here it is the source
  resolve: {
    alias: [{ find: /^zester$/, replacement: fileURLToPath(new URL('src/index.ts', import.meta.url)) }],
  },
  test: {
    // Everything on what a user gets who installs nothing else; keys, JWTs and credentials on sodium-native too.
    projects: [
      {
        extends: true,
        test: {
          name: 'node',
          include: ['test/**/*.test.ts'],
          exclude: UNIT,
          env: { ZESTER_ED25519: 'node' },
        },
      },
      {
        extends: true,
        // the files share the modules that a worker has loaded, which halves their time
        test: { name: 'unit', include: UNIT, isolate: false, env: { ZESTER_ED25519: 'node' } },
      },
      {
        extends: true,
        test: {
          name: 'sodium',
          include: ['test/{nkeys,jwt,creds,provision}/**/*.test.ts', 'test/integration/spec.test.ts'],
          env: { ZESTER_ED25519: 'sodium' },
        },
      },
    ],
    testTimeout: 60_000,
    hookTimeout: 90_000,
    // CI has two cores. Most of the time of the long tests is waiting: for a credential to expire, a lease to lapse, a
    // command to give up.
    maxWorkers: 4,
    sequence: { sequencer: LongestFirst },
    reporters: ['default', './test/support/summary-reporter.ts'],
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      reporter: ['text-summary', 'text'],
    },
  },
});
