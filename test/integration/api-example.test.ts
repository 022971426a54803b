import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { fingerprint } from '../../src/protocol/fingerprint.js';
import { generateKeyBundle } from '../../src/nkeys/key-bundle.js';
import { atEnd } from '../support/cleanup.js';
import { hasProgram } from '../support/has-program.js';
import { SEED } from '../support/refusal.js';
import { waitFor } from '../support/wait-for.js';
import { ZESTER } from '../support/zester-command.js';
import { zester } from '../cli/run-zester.js';
import { createToken } from './fleet/asking.js';
import { startFleet } from './fleet/fleet.js';

const EXAMPLE = fileURLToPath(new URL('../../examples/api_client.py', import.meta.url));
const hasPython = hasProgram('python3');

/** Starts a program, and collects its output. */
function started(program: string, ...args: string[]) {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'close');
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += String(data)));
  atEnd(async () => {
    child.kill('SIGINT');
    await ended;
  });
  return {
    ended,
    text: () => output,
    until: (pattern: RegExp) => waitFor(`${pattern} in ${output}`, () => pattern.exec(output) ?? undefined),
  };
}

it.skipIf(!hasPython)(
  `a program of Python's standard library accepts peels over the HTTP interface${hasPython ? '' : ' (skipped: no python3)'}`,
  async () => {
    const fleet = await startFleet({ policy: 'manual' });
    const { dir, home } = fleet.home;
    const token = await createToken(await fleet.admin(), fleet);
    const [known, late, other] = [1, 2, 3].map(() => generateKeyBundle('user'));
    if (known === undefined || late === undefined || other === undefined) throw new Error('three keys');
    const inventory = join(dir, 'inventory.json');
    await writeFile(
      inventory,
      JSON.stringify({
        'web-1': fingerprint(known.publicKey),
        'web-2': fingerprint(late.publicKey),
        'web-3': fingerprint(late.publicKey),
      }),
    );
    const [path, viewer] = [join(dir, 'api.token'), join(dir, 'viewer.token')];
    for (const [role, out] of [
      ['approver', path],
      ['viewer', viewer],
    ] as const)
      expect(
        await zester(['api', 'create-token', role, '--role', role, '--out', out, '--home', home]),
      ).toMatchObject({ code: 0 });
    const at = ['--home', home, '--servers', fleet.servers.join(','), '--port', '0'];
    const api = started(process.execPath, ...ZESTER, 'api', ...at);
    const [url = ''] = await api.until(/http:\/\/127\.0\.0\.1:\d+/);

    await token.join('web-1', known);
    const client = started('python3', EXAMPLE, url, path, inventory);
    await client.until(/^web-1: accepted$/m);
    // the others join while the program follows the events
    await token.join('web-2', late);
    await client.until(/^web-2: accepted$/m);
    await client.until(/^peel\.accepted web-2$/m);
    await token.join('web-3', other);
    await client.until(/^web-3: left pending: .* \[ERR_FLEET_PROOF\]$/m);
    await token.join('new-1', generateKeyBundle('user'));
    await client.until(/^new-1: not in the inventory, left pending$/m);

    await writeFile(inventory, JSON.stringify({ 'new-1': '0000-0000-0000-0000-0000' }));
    const denied = started('python3', EXAMPLE, url, viewer, inventory);
    expect(await denied.ended).toEqual([1, null]);
    expect(denied.text()).toMatch(/refused: .* \[ERR_FLEET_DENIED\]/);
    const secret = (await readFile(path, 'utf8')).trim();
    expect(client.text() + api.text()).not.toContain(secret);
    expect(client.text() + api.text()).not.toMatch(SEED);
  },
);
