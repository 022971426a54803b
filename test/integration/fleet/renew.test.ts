import { beforeAll, describe, expect, it } from 'vitest';
import { loadKeyBundleFromFile } from '../../../src/creds/load-key-bundle.js';
import { newRequestId, type AdminClient } from '../../../src/protocol/admin-client.js';
import { decodeUserJwt } from '../../../src/jwt/decode.js';
import { FleetError } from '../../../src/errors.js';
import type { PeelRecord } from '../../../src/protocol/records/record.js';
import { decideFresh } from '../../../src/master/registry/decide-fresh.js';
import { generateKeyBundle, type KeyBundle } from '../../../src/nkeys/key-bundle.js';
import { peelInboxPrefix } from '../../../src/permissions/names.js';
import { contextOf } from '../../../src/master/context-of.js';
import { refusal } from '../../support/refusal.js';
import { waitFor } from '../../support/wait-for.js';
import { addPeel, BarePeel, connectUser, createToken } from './asking.js';
import { startFleet, type Fleet } from './fleet.js';

let fleet: Fleet;
let admin: AdminClient;
/** The offset of the masters' clock, in milliseconds. */
let ahead = 0;
beforeAll(async () => {
  fleet = await startFleet({ policy: 'manual', lifetime: 900, now: () => Date.now() + ahead });
  admin = await fleet.admin();
});

const key = (): KeyBundle => generateKeyBundle('user');

describe('a renewal', () => {
  it('issues a newer JWT for the same key, with the master’s lifetime', async () => {
    const peel = await addPeel(fleet, admin, 'renew-1', { expiry: 60 });
    await fleet.record('renew-1', ({ state }) => state === 'active');
    ahead = 5_000;
    try {
      const { jwt, now, requestId, rotate } = await peel.renew('request-1234');
      const claims = decodeUserJwt(jwt);
      expect(claims).toMatchObject({ name: 'renew-1', sub: peel.key.publicKey });
      expect((claims.exp ?? 0) - claims.iat).toBe(900);
      expect(Math.abs(now - 5_000 - Date.now())).toBeLessThan(30_000);
      expect(requestId).toBe('request-1234');
      expect(rotate).toBeUndefined();
      expect(contextOf(fleet.master).registry.get('renew-1')).toMatchObject({
        state: 'active',
        keys: [{ state: 'live', expiresAt: claims.exp, issuedAt: claims.iat }],
      });
      // it connects
      await BarePeel.connect(fleet, 'renew-1', peel.key, jwt);
    } finally {
      ahead = 0;
    }
  });

  it('that is retried without an answer gives the same JWT, and one event', async () => {
    const peel = await addPeel(fleet, admin, 'renew-2');
    const requestId = newRequestId();
    const first = await peel.renew(requestId);
    ahead = 3_000;
    const second = await peel.renew(requestId);
    const other = await peel.renew();
    ahead = 0;
    expect(second.jwt).toBe(first.jwt);
    expect(other.jwt).not.toBe(first.jwt);
    const events = (await fleet.audit('renew-2')).filter(({ kind }) => kind === 'key.renewed');
    expect(events).toHaveLength(2);
    expect(events[0]).toMatchObject({ by: { kind: 'peel', name: 'renew-2' } });
  });

  it("is never older than the previous one, even if the answering master's clock is slow", async () => {
    const peel = await addPeel(fleet, admin, 'renew-3');
    const before = decodeUserJwt((await peel.renew()).jwt);
    ahead = -120_000;
    const after = decodeUserJwt((await peel.renew()).jwt);
    ahead = 0;
    expect(after.iat).toBeGreaterThanOrEqual(before.iat);
  });

  it('is answered by one of several masters, and any of them can take over', async () => {
    const peel = await addPeel(fleet, admin, 'renew-4');
    const second = await fleet.startMaster({ policy: 'manual' });
    const requestId = newRequestId();
    const answers = await Promise.all(Array.from({ length: 6 }, () => peel.renew(requestId)));
    expect(new Set(answers.map(({ jwt }) => jwt)).size).toBe(1);
    await second.stop();
    expect((await peel.renew(requestId)).jwt).toBe(answers[0]?.jwt);
    expect((await fleet.audit('renew-4')).filter(({ kind }) => kind === 'key.renewed')).toHaveLength(1);
  });

  it('that a master received is answered before the master stops', async () => {
    const leaving = await fleet.startMaster({ policy: 'manual' });
    const peels = await Promise.all(
      Array.from({ length: 10 }, (_, i) => addPeel(fleet, admin, `leaving-${i}`)),
    );
    const renewals = peels.flatMap((peel) => Array.from({ length: 8 }, () => peel.renew()));
    await Promise.all([leaving.stop(), ...renewals]);
    expect(contextOf(leaving).nc.isClosed()).toBe(true);
    // and while it ends, the others continue
    await Promise.all(peels.map((peel) => peel.renew()));
  });

  it("of a key that is not the peel's is refused and audited", async () => {
    const peel = await addPeel(fleet, admin, 'renew-5');
    const stranger = key().publicKey;
    const refused = await refusal('ERR_FLEET_KEY_UNKNOWN', () => peel.renew(newRequestId(), stranger));
    expect(refused).toMatchObject({ final: false });
    const event = await fleet.audited('request.refused', ({ publicKey }) => publicKey === stranger);
    expect(event).toMatchObject({ peelId: 'renew-5', code: 'ERR_FLEET_KEY_UNKNOWN' });
    await waitFor('its address in the event', async () => {
      const second = key().publicKey;
      await refusal('ERR_FLEET_KEY_UNKNOWN', () => peel.renew(newRequestId(), second));
      return (await fleet.audited('request.refused', (e) => e.publicKey === second)).from?.includes(
        '127.0.0.1',
      );
    });
  });

  it('of a pending peel is refused, but not permanently', async () => {
    const { path } = await fleet.home.issue('renew-6', 600);
    const { nc } = await fleet.home.peel('renew-6', path);
    await fleet.record('renew-6', ({ state }) => state === 'pending');
    const bundle = await loadKeyBundleFromFile('user', path);
    const peel = new BarePeel('renew-6', bundle, nc, (await fleet.home.domain()).publicKeys.account);
    expect(await refusal('ERR_FLEET_PENDING', () => peel.renew())).toMatchObject({ final: false });
    await admin.ask('peel.accept', { peelId: 'renew-6' });
    expect(decodeUserJwt((await peel.renew()).jwt).sub).toBe(bundle.publicKey);
  });

  it('of an unknown peel is refused, but not permanently', async () => {
    const nc = await connectUser(
      fleet,
      'ghosts',
      { publish: { allow: ['zester.auth.ghost.>'] }, subscribe: { allow: ['>'] } },
      peelInboxPrefix('ghost'),
    );
    const peel = new BarePeel('ghost', key(), nc, (await fleet.home.domain()).publicKeys.account);
    expect(await refusal('ERR_FLEET_UNKNOWN_PEEL', () => peel.renew())).toMatchObject({ final: false });
  });

  it('of a revoked key, or of a revoked or rejected peel, is permanently refused', async () => {
    const account = (await fleet.home.domain()).publicKeys.account;
    // the server has cut the peel itself: another user listens to the master's answer
    const ask = async (peelId: string, of: BarePeel) => {
      const nc = await connectUser(
        fleet,
        'ghosts',
        { publish: { allow: [`zester.auth.${peelId}.>`] }, subscribe: { allow: ['>'] } },
        peelInboxPrefix(peelId),
      );
      return new BarePeel(peelId, of.key, nc, account).renew();
    };
    const one = await addPeel(fleet, admin, 'gone-1');
    await admin.ask('peel.revoke', { peelId: 'gone-1', publicKey: one.key.publicKey });
    expect(await refusal('ERR_FLEET_REVOKED', () => ask('gone-1', one))).toMatchObject({ final: true });
    const two = await addPeel(fleet, admin, 'gone-2');
    await admin.ask('peel.revoke', { peelId: 'gone-2' });
    expect(await refusal('ERR_FLEET_REVOKED', () => ask('gone-2', two))).toMatchObject({ final: true });
    const three = await addPeel(fleet, admin, 'gone-3');
    await admin.ask('peel.reject', { peelId: 'gone-3' });
    expect(await refusal('ERR_FLEET_REJECTED', () => ask('gone-3', three))).toMatchObject({ final: true });
  });

  it('notifies a peel to rotate its key until it has', async () => {
    const peel = await addPeel(fleet, admin, 'renew-8');
    await fleet.record('renew-8', ({ state }) => state === 'active');
    await admin.ask('peel.rotate', { peelId: 'renew-8' });
    expect(await peel.renew()).toMatchObject({ rotate: true });
    const newKey = key();
    const { jwt } = await peel.rotate(peel.rotateRequest(newKey));
    const next = await BarePeel.connect(fleet, 'renew-8', newKey, jwt);
    await fleet.record('renew-8', ({ rotationAskedAt }) => rotationAskedAt === undefined);
    expect((await next.renew()).rotate).toBeUndefined();
  });
});

describe('a rotation', () => {
  it('issues a JWT for the new key; the old one works until the new one has connected, and is then revoked', async () => {
    const peel = await addPeel(fleet, admin, 'rotate-1');
    await fleet.record('rotate-1', ({ state }) => state === 'active');
    const newKey = key();
    const { jwt } = await peel.rotate(peel.rotateRequest(newKey));
    expect(decodeUserJwt(jwt)).toMatchObject({ sub: newKey.publicKey, name: 'rotate-1' });
    // a peel that could not write its file continues with the old key
    await peel.renew();
    const next = await BarePeel.connect(fleet, 'rotate-1', newKey, jwt);
    await fleet.record('rotate-1', ({ keys }) => keys[0]?.state === 'retired' && keys[1]?.state === 'live');
    await refusal('ERR_FLEET_STATE', () => peel.renew());
    await next.renew();
    expect((await fleet.audit('rotate-1')).find(({ kind }) => kind === 'key.rotated')).toMatchObject({
      replaces: peel.key.publicKey,
      key: { publicKey: newKey.publicKey },
      by: { kind: 'peel', name: 'rotate-1' },
    });
  });

  it('returns the same JWT and one event when retried', async () => {
    const peel = await addPeel(fleet, admin, 'rotate-2');
    const request = peel.rotateRequest(key());
    const first = await peel.rotate(request);
    expect((await peel.rotate(request)).jwt).toBe(first.jwt);
    expect((await fleet.audit('rotate-2')).filter(({ kind }) => kind === 'key.rotated')).toHaveLength(1);
  });

  it('for the same new key in a second request, from a peel that lost the first, gives another JWT for that key', async () => {
    const peel = await addPeel(fleet, admin, 'rotate-3');
    const newKey = key();
    await peel.rotate(peel.rotateRequest(newKey));
    await peel.rotate(peel.rotateRequest(newKey));
    expect(contextOf(fleet.master).registry.get('rotate-3')?.keys).toHaveLength(2);
  });

  it('that is not signed by both keys is refused and audited', async () => {
    const peel = await addPeel(fleet, admin, 'rotate-4');
    const newKey = key();
    const good = peel.rotateRequest(newKey);
    const other = peel.rotateRequest(key(), good.requestId);
    for (const forged of [
      { ...good, signature: good.newSignature },
      { ...good, newSignature: good.signature },
      { ...good, newSignature: other.newSignature },
      { ...good, requestId: newRequestId() },
      { ...good, newPublicKey: other.newPublicKey },
    ]) {
      await refusal('ERR_FLEET_PROOF', () => peel.rotate(forged));
    }
    await refusal('ERR_FLEET_REQUEST', () => peel.rotate(peel.rotateRequest(peel.key)));
    await fleet.audited('request.refused', (e) => e.peelId === 'rotate-4' && e.code === 'ERR_FLEET_PROOF');
    expect(contextOf(fleet.master).registry.get('rotate-4')?.keys).toHaveLength(1);
  });

  it('to a key of another peel is refused, regardless of which peel asks first', async () => {
    const one = await addPeel(fleet, admin, 'rotate-5');
    const two = await addPeel(fleet, admin, 'rotate-6');
    await refusal('ERR_FLEET_KEY_TAKEN', () => one.rotate(one.rotateRequest(two.key)));
    await fleet.startMaster({ policy: 'manual' });
    const newKey = key();
    const answers = await Promise.allSettled([
      one.rotate(one.rotateRequest(newKey)),
      two.rotate(two.rotateRequest(newKey)),
    ]);
    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(answers.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: { code: 'ERR_FLEET_KEY_TAKEN' },
    });
  });

  it('by a peel that never uses its new keys is limited, so that its record does not grow', async () => {
    const peel = await addPeel(fleet, admin, 'rotate-7');
    for (let i = 0; i < 4; i++) await peel.rotate(peel.rotateRequest(key()));
    await refusal('ERR_FLEET_STATE', () => peel.rotate(peel.rotateRequest(key())));
    await peel.renew();
  });
});

it('a refusal relies on the record in JetStream, not on a master’s cache', async () => {
  const deaf = await fleet.startMaster({ policy: 'manual' });
  await admin.ask('peel.add', { requestId: newRequestId(), peelId: 'stale-1', publicKey: key().publicKey });
  await admin.ask('peel.revoke', { peelId: 'stale-1' });
  const { registry } = contextOf(deaf);
  await fleet.record('stale-1', ({ state }) => state === 'revoked', deaf);
  // it receives nothing from now on
  registry.close();
  const { publicKey } = key();
  const request = { requestId: newRequestId(), peelId: 'stale-1', publicKey, replace: true };
  await waitFor('the other master to have answered', async () => {
    await admin.ask('peel.add', { ...request });
    return contextOf(fleet.master).registry.get('stale-1')?.state === 'accepted';
  });
  // the deaf master also takes requests, and must not refuse a peel that it does not know yet
  const peels = Array.from({ length: 8 }, (_, i) => `stale-${i + 2}`);
  for (const peelId of peels) {
    const token = await createToken(admin, fleet);
    const bundle = key();
    await token.join(peelId, bundle);
    await admin.ask('peel.accept', { peelId });
    const peel = await BarePeel.connect(fleet, peelId, bundle, await token.joined(peelId, bundle));
    await peel.renew();
    await peel.rotate(peel.rotateRequest(key()));
  }
  const decide = (record: PeelRecord | undefined) => {
    if (record?.state === 'revoked')
      throw new FleetError('ERR_FLEET_REVOKED', 'it is revoked', { final: true });
    return undefined;
  };
  expect((await decideFresh(registry, 'stale-1', decide)).record.state).toBe('accepted');
  await deaf.stop();
});

it('a peel that joined with a token is like any other: it renews and rotates', async () => {
  const token = await createToken(admin, fleet);
  const bundle = key();
  await token.join('joined-1', bundle);
  await admin.ask('peel.accept', { peelId: 'joined-1' });
  const peel = await BarePeel.connect(fleet, 'joined-1', bundle, await token.joined('joined-1', bundle));
  await peel.renew();
  await peel.rotate(peel.rotateRequest(key()));
});
