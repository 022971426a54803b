import { expect, it } from 'vitest';
import { contextOf } from '../../../src/master/context-of.js';
import type { Master } from '../../../src/master/master.js';
import { refusal } from '../../support/refusal.js';
import { waitFor } from '../../support/wait-for.js';
import { startFleet } from './fleet.js';
import { addCreds, TestPeel } from './peels.js';

/** The stored value of a peel in the bucket. */
interface Stored {
  record: { state: string; number: number; keys: Record<string, unknown>[] } & Record<string, unknown>;
  [field: string]: unknown;
}

async function stored(master: Master, peelId: string): Promise<{ value: Stored; revision: number }> {
  const entry = await contextOf(master).store.peels.get(peelId);
  if (entry === null) throw new Error(`there is no ${peelId}`);
  return { value: entry.json<Stored>(), revision: entry.revision };
}

/** Changes a value, like a master of a newer version. */
async function rewrite(master: Master, peelId: string, change: (value: Stored) => Stored): Promise<void> {
  const { value, revision } = await stored(master, peelId);
  const data = JSON.stringify(change(value));
  await contextOf(master).store.peels.put(peelId, data, { previousSeq: revision });
}

it('a master keeps what a newer version wrote, and neither changes nor loses a record that it cannot judge', async () => {
  const fleet = await startFleet({ policy: 'manual', lifetimeSeconds: 900 });
  let { master } = fleet;
  const admin = await fleet.admin();
  const until = '2030-01-01T00:00:00.000Z';
  const { peel } = await TestPeel.start(fleet, await addCreds(fleet, admin, 'web-1', {}));
  await fleet.record('web-1', ({ state }) => state === 'active');
  await addCreds(fleet, admin, 'web-2', {});
  await rewrite(master, 'web-1', (value) => ({
    ...value,
    seal: { alg: 'x' },
    record: {
      ...value.record,
      quarantine: { until },
      keys: value.record.keys.map((key) => ({ ...key, hardware: { tpm: true } })),
    },
  }));
  await rewrite(master, 'web-2', (value) => ({
    ...value,
    record: { ...value.record, state: 'quarantined' },
  }));
  const unjudged = (await stored(master, 'web-2')).value;

  // by a running master, and by one that starts with these records
  for (const start of [false, true]) {
    if (start) {
      await master.stop();
      master = await fleet.startMaster({ policy: 'manual', lifetimeSeconds: 900 });
    }
    const before = (await stored(master, 'web-1')).value.record.number;
    await peel.rotate();
    const { value } = await waitFor('the new key', async () => {
      const now = await stored(master, 'web-1');
      return now.value.record.number > before && now;
    });
    expect(value).toMatchObject({ seal: { alg: 'x' }, record: { quarantine: { until } } });
    expect(value.record.keys).toContainEqual(expect.objectContaining({ hardware: { tpm: true } }));
    await refusal('ERR_FLEET_RECORD', () => admin.ask('peel.label', { peelId: 'web-2', set: { a: 'b' } }));
    expect((await stored(master, 'web-2')).value).toEqual(unjudged);
  }
});
