import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { Kvm } from '@nats-io/kv';
import { expect, it } from 'vitest';
import { contextOf } from '../../../src/master/context-of.js';
import { restoreRecords } from '../../../src/master/registry/restore-records.js';
import { PEELS_BUCKET } from '../../../src/permissions/names.js';
import { zester } from '../../cli/run-zester.js';
import { keptLog } from '../../support/kept-log.js';
import { waitFor } from '../../support/wait-for.js';
import { connectUser } from './asking.js';
import { startFleet } from './fleet.js';
import { addCreds } from './peels.js';

it('a record that lost its last decisions, as with a truncated file, has them again when a master starts or reconnects', async () => {
  const fleet = await startFleet({ lifetime: 3_600 });
  const admin = await fleet.admin();
  for (const id of ['web-1', 'web-2']) await addCreds(fleet, admin, id);
  const nc = await connectUser(fleet, 'disk', undefined);
  const bucket = await new Kvm(nc).open(PEELS_BUCKET);
  const before = (await bucket.get('web-1'))?.value ?? new Uint8Array();
  const record = async () =>
    (await bucket.get('web-1'))?.json<{ record: { state: string; keys: { state: string }[] } }>().record;
  await admin.ask('peel.revoke', { peelId: 'web-1', reason: 'gone' });
  await waitFor('the revocation', async () => (await record())?.keys[0]?.state === 'revoked');
  const was = await record();
  await fleet.master.stop();
  await bucket.put('web-1', before);
  expect((await record())?.state).toBe('accepted');

  const next = await fleet.startMaster({ lifetime: 3_600 });
  expect(contextOf(next).registry.get('web-1')).toEqual(was);
  expect(await record()).toEqual(was);

  const at = ['--home', fleet.home.home, '--servers', ...fleet.servers];
  const { stdout } = await zester(['doctor', '--integrity', ...at]);
  expect(stdout).not.toMatch(/^error/m);

  // without a master, which would decide on the old record itself
  await next.stop();
  await bucket.put('web-1', before);
  const store = { js: jetstream(nc), jsm: await jetstreamManager(nc), peels: bucket };
  expect(await restoreRecords(store, keptLog().logger)).toEqual(['web-1']);
  expect(await record()).toEqual(was);
  expect(await restoreRecords(store, keptLog().logger)).toEqual([]);
});
