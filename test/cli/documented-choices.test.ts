import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import exec from '../../src/cli/commands/peel/exec.js';
import list from '../../src/cli/commands/peel/list.js';
import { PEEL_COLUMNS } from '../../src/cli/fleet/peel-columns.js';
import { DEFAULT_LIFETIME_SECONDS } from '../../src/master/default-options.js';
import { POLICIES } from '../../src/master/requests/policy.js';
import { DEFAULT_REPLICAS } from '../../src/master/store/replicas.js';
import { BUILT_IN_HANDLERS } from '../../src/peel/built-in-handlers.js';

const read = (path: string) => readFile(new URL(`../../${path}`, import.meta.url), 'utf8');

describe('the documentation', () => {
  it('explains each policy in docs/fleet.md', async () => {
    const text = await read('docs/fleet.md');
    for (const policy of POLICIES) expect(text).toContain(`\n- \`${policy}\``);
  });

  it('names the built-in handlers in the documents and the help', async () => {
    const names = Object.keys(BUILT_IN_HANDLERS);
    expect(await read('docs/fleet.md')).toContain(`${names.join(' and ')} are built in`);
    const inCode = names.map((name) => `\`${name}\``).join(' and ');
    expect(await read('docs/library/agent.md')).toContain(`${inCode} are built in`);
    const quoted = names.map((name) => `"${name}"`).join(' and ');
    expect(exec.notes).toContain(`the handlers ${quoted}`);
  });

  it('gives the defaults of a master in docs/fleet.md and its options', async () => {
    const [manual, options] = [await read('docs/fleet.md'), await read('src/master/master.ts')];
    const { clustered } = DEFAULT_REPLICAS;
    expect(manual).toContain(`(${DEFAULT_LIFETIME_SECONDS / 3_600} h by default)`);
    expect(manual).toContain(`the registry has ${clustered} replicas`);
    const seconds = DEFAULT_LIFETIME_SECONDS.toLocaleString('en');
    expect(options).toContain(`JWTs, in seconds; ${seconds} by default`);
    expect(options).toContain(`in a cluster; ${clustered} by default`);
  });

  it('names each column in the help of peel list', () => {
    const [, listed = ''] = /^Columns: ([^.]*)\./m.exec(list.notes ?? '') ?? [];
    expect(listed.split(/,\s+/)).toEqual(Object.keys(PEEL_COLUMNS));
  });
});
