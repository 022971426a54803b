import type { Msg } from '@nats-io/nats-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadCredsFile } from '../../../src/creds/parse.js';
import type { AdminClient } from '../../../src/protocol/admin-client.js';
import { encodeJson } from '../../../src/protocol/messages.js';
import { requestPeel } from '../../../src/fleet-client/request-peel.js';
import { noticeSubject } from '../../../src/permissions/names.js';
import { contextOf } from '../../../src/master/context-of.js';
import { refusal } from '../../support/refusal.js';
import { waitFor } from '../../support/wait-for.js';
import { generateKeyBundle } from '../../../src/nkeys/key-bundle.js';
import { addPeel, connectUser } from './asking.js';
import { startFleet, type Fleet } from './fleet.js';
import { addCreds, TestPeel } from './peels.js';

let fleet: Fleet;
let admin: AdminClient;
beforeAll(async () => {
  fleet = await startFleet();
  admin = await fleet.admin();
});

/** The current key of the record. */
async function liveKey(peelId: string, publicKey: string): Promise<void> {
  await fleet.record(peelId, ({ keys }) =>
    keys.some((key) => key.publicKey === publicKey && key.state === 'live'),
  );
}

describe('a rotation', () => {
  it('that the peel starts replaces its key, in the file and on the connection, after the old one has drained', async () => {
    const test = await TestPeel.start(fleet, await addCreds(fleet, admin, 'own-1'));
    const old = test.peel.credentials.publicKey;
    await liveKey('own-1', old);
    const publicKey = await test.peel.rotate();
    expect(publicKey).not.toBe(old);
    expect((await loadCredsFile(test.credsPath)).publicKey).toBe(publicKey);
    expect(await test.event('keyRotated')).toMatchObject({ publicKey, replaces: old });
    await liveKey('own-1', publicKey);
    const record = await fleet.record('own-1', ({ keys }) => keys[0]?.state !== 'live');
    expect(record.keys.map((key) => key.publicKey)).toEqual([old, publicKey]);
    expect(test.of('disconnected')).toEqual([]);
  });

  it('requested several times at once happens once', async () => {
    const test = await TestPeel.start(fleet, await addCreds(fleet, admin, 'once-1'));
    await liveKey('once-1', test.peel.credentials.publicKey);
    const keys = await Promise.all([test.peel.rotate(), test.peel.rotate(), test.peel.rotate()]);
    expect(new Set(keys).size).toBe(1);
    expect(test.of('keyRotated')).toHaveLength(1);
  });

  it('requested by an admin is done at once by a connected peel', async () => {
    const test = await TestPeel.start(fleet, await addCreds(fleet, admin, 'notified-1'));
    const old = test.peel.credentials.publicKey;
    await liveKey('notified-1', old);
    await waitFor(
      'its presence',
      () => contextOf(fleet.master).presence.get('notified-1')?.connections.length,
    );
    const { outcome } = await admin.ask('peel.rotate', { peelId: 'notified-1' });
    expect(outcome).toBe('told');
    const { publicKey } = await test.event('keyRotated');
    await fleet.record('notified-1', ({ rotationAskedAt }) => rotationAskedAt === undefined);
    await liveKey('notified-1', publicKey);
    expect(publicKey).not.toBe(old);
  });

  it('requested by an admin for a disconnected peel happens when it renews', async () => {
    const credsPath = await addCreds(fleet, admin, 'away-1', { expiry: 60 });
    const first = await TestPeel.start(fleet, credsPath, { renew: false });
    await liveKey('away-1', first.peel.credentials.publicKey);
    await first.peel.drain();
    await waitFor(
      'it to be away',
      () => contextOf(fleet.master).presence.get('away-1')?.connections.length === 0,
    );
    expect((await admin.ask('peel.rotate', { peelId: 'away-1' })).outcome).toBe('asked');
    const test = await TestPeel.start(fleet, credsPath);
    const { replaces } = await test.event('keyRotated');
    expect(replaces).toBe(first.peel.credentials.publicKey);
    await fleet.record('away-1', ({ rotationAskedAt }) => rotationAskedAt === undefined);
  });

  it('requested by an admin in the same second in which the peel was added is carried out', async () => {
    const credsPath = await addCreds(fleet, admin, 'quick-1');
    const test = await TestPeel.start(fleet, credsPath);
    await admin.ask('peel.rotate', { peelId: 'quick-1' });
    const { replaces } = await test.event('keyRotated');
    expect(replaces).not.toBe(test.peel.credentials.publicKey);
    expect(test.of('noticeIgnored')).toEqual([]);
  });

  it('is not started by a replayed notice, in a running or restarted peel', async () => {
    const test = await TestPeel.start(fleet, await addCreds(fleet, admin, 'again-1'));
    await liveKey('again-1', test.peel.credentials.publicKey);
    const mallory = await connectUser(fleet, 'mallory', undefined);
    const subject = noticeSubject('again-1');
    let recorded: Msg | undefined;
    mallory.subscribe(subject, {
      callback: (_error, msg) => {
        recorded ??= msg;
      },
    });
    await mallory.flush();
    await admin.ask('peel.rotate', { peelId: 'again-1' });
    const { publicKey } = await test.event('keyRotated');
    await liveKey('again-1', publicKey);
    const { data, headers } = await waitFor('the notice', () => recorded);
    const replay = { ...(headers && { headers }) };

    mallory.publish(subject, data, replay);
    expect((await test.event('noticeIgnored')).error.message).toContain('key that is not in use');
    await test.peel.drain();
    const restarted = await TestPeel.start(fleet, test.credsPath);
    mallory.publish(subject, data, replay);
    expect((await restarted.event('noticeIgnored')).error.code).toBe('ERR_FLEET_ANSWER');
    await restarted.peel.drain();
    expect((await loadCredsFile(test.credsPath)).publicKey).toBe(publicKey);
    expect(test.of('keyRotated')).toHaveLength(1);
    expect(restarted.of('keyRotated')).toEqual([]);
    expect((await fleet.record('again-1', () => true)).keys).toHaveLength(2);
  });

  it('under a stream of commands neither loses nor doubles any', async () => {
    let ran = 0;
    const test = await TestPeel.start(fleet, await addCreds(fleet, admin, 'busy-1'), {
      handlers: {
        count: async ([text]) => {
          ran += 1;
          await new Promise((resolve) => setTimeout(resolve, 20));
          return text;
        },
      },
    });
    await liveKey('busy-1', test.peel.credentials.publicKey);
    const nc = await connectUser(fleet, 'busy', undefined);
    const asked: Promise<string>[] = [];
    let running = true;
    const asking = (async () => {
      for (let i = 0; running; i += 1) {
        const text = encodeJson({ handler: 'count', args: [String(i)] });
        asked.push(
          requestPeel(nc, 'busy-1', text).then((answer) => answer.json<{ result: string }>().result),
        );
        await new Promise((resolve) => setTimeout(resolve, 3));
      }
    })();
    // rotations may be fast, or commands slow, on some machines
    for (let i = 0; i < 5 || asked.length <= 50; i += 1) await liveKey('busy-1', await test.peel.rotate());
    running = false;
    await asking;
    const answers = await Promise.all(asked);
    expect(answers).toEqual(answers.map((_answer, i) => String(i)));
    expect(ran).toBe(answers.length);
    expect(answers.length).toBeGreaterThan(50);
    expect(test.of('disconnected')).toEqual([]);
  });
});

it('a peel with a hundred new keys within a day gets no further one, and can still renew', async () => {
  const { registry } = contextOf(fleet.master);
  const peel = await addPeel(fleet, admin, 'often-1');
  const [first] = (await fleet.record('often-1', ({ state }) => state === 'active')).keys;
  const { issuer = '' } = first ?? {};
  let replaces = peel.key.publicKey;
  const expiresAt = Math.floor(Date.now() / 1000) - 10;
  // as a hundred rotations record it, which the rate of requests spreads over minutes
  for (let i = 1; i < 100; i += 1) {
    const { publicKey } = generateKeyBundle('user');
    const key = { publicKey, issuer, issuedAt: expiresAt - 10, expiresAt };
    const by = { kind: 'peel', name: 'often-1' } as const;
    await registry.decide('often-1', () => ({ change: { kind: 'key.rotated', key, replaces }, by }));
    replaces = publicKey;
  }
  await refusal('ERR_FLEET_RATE', () => peel.rotate(peel.rotateRequest(generateKeyBundle('user'))));
  expect((await peel.renew()).jwt).toMatch(/^ey/);
});

describe.concurrent('a rotation while no master is connected', () => {
  it('continues with the same new key if the master is away meanwhile', async () => {
    const other = await startFleet();
    const others = await other.admin();
    const test = await TestPeel.start(other, await addCreds(other, others, 'patient-1'));
    await other.record('patient-1', ({ state }) => state === 'active');
    await other.master.stop();
    const rotating = test.peel.rotate();
    await test.event('renewalFailed', 2);
    const master = await other.startMaster();
    const publicKey = await rotating;
    const record = await other.record('patient-1', ({ keys }) => keys.at(-1)?.state === 'live', master);
    expect(record.keys).toHaveLength(2);
    expect(record.keys[1]?.publicKey).toBe(publicKey);
  });

  it('that does not complete before the peel stops ends with an error', async () => {
    const other = await startFleet();
    const others = await other.admin();
    const test = await TestPeel.start(other, await addCreds(other, others, 'short-lived-1'));
    await other.master.stop();
    const rotating = test.peel.rotate();
    const refused = refusal('ERR_FLEET_STATE', () => rotating);
    await test.event('renewalFailed');
    await test.peel.drain();
    await refused;
  });
});
