import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { joinFleet } from '../../../src/peel/join.js';
import { startFleet } from './fleet.js';
import { TestPeel, tokenFile } from './peels.js';

it.each<[string, () => never]>([
  [
    'throws',
    () => {
      throw new Error('mine');
    },
  ],
  ['rejects', () => Promise.reject(new Error('mine')) as never],
])('a callback that %s keeps no master from answering, and no host from joining', async (_how, bad) => {
  const warnings: string[] = [];
  const note = (warning: Error) => void warnings.push(warning.message);
  process.on('warning', note);
  onTestFinished(() => void process.off('warning', note));
  const fleet = await startFleet({
    policy: 'auto-trusted',
    logger: { debug: bad, info: bad, warn: bad, error: bad },
    now: bad,
  });
  const admin = await fleet.admin();
  const out = join(fleet.home.dir, 'web-01.creds');
  const token = await tokenFile(fleet, admin);
  await joinFleet({ servers: fleet.servers, token, peelId: 'web-01', out, onEvent: bad, now: bad });
  const { peel } = await TestPeel.start(fleet, out, { onEvent: bad });
  await fleet.record('web-01', ({ state }) => state === 'active');
  await peel.rotate();
  await peel.drain();
  await fleet.master.stop();
  for (const name of ['logger', 'onEvent', 'now']) {
    expect(warnings.filter((text) => text.startsWith(`the callback ${name} failed: `))).not.toEqual([]);
  }
});
