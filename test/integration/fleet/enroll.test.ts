import { beforeAll, describe, expect, it } from 'vitest';
import { newRequestId, type AdminClient } from '../../../src/protocol/admin-client.js';
import { fingerprint } from '../../../src/protocol/fingerprint.js';
import { CHALLENGES_BUCKET } from '../../../src/permissions/names.js';
import { decodeUserJwt } from '../../../src/jwt/decode.js';
import { Challenges } from '../../../src/master/requests/challenges.js';
import { claimId, claimKey, idTaken } from '../../../src/master/registry/key-claim.js';
import { TokenUses, usableToken } from '../../../src/master/registry/join-tokens.js';
import { generateKeyBundle } from '../../../src/nkeys/key-bundle.js';
import { contextOf } from '../../../src/master/context-of.js';
import { refusal } from '../../support/refusal.js';
import { waitFor } from '../../support/wait-for.js';
import { BarePeel, createToken } from './asking.js';
import { startFleet, type Fleet } from './fleet.js';

const newKey = () => generateKeyBundle('user');

describe('under the policy auto-trusted', () => {
  let fleet: Fleet;
  let admin: AdminClient;
  beforeAll(async () => {
    fleet = await startFleet({ policy: 'auto-trusted', lifetime: 600 });
    admin = await fleet.admin();
  });

  it('a holder of a join token that proves its key gets a working JWT', async () => {
    const token = await createToken(admin, fleet);
    const key = newKey();
    const jwt = await token.joined('join-1', key);
    const claims = decodeUserJwt(jwt);
    expect(claims).toMatchObject({ name: 'join-1', sub: key.publicKey });
    expect((claims.exp ?? 0) - claims.iat).toBe(600);
    await BarePeel.connect(fleet, 'join-1', key, jwt);
    const record = await fleet.record('join-1', ({ state }) => state === 'active');
    expect(record).toMatchObject({
      origin: `join token ${token.tokenId}`,
      decided: { by: { kind: 'policy', name: 'auto-trusted' } },
      keys: [{ publicKey: key.publicKey, state: 'live' }],
    });
    await fleet.audited('token.used', ({ peelId }) => peelId === 'join-1');
    await fleet.audited('key.issued', ({ peelId }) => peelId === 'join-1');
  });

  it('a retried request gets the same JWT, and one event', async () => {
    const token = await createToken(admin, fleet, { uses: 1 });
    const key = newKey();
    const request = token.joinRequest('again-1', key, await token.challenge('again-1', key));
    const first = await token.send(request);
    const second = await token.send(request);
    expect(second).toMatchObject({ state: 'accepted', jwt: (first as { jwt: string }).jwt });
    // with a new challenge too: a client that was restarted in between
    expect(await token.join('again-1', key, request.requestId)).toMatchObject({
      jwt: (first as { jwt: string }).jwt,
    });
    const issued = (await fleet.audit('again-1')).filter(({ kind }) => kind === 'key.issued');
    expect(issued).toHaveLength(1);
    const { tokens } = await admin.ask('token.list', {});
    expect(tokens.find(({ id }) => id === token.tokenId)).toMatchObject({ used: 1, uses: 1 });
  });

  it('refuses and audits a used challenge: a replay', async () => {
    const token = await createToken(admin, fleet);
    const key = newKey();
    const challenge = await token.challenge('replay-1', key);
    await token.send(token.joinRequest('replay-1', key, challenge));
    await refusal('ERR_FLEET_CHALLENGE', () => token.send(token.joinRequest('replay-1', key, challenge)));
    expect(await fleet.audited('request.refused', ({ peelId }) => peelId === 'replay-1')).toMatchObject({
      code: 'ERR_FLEET_CHALLENGE',
      by: { kind: 'token', name: token.tokenId },
      publicKey: key.publicKey,
      detail: { request: 'join' },
    });
  });

  it('refuses a challenge that was issued to another key, another ID or another token', async () => {
    const token = await createToken(admin, fleet);
    const other = await createToken(admin, fleet);
    const key = newKey();
    const stranger = newKey();
    const challenge = await token.challenge('bound-1', key);
    for (const attempt of [
      () => token.send(token.joinRequest('bound-1', stranger, challenge)),
      () => token.send(token.joinRequest('bound-2', key, challenge)),
      () => other.send(other.joinRequest('bound-1', key, challenge)),
      () => token.send(token.joinRequest('bound-1', key, 'A'.repeat(43))),
    ]) {
      await refusal('ERR_FLEET_CHALLENGE', attempt);
    }
    // and it is still valid for its own caller
    expect(await token.send(token.joinRequest('bound-1', key, challenge))).toMatchObject({
      state: 'accepted',
    });
  });

  it('forgets a challenge after five minutes', async () => {
    const { streamInfo } = await contextOf(fleet.master).store.challenges.status();
    expect(streamInfo.config.name).toBe(`KV_${CHALLENGES_BUCKET}`);
    expect(streamInfo.config.max_age).toBe(5 * 60 * 1e9);
  });

  it('accepts a challenge once, even with three masters concurrently', async () => {
    await fleet.startMaster({ policy: 'auto-trusted' });
    await fleet.startMaster({ policy: 'auto-trusted' });
    const token = await createToken(admin, fleet);
    const key = newKey();
    const challenge = await token.challenge('race-1', key);
    const answers = await Promise.allSettled(
      Array.from({ length: 12 }, () => token.send(token.joinRequest('race-1', key, challenge))),
    );
    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const answer of answers) {
      if (answer.status === 'rejected') expect(answer.reason).toMatchObject({ code: 'ERR_FLEET_CHALLENGE' });
    }
    expect((await fleet.audit('race-1')).filter(({ kind }) => kind === 'key.issued')).toHaveLength(1);
  });

  it('gives an ID to only one of many concurrent callers, and a key to only one ID', async () => {
    const token = await createToken(admin, fleet, { uses: 100 });
    const answers = await Promise.allSettled(
      Array.from({ length: 10 }, () => token.joined('wanted-1', newKey())),
    );
    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const key = newKey();
    const ids = await Promise.allSettled(
      Array.from({ length: 10 }, (_, i) => token.joined(`same-key-${i}`, key)),
    );
    expect(ids.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const answer of ids) {
      if (answer.status === 'rejected') expect(answer.reason).toMatchObject({ code: 'ERR_FLEET_KEY_TAKEN' });
    }
  });

  it('refuses a request that the key did not sign', async () => {
    const token = await createToken(admin, fleet);
    const key = newKey();
    const request = token.joinRequest('proof-1', key, await token.challenge('proof-1', key));
    const forged = { ...token.joinRequest('proof-1', newKey(), request.challenge), publicKey: key.publicKey };
    await refusal('ERR_FLEET_PROOF', () => token.send(forged));
    await fleet.audited('request.refused', (event) => event.code === 'ERR_FLEET_PROOF');
    expect(await token.send(request)).toMatchObject({ state: 'accepted' });
  });

  it('refuses a token that is used up; the same peel with the same key counts once', async () => {
    const token = await createToken(admin, fleet, { uses: 2 });
    const first = newKey();
    await token.joined('uses-1', first);
    await token.joined('uses-1', first);
    await token.joined('uses-2', newKey());
    await refusal('ERR_FLEET_TOKEN_USED_UP', () => token.joined('uses-3', newKey()));
    await fleet.audited('request.refused', ({ code }) => code === 'ERR_FLEET_TOKEN_USED_UP');
    expect(contextOf(fleet.master).registry.get('uses-3')).toBeUndefined();
    // peels that joined with it still get answers
    await token.joined('uses-1', first);
  });

  it('counts each use of a token once, with three masters and many hosts concurrently', async () => {
    const token = await createToken(admin, fleet, { uses: 7 });
    const answers = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) => token.joined(`count-${i}`, newKey())),
    );
    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(7);
    const { tokens } = await admin.ask('token.list', {});
    expect(tokens.find(({ id }) => id === token.tokenId)).toMatchObject({ used: 7 });
  });

  it('refuses an id outside the pattern of the token, and a name that masters and admins have', async () => {
    const token = await createToken(admin, fleet, { ids: 'web-*' });
    await refusal('ERR_FLEET_TOKEN_ID', () => token.joined('db-1', newKey()));
    await fleet.audited('request.refused', ({ code }) => code === 'ERR_FLEET_TOKEN_ID');
    await token.joined('web-in-pattern', newKey());
    const any = await createToken(admin, fleet);
    for (const name of ['zester-master', 'zester-admin']) {
      await refusal('ERR_FLEET_TOKEN_ID', () => any.joined(name, newKey()));
    }
    for (const name of ['*', 'web.db', '_x', '', 'a b']) {
      await refusal('ERR_FLEET_REQUEST', () => any.challenge(name, newKey()));
    }
  });

  it('refuses an ID that is bound to another key, and a key of another peel', async () => {
    const token = await createToken(admin, fleet);
    const key = newKey();
    await token.joined('taken-1', key);
    await refusal('ERR_FLEET_ID_TAKEN', () => token.joined('taken-1', newKey()));
    await refusal('ERR_FLEET_KEY_TAKEN', () => token.joined('taken-2', key));
    await fleet.audited('request.refused', ({ code }) => code === 'ERR_FLEET_ID_TAKEN');
    await fleet.audited('request.refused', ({ code }) => code === 'ERR_FLEET_KEY_TAKEN');
  });

  it('continues after a master died: nothing is lost or counted twice', async () => {
    const context = contextOf(fleet.master);
    const token = await createToken(admin, fleet, { uses: 1 });
    const key = newKey();
    const { publicKey } = key;
    const request = token.joinRequest('crash-1', key, await token.challenge('crash-1', key));
    const { challenge, requestId } = request;
    const of = { user: token.user, peelId: 'crash-1', publicKey };
    // each time one step further: the challenge consumed, the key claimed, the use counted
    await new Challenges(context.store.challenges).redeem(challenge, of, requestId);
    await claimKey(context, publicKey, 'crash-1');
    await claimId(context, 'crash-1', publicKey);
    await new TokenUses(context).count({ tokenId: token.tokenId, peelId: 'crash-1', publicKey });
    // no record yet: a retry gets its JWT, for the only use
    expect(context.registry.get('crash-1')).toBeUndefined();
    expect(await token.send(request)).toMatchObject({ state: 'accepted' });
    const { tokens } = await admin.ask('token.list', {});
    expect(tokens.find(({ id }) => id === token.tokenId)).toMatchObject({ used: 1 });
    expect((await fleet.audit('crash-1')).map(({ kind }) => kind).sort()).toEqual([
      'key.issued',
      'token.used',
    ]);
  });

  it('of ten keys that race for one ID, one gets it and uses the token, and the others leave nothing behind', async () => {
    // two masters share the requests
    await fleet.startMaster({ policy: 'auto-trusted' });
    const token = await createToken(admin, fleet, { uses: 3 });
    const keys = Array.from({ length: 10 }, newKey);
    // all request a challenge first: when they join, no record has the ID
    const requests = await Promise.all(
      keys.map(async (of) => token.joinRequest('one-id-1', of, await token.challenge('one-id-1', of))),
    );
    const answers = await Promise.allSettled(requests.map((request) => token.send(request)));
    const won = answers.findIndex(({ status }) => status === 'fulfilled');
    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const answer of answers) {
      if (answer.status === 'rejected') expect(answer.reason).toMatchObject({ code: 'ERR_FLEET_ID_TAKEN' });
    }
    const { tokens } = await admin.ask('token.list', {});
    expect(tokens.find(({ id }) => id === token.tokenId)).toMatchObject({
      used: 1,
      usedBy: [{ peelId: 'one-id-1', publicKey: keys[won]?.publicKey }],
    });
    const losers = keys.filter((_, i) => i !== won);
    for (const { publicKey } of losers) {
      const claim = await contextOf(fleet.master).store.challenges.get(`key.${publicKey}`);
      expect(claim?.operation ?? 'DEL').not.toBe('PUT');
    }
    // a loser may take another ID at once
    const [loser] = losers;
    if (loser !== undefined) await token.joined('one-id-2', loser);
  });

  it('returns a use if someone else got the ID meanwhile', async () => {
    const context = contextOf(fleet.master);
    const token = await createToken(admin, fleet, { uses: 1 });
    const uses = new TokenUses(context);
    const use = { tokenId: token.tokenId, peelId: 'back-1', publicKey: newKey().publicKey };
    await uses.count(use);
    await refusal('ERR_FLEET_ID_TAKEN', () =>
      uses.returnIfRefused(use, () => Promise.reject(idTaken('back-1'))),
    );
    await fleet.audited('token.returned', ({ detail }) => detail?.['token'] === token.tokenId);
    await token.joined('back-2', newKey());
  });

  it('a claim of an ID expires once its key has had its turn', async () => {
    const context = contextOf(fleet.master);
    const token = await createToken(admin, fleet);
    const [first, second] = [newKey(), newKey()];
    await claimId(context, 'turn-1', first.publicKey);
    await refusal('ERR_FLEET_ID_TAKEN', () => token.join('turn-1', second));
    await token.joined('turn-1', first);
    await admin.ask('peel.revoke', { peelId: 'turn-1' });
    expect(await token.join('turn-1', second)).toMatchObject({ state: 'pending' });
  });

  it('a token for a thousand hosts stays a small record', async () => {
    const token = await createToken(admin, fleet, { uses: 5_000 });
    const uses = new TokenUses(contextOf(fleet.master));
    await Promise.all(
      Array.from({ length: 1_000 }, (_, i) =>
        uses.count({ tokenId: token.tokenId, peelId: `many-${i}`, publicKey: newKey().publicKey }),
      ),
    );
    const stored = await contextOf(fleet.master).store.fleet.get(token.tokenId);
    expect(stored?.json()).toMatchObject({ used: 1_000, uses: 5_000 });
    expect(stored?.value.length).toBeLessThan(8_000);
    const { tokens } = await admin.ask('token.list', {});
    expect(Object.keys(tokens.find(({ id }) => id === token.tokenId) ?? {})).not.toContain('usedBefore');
  });

  it('refuses a removed token, and cuts connections made with it', async () => {
    const token = await createToken(admin, fleet);
    const closed = token.nc.closed();
    await admin.ask('token.remove', { tokenId: token.tokenId });
    await closed;
    for (const context of fleet.masters.map(contextOf)) {
      await refusal('ERR_FLEET_TOKEN_UNKNOWN', () => usableToken(context, token.tokenId, 'removed-1'));
    }
    await fleet.audited('token.removed', ({ detail }) => detail?.['token'] === token.tokenId);
  });

  it('refuses a token that the masters never created', async () => {
    const token = await createToken(admin, fleet);
    for (const master of fleet.masters) await contextOf(master).tokens.delete(token.tokenId);
    await refusal('ERR_FLEET_TOKEN_UNKNOWN', () => token.challenge('unknown-1', newKey()));
  });

  it('a revoked ID can return only with a new key, once an admin accepts it', async () => {
    const token = await createToken(admin, fleet);
    const key = newKey();
    await token.joined('back-1', key);
    await admin.ask('peel.revoke', { peelId: 'back-1' });
    expect(await refusal('ERR_FLEET_REVOKED', () => token.joined('back-1', key))).toMatchObject({
      final: true,
    });
    const fresh = newKey();
    expect(await token.join('back-1', fresh)).toMatchObject({ state: 'pending' });
    expect(await refusal('ERR_FLEET_REVOKED', () => token.joined('back-1', key))).toMatchObject({
      final: true,
    });
    await admin.ask('peel.accept', { peelId: 'back-1' });
    await token.joined('back-1', fresh);
    expect(contextOf(fleet.master).registry.get('back-1')).toMatchObject({
      state: 'accepted',
      keys: [
        { publicKey: key.publicKey, state: 'revoked' },
        { publicKey: fresh.publicKey, state: 'issued' },
      ],
    });
  });
});

describe('under the policy manual', () => {
  let fleet: Fleet;
  let admin: AdminClient;
  beforeAll(async () => {
    fleet = await startFleet({ policy: 'manual' });
    admin = await fleet.admin();
  });

  it('a peel is pending, its fingerprint is the same on both sides, and it gets its JWT when it is accepted', async () => {
    const token = await createToken(admin, fleet, { uses: 1 });
    const key = newKey();
    const requestId = newRequestId();
    const waiting = await token.join('slow-1', key, requestId);
    expect(waiting).toMatchObject({ state: 'pending', requestId, fingerprint: fingerprint(key.publicKey) });
    const { record } = await admin.ask('peel.show', { peelId: 'slow-1' });
    expect(record).toMatchObject({ state: 'pending', keys: [{ state: 'requested' }] });
    expect(fingerprint(record.keys[0]?.publicKey ?? '')).toBe(
      (waiting as { fingerprint: string }).fingerprint,
    );
    // any number of retries: nothing changes, and no use is consumed
    expect(await token.join('slow-1', key)).toMatchObject({ state: 'pending' });
    await admin.ask('peel.accept', { peelId: 'slow-1', reason: 'seen on its console' });
    const jwt = await token.joined('slow-1', key);
    expect(decodeUserJwt(jwt).sub).toBe(key.publicKey);
    const kinds = (await fleet.audit('slow-1')).map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind !== 'token.used')).toEqual([
      'peel.requested',
      'peel.accepted',
      'key.issued',
    ]);
    expect(await fleet.audited('peel.accepted')).toMatchObject({
      by: { kind: 'admin', name: 'zester-admin' },
      reason: 'seen on its console',
    });
  });

  it('a rejected peel gets a final refusal; its ID may rejoin with a new key, pending again', async () => {
    const token = await createToken(admin, fleet);
    const key = newKey();
    await token.join('bad-1', key);
    await admin.ask('peel.reject', { peelId: 'bad-1', reason: 'not ours' });
    const refused = await refusal('ERR_FLEET_REJECTED', () => token.join('bad-1', key));
    expect(refused).toMatchObject({ final: true, message: expect.stringContaining('not ours') });
    const fresh = newKey();
    expect(await token.join('bad-1', fresh)).toMatchObject({ state: 'pending' });
    // accepting the new key does not admit the rejected one
    await admin.ask('peel.accept', { peelId: 'bad-1' });
    await refusal('ERR_FLEET_REVOKED', () => token.join('bad-1', key));
    await token.joined('bad-1', fresh);
  });

  it('no other credential gets the answer to a join token', async () => {
    const token = await createToken(admin, fleet);
    const other = await createToken(admin, fleet);
    // the subject of another token: the server blocks it
    const { nc } = token;
    const denied = waitFor('the refusal of the server', async () => {
      for await (const status of nc.status()) if (status.type === 'error') return status.error.message;
      return undefined;
    });
    nc.publish(`zester.enroll.${other.user}.challenge`, '{}');
    expect(await denied).toMatch(/permissions violation/i);
  });
});

it('under auto-all even a revoked ID returns at once, with a new key', async () => {
  const fleet = await startFleet({ policy: 'auto-all' });
  const admin = await fleet.admin();
  const token = await createToken(admin, fleet);
  const key = newKey();
  await token.joined('dev-1', key);
  await admin.ask('peel.revoke', { peelId: 'dev-1' });
  await token.joined('dev-1', newKey());
  await refusal('ERR_FLEET_REVOKED', () => token.joined('dev-1', key));
});

it('an expired token is refused by the clock of the master', async () => {
  let ahead = 0;
  const fleet = await startFleet({ policy: 'auto-trusted', now: () => Date.now() + ahead });
  const admin = await fleet.admin();
  const token = await createToken(admin, fleet, { ttl: 60 });
  ahead = 61_000;
  await refusal('ERR_FLEET_TOKEN_EXPIRED', () => token.joined('late-1', newKey()));
  await fleet.audited('request.refused', ({ code }) => code === 'ERR_FLEET_TOKEN_EXPIRED');
});
