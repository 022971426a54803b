import { join } from 'node:path';
import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { zester } from '../../cli/run-zester.js';
import { ZESTER } from '../../support/zester-command.js';
import { clockOff } from './faults/clock.js';
import { startFleet } from './fleet.js';
import { Program } from './program.js';

const URL_OF_API = /http:\/\/127\.0\.0\.1:\d+/;

it('answers with the reason, and keeps running, when masters refuse its admin because of the clock', async () => {
  const { home, servers } = await startFleet().then((fleet) => ({ ...fleet.home, servers: fleet.servers }));
  const out = join(home, 'viewer.token');
  expect(await zester(['api', 'create-token', 'viewer', '--out', out, '--home', home])).toMatchObject({
    code: 0,
  });
  const headers = { authorization: `Bearer ${(await readFile(out, 'utf8')).trim()}` };
  const args = ['api', '--home', home, '--servers', servers.join(','), '--port', '0'];
  const api = new Program('zester api', [...clockOff(120_000), ...ZESTER, ...args], URL_OF_API);
  await api.start();
  const [url = ''] = URL_OF_API.exec(api.output) ?? [];
  // each attempt sends several requests, and any of them may be the first that is refused
  for (let i = 0; i < 30; i += 1) {
    const reply = await fetch(`${url}/api/v1/peels`, { headers });
    expect([reply.status, await reply.json()]).toMatchObject([403, { error: { code: 'ERR_FLEET_CLOCK' } }]);
  }
  expect(api.output).not.toMatch(/\n\s+at /);
});
