import { nuid } from '@nats-io/nats-core';
import { jetstream } from '@nats-io/jetstream';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadCredsFile } from '../../../src/creds/parse.js';
import type { AdminClient } from '../../../src/protocol/admin-client.js';
import { requestMaster, newRequestId } from '../../../src/protocol/admin-client.js';
import { noticeSchema, type Notice } from '../../../src/protocol/command.js';
import { isMasterOf } from '../../../src/protocol/is-master.js';
import { encodeJson, parseAnswer, refusalIn } from '../../../src/protocol/messages.js';
import { MessageSigner, verifySigned } from '../../../src/protocol/signed.js';
import { signRequest } from '../../../src/protocol/signed-request.js';
import { adminSubject, noticeSubject, PEELS_BUCKET } from '../../../src/permissions/names.js';
import { decodeUserJwt } from '../../../src/jwt/decode.js';
import { generateKeyBundle } from '../../../src/nkeys/key-bundle.js';
import { ADMIN_INBOX_PREFIX } from '../../../src/permissions/names.js';
import { contextOf } from '../../../src/master/context-of.js';
import { refusal } from '../../support/refusal.js';
import { noCluster } from '../../support/nats-servers.js';
import { waitFor } from '../../support/wait-for.js';
import { addPeel, BarePeel, connectUser, createToken } from './asking.js';
import { startFleet, startFleetCluster, type Fleet } from './fleet.js';
import * as v from 'valibot';

let fleet: Fleet;
let admin: AdminClient;
beforeAll(async () => {
  fleet = await startFleet({ policy: 'manual', lifetime: 900 });
  admin = await fleet.admin();
});

const key = () => generateKeyBundle('user');
const addRequest = (peelId: string, publicKey = key().publicKey) => ({
  requestId: newRequestId(),
  peelId,
  publicKey,
});

describe('peel.add', () => {
  it('issues a JWT for the admin’s public key: the peel is accepted, and active once it connects', async () => {
    const peel = await addPeel(fleet, admin, 'add-1', { expiry: 120 });
    const record = await fleet.record('add-1', ({ state }) => state === 'active');
    expect(record.decided?.by).toMatchObject({ kind: 'admin', name: 'zester-admin' });
    expect(record.keys).toMatchObject([{ publicKey: peel.key.publicKey, state: 'live' }]);
    expect((record.keys[0]?.expiresAt ?? 0) - (record.keys[0]?.issuedAt ?? 0)).toBe(120);
    const [event] = (await fleet.audit('add-1')).filter(({ kind }) => kind === 'key.issued');
    const signer = (await loadCredsFile((await fleet.home.domain()).paths.adminCreds)).claims.sub;
    expect(event).toMatchObject({ by: { kind: 'admin', publicKey: signer }, origin: 'peel add' });
  });

  it('returns the same JWT and one event when retried', async () => {
    const request = addRequest('add-2');
    const first = await admin.ask('peel.add', request);
    expect(await admin.ask('peel.add', request)).toEqual(first);
    expect((await fleet.audit('add-2')).filter(({ kind }) => kind === 'key.issued')).toHaveLength(1);
  });

  it('without expiry on request', async () => {
    const { jwt } = await admin.ask('peel.add', { ...addRequest('add-3'), expiry: 0 });
    expect(decodeUserJwt(jwt).exp).toBeUndefined();
  });

  it("refuses a known ID, a reserved one, and another peel's key", async () => {
    const { publicKey } = (await addPeel(fleet, admin, 'add-4')).key;
    await refusal('ERR_FLEET_ID_TAKEN', () => admin.ask('peel.add', addRequest('add-4')));
    await refusal('ERR_FLEET_ID_TAKEN', () => admin.ask('peel.add', addRequest('zester-master')));
    await refusal('ERR_FLEET_KEY_TAKEN', () => admin.ask('peel.add', addRequest('add-5', publicKey)));
    await refusal('ERR_FLEET_REQUEST', () => admin.ask('peel.add', addRequest('add.5')));
  });

  it('that replaces the key of a peel keeps the old one valid until the new one connects', async () => {
    const old = await addPeel(fleet, admin, 'add-6');
    const cut = old.nc.closed();
    await fleet.record('add-6', ({ state }) => state === 'active');
    const next = key();
    const { jwt } = await admin.ask('peel.add', { ...addRequest('add-6', next.publicKey), replace: true });
    await old.renew();
    await BarePeel.connect(fleet, 'add-6', next, jwt);
    await fleet.record('add-6', ({ keys }) => keys[0]?.state === 'retired' && keys[1]?.state === 'live');
    // it may drain for a while; do not wait for that
    await admin.ask('peel.revoke', { peelId: 'add-6', publicKey: old.key.publicKey });
    await cut;
    expect(contextOf(fleet.master).registry.get('add-6')).toMatchObject({
      state: 'active',
      keys: [{ state: 'revoked' }, { state: 'live' }],
    });
  });

  it('that replaces the key of a revoked peel accepts it again, with this key only', async () => {
    const old = await addPeel(fleet, admin, 'add-7');
    await admin.ask('peel.revoke', { peelId: 'add-7' });
    await refusal('ERR_FLEET_STATE', () =>
      admin.ask('peel.add', { ...addRequest('add-7', old.key.publicKey), replace: true }),
    );
    const next = key();
    const { jwt } = await admin.ask('peel.add', { ...addRequest('add-7', next.publicKey), replace: true });
    await BarePeel.connect(fleet, 'add-7', next, jwt);
    const record = await fleet.record('add-7', ({ state }) => state === 'active');
    expect(record.keys).toMatchObject([{ state: 'revoked' }, { state: 'live', publicKey: next.publicKey }]);
  });

  it('for a pending ID admits the admin’s key, and not the pending one', async () => {
    const token = await createToken(admin, fleet);
    const squatter = key();
    await token.join('add-8', squatter);
    await admin.ask('peel.add', { ...addRequest('add-8'), replace: true });
    await refusal('ERR_FLEET_REVOKED', () => token.join('add-8', squatter));
    expect(contextOf(fleet.master).registry.get('add-8')).toMatchObject({
      state: 'accepted',
      keys: [{ state: 'revoked' }, { state: 'issued' }],
    });
  });
});

describe('peel.accept and peel.reject', () => {
  it('accept a pending peel, idempotently, and refuse an unknown or locked-out one', async () => {
    const token = await createToken(admin, fleet);
    await token.join('decide-1', key());
    await admin.ask('peel.accept', { peelId: 'decide-1' });
    await admin.ask('peel.accept', { peelId: 'decide-1' });
    expect((await fleet.audit('decide-1')).filter(({ kind }) => kind === 'peel.accepted')).toHaveLength(1);
    await refusal('ERR_FLEET_UNKNOWN_PEEL', () => admin.ask('peel.accept', { peelId: 'nobody' }));
    await refusal('ERR_FLEET_UNKNOWN_PEEL', () => admin.ask('peel.reject', { peelId: 'nobody' }));
    await admin.ask('peel.revoke', { peelId: 'decide-1' });
    await refusal('ERR_FLEET_STATE', () => admin.ask('peel.accept', { peelId: 'decide-1' }));
    await refusal('ERR_FLEET_STATE', () => admin.ask('peel.reject', { peelId: 'decide-1' }));
  });

  it('reject an active peel: it is notified and cut, and its key is revoked', async () => {
    const peel = await addPeel(fleet, admin, 'decide-2');
    await fleet.record('decide-2', ({ state }) => state === 'active');
    const notice = noticeTo(peel);
    const cut = peel.nc.closed();
    const { record } = await admin.ask('peel.reject', { peelId: 'decide-2', reason: 'sold' });
    expect(record).toMatchObject({ state: 'rejected', keys: [{ state: 'revoked' }] });
    expect(await notice).toMatchObject({ kind: 'ended', code: 'ERR_FLEET_REJECTED', reason: 'sold' });
    await cut;
  });
});

describe('peel.revoke', () => {
  it('succeeds when every server has confirmed; the peel is notified before it is cut', async () => {
    const peel = await addPeel(fleet, admin, 'revoke-1');
    await fleet.record('revoke-1', ({ state }) => state === 'active');
    const notice = noticeTo(peel);
    const cut = peel.nc.closed();
    const answer = await admin.ask('peel.revoke', { peelId: 'revoke-1', reason: 'stolen' });
    expect(answer.revoked).toEqual([peel.key.publicKey]);
    expect(answer.record).toMatchObject({ state: 'revoked', decided: { reason: 'stolen' } });
    expect(await notice).toMatchObject({ kind: 'ended', peelId: 'revoke-1', reason: 'stolen' });
    await cut;
    // idempotent
    expect((await admin.ask('peel.revoke', { peelId: 'revoke-1' })).revoked).toEqual(answer.revoked);
    const kinds = (await fleet.audit('revoke-1')).map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind.endsWith('revoked'))).toEqual(['peel.revoked', 'key.revoked']);
  });

  it("refuses an unknown ID and a key that is not the peel's, and notifies no peel", async () => {
    const peel = await addPeel(fleet, admin, 'revoke-2');
    let notices = 0;
    peel.nc.subscribe(noticeSubject('revoke-2'), {
      callback: () => {
        notices += 1;
      },
    });
    await refusal('ERR_FLEET_UNKNOWN_PEEL', () => admin.ask('peel.revoke', { peelId: 'nobody' }));
    await refusal('ERR_FLEET_KEY_UNKNOWN', () =>
      admin.ask('peel.revoke', { peelId: 'revoke-2', publicKey: key().publicKey }),
    );
    await peel.renew();
    expect(notices).toBe(0);
  });

  it.skipIf(noCluster)(
    'reports a server that has not confirmed; the decision stands, and the masters keep trying',
    { timeout: 150_000 },
    async () => {
      const cluster = await startFleetCluster();
      await cluster.startMaster({ policy: 'manual' });
      const clusterAdmin = await cluster.admin();
      await addPeel(cluster, clusterAdmin, 'revoke-3');
      // not the server that the master is connected to
      const at = contextOf(cluster.master).nc.getServer();
      const away = cluster.home.nodes.findIndex(({ url }) => !url.endsWith(at));
      await cluster.home.node(away).kill();
      const refused = await refusal('ERR_FLEET_UNCONFIRMED', () =>
        clusterAdmin.ask('peel.revoke', { peelId: 'revoke-3' }),
      );
      expect(refused.message).toContain('zester peel show revoke-3');
      // the stopped server may have led the stream, and another leader is elected first
      const shown = await waitFor('JetStream to answer', () =>
        clusterAdmin.ask('peel.show', { peelId: 'revoke-3' }),
      );
      expect(shown.record).toMatchObject({ state: 'revoked', keys: [{ state: 'revoking' }] });
      await cluster.home.node(away).start();
      await waitFor(
        'every server to have confirmed',
        async () =>
          (await clusterAdmin.ask('peel.show', { peelId: 'revoke-3' })).record.keys[0]?.state === 'revoked',
        45_000,
      );
    },
  );
});

describe('peel.rotate', () => {
  it('notifies a connected peel at once, and another when it renews', async () => {
    const peel = await addPeel(fleet, admin, 'turn-1');
    await waitFor(
      'its presence',
      () => contextOf(fleet.master).presence.get('turn-1')?.connections.length === 1,
    );
    const notice = noticeTo(peel);
    expect(await admin.ask('peel.rotate', { peelId: 'turn-1' })).toMatchObject({ outcome: 'told' });
    expect(await notice).toMatchObject({
      kind: 'rotate',
      peelId: 'turn-1',
      publicKey: peel.key.publicKey,
    });
    await admin.ask('peel.add', addRequest('turn-2'));
    expect(await admin.ask('peel.rotate', { peelId: 'turn-2' })).toMatchObject({ outcome: 'asked' });
    expect((await fleet.audit('turn-2')).map(({ kind }) => kind)).toContain('rotation.asked');
  });

  it('does nothing for a key that is new enough, and a renewal does not make it new', async () => {
    const peel = await addPeel(fleet, admin, 'turn-3');
    await fleet.record('turn-3', ({ state }) => state === 'active');
    const since = new Date().toISOString();
    await peel.renew();
    expect(await admin.ask('peel.rotate', { peelId: 'turn-3', since })).not.toMatchObject({
      outcome: 'done',
    });
    const next = key();
    const { jwt } = await peel.rotate(peel.rotateRequest(next));
    // not before it is in use
    expect(await admin.ask('peel.rotate', { peelId: 'turn-3', since })).not.toMatchObject({
      outcome: 'done',
    });
    await BarePeel.connect(fleet, 'turn-3', next, jwt);
    await fleet.record('turn-3', ({ keys }) => keys[1]?.state === 'live');
    expect(await admin.ask('peel.rotate', { peelId: 'turn-3', since })).toMatchObject({ outcome: 'done' });
    // requested three times, and recorded once
    expect((await fleet.audit('turn-3')).filter(({ kind }) => kind === 'rotation.asked')).toHaveLength(1);
  });

  it('does nothing for a peel that no longer uses the key that the caller saw', async () => {
    const peel = await addPeel(fleet, admin, 'turn-5');
    await fleet.record('turn-5', ({ state }) => state === 'active');
    const { publicKey } = peel.key;
    const next = key();
    const { jwt } = await peel.rotate(peel.rotateRequest(next));
    await BarePeel.connect(fleet, 'turn-5', next, jwt);
    await fleet.record('turn-5', ({ keys }) => keys[1]?.state === 'live');
    expect(await admin.ask('peel.rotate', { peelId: 'turn-5', publicKey })).toMatchObject({
      outcome: 'done',
    });
    expect((await fleet.audit('turn-5')).map(({ kind }) => kind)).not.toContain('rotation.asked');
    const named = await admin.ask('peel.rotate', { peelId: 'turn-5', publicKey: next.publicKey });
    expect(named).not.toMatchObject({ outcome: 'done' });
  });

  it('refuses a peel that is not accepted', async () => {
    const token = await createToken(admin, fleet);
    await token.join('turn-4', key());
    await refusal('ERR_FLEET_PENDING', () => admin.ask('peel.rotate', { peelId: 'turn-4' }));
    await refusal('ERR_FLEET_UNKNOWN_PEEL', () => admin.ask('peel.rotate', { peelId: 'nobody' }));
    await refusal('ERR_FLEET_REQUEST', () => admin.ask('peel.rotate', { peelId: 'turn-4', since: 'soon' }));
  });
});

describe('looking', () => {
  it('lists peels by ID, pattern, state, expiry and connection; shows one; reports the status', async () => {
    const one = await startFleet({ policy: 'manual' });
    const of = await one.admin();
    await addPeel(one, of, 'web-2', { expiry: 60 });
    await of.ask('peel.add', { ...addRequest('web-1'), expiry: 0 });
    await of.ask('peel.add', { ...addRequest('db-1'), expiry: 7_200 });
    await waitFor(
      'its presence',
      () => contextOf(one.master).presence.get('web-2')?.connections.length === 1,
    );
    const list = async (request: Parameters<typeof of.stream<'peel.list'>>[1]) => {
      const ids: string[] = [];
      for await (const { peels } of of.stream('peel.list', request))
        ids.push(...peels.map((p) => p.record.id));
      return ids;
    };
    expect(await list({})).toEqual(['db-1', 'web-1', 'web-2']);
    expect(await list({ pattern: 'web-*' })).toEqual(['web-1', 'web-2']);
    expect(await list({ state: 'active' })).toEqual(['web-2']);
    expect(await list({ expiringWithin: 3_600 })).toEqual(['web-2']);
    expect(await list({ expiringWithin: 10_000 })).toEqual(['db-1', 'web-2']);
    expect(await list({ connected: true })).toEqual(['web-2']);
    expect(await list({ connected: false })).toEqual(['db-1', 'web-1']);
    expect(await list({ pattern: 'nothing' })).toEqual([]);
    expect(await list({ limit: 2 })).toEqual(['db-1', 'web-1']);
    expect(await list({ limit: 2, after: 'web-1' })).toEqual(['web-2']);
    expect(await list({ after: 'db-1', state: 'accepted' })).toEqual(['web-1']);
    const shown = await of.ask('peel.show', { peelId: 'web-2' });
    expect(shown.presence?.connections).toHaveLength(1);
    expect(shown.events.map(({ kind }) => kind)).toEqual(['key.issued', 'key.connected']);
    await refusal('ERR_FLEET_UNKNOWN_PEEL', () => of.ask('peel.show', { peelId: 'nobody' }));
    expect(await of.ask('status', {})).toMatchObject({
      master: one.master.id,
      watching: one.master.id,
      policy: 'manual',
      peels: { accepted: 2, active: 1, pending: 0, rejected: 0, revoked: 0 },
      connected: 1,
    });
  });

  it('reads the audit log from a time on, for one peel, and the last events', async () => {
    await addPeel(fleet, admin, 'look-1');
    await fleet.audited('key.connected', ({ peelId }) => peelId === 'look-1');
    const read = async (request: Parameters<typeof admin.stream<'audit'>>[1]) => {
      const kinds: string[] = [];
      for await (const { events } of admin.stream('audit', request)) kinds.push(...events.map((e) => e.kind));
      return kinds;
    };
    expect(await read({ peelId: 'look-1' })).toEqual(['key.issued', 'key.connected']);
    expect(await read({ peelId: 'look-1', last: 1 })).toEqual(['key.connected']);
    expect((await read({})).length).toBeGreaterThan(2);
    expect(await read({ since: new Date(Date.now() + 60_000).toISOString() })).toEqual([]);
    for (const since of ['yesterday', '+010000-01-01T00:00:00Z', '-000001-01-01T00:00:00Z'])
      await refusal('ERR_FLEET_REQUEST', () => read({ since }));
    for (const since of ['2026', '2026-01-01', 'Jan 1 2026', '2026-01-01T00:00Z'])
      expect(await read({ peelId: 'look-1', since }), since).toEqual(['key.issued', 'key.connected']);
  });

  it('lists ten thousand peels in parts that fit a message', async () => {
    const big = await startFleet({ policy: 'manual' });
    await big.master.stop();
    const nc = await connectUser(big, 'anyone', undefined);
    const js = jetstream(nc);
    // decided so long ago that the audit log certainly has it
    const at = new Date(Date.now() - 86_400_000).toISOString();
    const by = { kind: 'admin', name: 'zester-admin' };
    const all = Array.from({ length: 10_000 }, (_, i) => `peel-${String(i).padStart(5, '0')}`);
    for (let i = 0; i < all.length; i += 500) {
      await Promise.all(
        all.slice(i, i + 500).map((id, j) => {
          const publicKey = `U${String(i + j).padStart(55, 'A')}`;
          const facts = { publicKey, issuer: 'A', issuedAt: 1, expiresAt: 2 };
          const record = {
            id,
            state: 'active',
            keys: [{ ...facts, state: 'live', addedAt: at, connectedAt: at }],
            number: 1,
            createdAt: at,
            updatedAt: at,
            decided: { by, at },
          };
          const event = { kind: 'key.issued', key: facts, id: nuid.next(), at, by, peelId: id, number: 1 };
          return js.publish(`$KV.${PEELS_BUCKET}.${id}`, encodeJson({ record, event }));
        }),
      );
    }
    const again = await big.startMaster({ policy: 'manual' });
    expect(contextOf(again).registry.size).toBe(all.length);
    const of = await big.admin();
    const ids: string[] = [];
    let parts = 0;
    for await (const { peels } of of.stream('peel.list', {})) {
      parts += 1;
      ids.push(...peels.map((p) => p.record.id));
    }
    expect(ids).toEqual(all);
    expect(parts).toBeGreaterThanOrEqual(20);
  });
});

describe('tokens', () => {
  it('are created, listed and removed; a retried request gives the same token', async () => {
    const { publicKey } = key();
    const request = { publicKey, tokenId: 'abcdefgh12', ttl: 60, uses: 3, ids: 'web-*' };
    const made = await admin.ask('token.create', request);
    expect(await admin.ask('token.create', request)).toEqual(made);
    expect(decodeUserJwt(made.jwt)).toMatchObject({ sub: publicKey, name: '_zester-join-abcdefgh12' });
    expect((decodeUserJwt(made.jwt).exp ?? 0) * 1000).toBe(Date.parse(made.token.expiresAt));
    await refusal('ERR_FLEET_ID_TAKEN', () =>
      admin.ask('token.create', { ...request, publicKey: key().publicKey }),
    );
    expect((await admin.ask('token.list', {})).tokens).toContainEqual(made.token);
    const { token } = await admin.ask('token.remove', { tokenId: 'abcdefgh12' });
    expect(token.removedAt).toBeDefined();
    await refusal('ERR_FLEET_TOKEN_UNKNOWN', () => admin.ask('token.remove', { tokenId: 'abcdefgh99' }));
    const created = await fleet.audited('token.created', (e) => e.detail?.['token'] === 'abcdefgh12');
    expect(created).toMatchObject({ by: { kind: 'admin' }, publicKey });
  });
});

describe('the caller', () => {
  /** Sends a request as some user, signed or not. */
  async function ask(
    nc: Parameters<typeof requestMaster>[0],
    signer: MessageSigner | undefined,
    signedFor?: string,
  ) {
    const subject = adminSubject('peel.accept');
    const data = encodeJson({ peelId: 'nobody' });
    const headers = signer && signRequest(signer, signedFor ?? subject, data);
    const answer = await requestMaster(nc, subject, data, headers ? { headers } : {});
    expect(refusalIn(answer.data)).toBeDefined();
    return parseAnswer('peel.accept', answer.data);
  }

  it('must have signed the request: not unsigned, not for another purpose, not as a peel', async () => {
    const { paths } = await fleet.home.domain();
    const nc = await connectUser(fleet, 'anyone', undefined, ADMIN_INBOX_PREFIX);
    const signer = new MessageSigner(await loadCredsFile(paths.adminCreds));
    await refusal('ERR_FLEET_UNKNOWN_PEEL', () => ask(nc, signer));
    await refusal('ERR_FLEET_PROOF', () => ask(nc, undefined));
    await refusal('ERR_FLEET_PROOF', () => ask(nc, signer, adminSubject('peel.reject')));
    const { path } = await fleet.home.issue('zester-admin');
    const peel = new MessageSigner(await loadCredsFile(path));
    await refusal('ERR_FLEET_DENIED', () => ask(nc, peel));
    // of another operator, with an admin's permissions
    const foreign = await startFleet();
    const foreignAdmin = await loadCredsFile((await foreign.home.domain()).paths.adminCreds);
    await refusal('ERR_FLEET_DENIED', () => ask(nc, new MessageSigner(foreignAdmin)));
    for (const code of ['ERR_FLEET_PROOF', 'ERR_FLEET_DENIED']) {
      await fleet.audited(
        'request.refused',
        (e) => e.code === code && e.detail?.['request'] === 'peel.accept',
      );
    }
  });

  it('is refused for an invalid request', async () => {
    const { paths } = await fleet.home.domain();
    const nc = await connectUser(fleet, 'anyone', undefined, ADMIN_INBOX_PREFIX);
    const signer = new MessageSigner(await loadCredsFile(paths.adminCreds));
    const subject = 'zester.admin.peel.destroy';
    const data = encodeJson({});
    const answer = await requestMaster(nc, subject, data, { headers: signRequest(signer, subject, data) });
    expect(refusalIn(answer.data)).toMatchObject({ code: 'ERR_FLEET_REQUEST' });
  });
});

it('a master is discoverable as a NATS service, with its endpoints and statistics', async () => {
  const nc = await connectUser(fleet, 'anyone', undefined, ADMIN_INBOX_PREFIX);
  for (const [verb, type] of [
    ['PING', 'io.nats.micro.v1.ping_response'],
    ['INFO', 'io.nats.micro.v1.info_response'],
    ['STATS', 'io.nats.micro.v1.stats_response'],
  ]) {
    for (const suffix of ['', '.zester-master', `.zester-master.${fleet.master.id}`]) {
      const answer = await nc.request(`$SRV.${verb}${suffix}`, '', { timeout: 5_000 });
      expect(answer.json()).toMatchObject({ type, name: 'zester-master', version: expect.any(String) });
    }
  }
  const stats = (await nc.request('$SRV.STATS.zester-master', '', { timeout: 5_000 })).json<{
    endpoints: { name: string; subject: string; num_requests: number }[];
  }>();
  const add = stats.endpoints.find(({ name }) => name === 'peel-add');
  expect(add).toMatchObject({ subject: 'zester.admin.peel.add', queue_group: 'zester-master' });
  expect(add?.num_requests).toBeGreaterThan(0);
  expect(stats.endpoints.map(({ name }) => name)).toContain('renew');
});

/** The next notice to a peel, which must be signed by a master for this subject. */
function noticeTo({ peelId, nc, account }: BarePeel): Promise<Notice> {
  const subject = noticeSubject(peelId);
  return new Promise((resolve, reject) => {
    nc.subscribe(subject, {
      max: 1,
      callback: (error, msg) => {
        try {
          if (error !== null) throw error;
          const { claims, endorsements } = verifySigned(subject, msg);
          expect(isMasterOf(claims, account, Date.now() / 1000, endorsements)).toBe(true);
          resolve(v.parse(noticeSchema, msg.json()));
        } catch (failure) {
          reject(failure as Error);
        }
      },
    });
  });
}
