import { describe, expect, it } from 'vitest';
import { joinFleet } from '../../../src/peel/join.js';
import { loadCredsFile } from '../../../src/creds/parse.js';
import type { JoinRequest, PolicyFunction } from '../../../src/master/requests/policy.js';
import { generateKeyBundle } from '../../../src/nkeys/key-bundle.js';
import { join } from 'node:path';
import { refusal } from '../../support/refusal.js';
import { createToken } from './asking.js';
import { startFleet, type Fleet } from './fleet.js';

const newKey = () => generateKeyBundle('user');

/** A fleet with a policy function, and the calls of that function. */
async function fleetWith(policy: PolicyFunction, policyTimeoutMs = 5_000) {
  const asked: JoinRequest[] = [];
  const fleet = await startFleet({
    policyTimeoutMs,
    policy: (request, options) => {
      asked.push(request);
      return policy(request, options);
    },
  });
  const admin = await fleet.admin();
  return { fleet, admin, asked };
}

/** Connects a peel with credentials that no master issued. */
async function appear(fleet: Fleet, peelId: string) {
  const { path, publicKey } = await fleet.home.issue(peelId, 3_600);
  return { publicKey, ...(await fleet.home.peel(peelId, path)) };
}

describe.concurrent('a policy function', () => {
  it('decides about hosts with a join token, and knows which', async () => {
    const { fleet, admin, asked } = await fleetWith(async ({ peelId }) =>
      peelId.startsWith('web-') ? 'accept' : 'reject',
    );
    const token = await createToken(admin, fleet, { ids: '*-1' });
    const key = newKey();
    await token.joined('web-1', key);
    expect(asked).toEqual([
      {
        peelId: 'web-1',
        publicKey: key.publicKey,
        fingerprint: expect.stringMatching(/./) as string,
        how: 'token',
        trusted: true,
        returning: false,
        token: { id: token.tokenId, ids: '*-1' },
      },
    ]);
    const record = await fleet.record('web-1', ({ state }) => state === 'accepted');
    expect(record.decided?.by).toEqual({ kind: 'policy', name: 'custom' });

    const refused = await refusal('ERR_FLEET_REJECTED', () => token.join('db-1', newKey()));
    expect(refused).toMatchObject({ final: true });
    await fleet.record('db-1', ({ state }) => state === 'rejected');
    const rejected = await fleet.audited('peel.rejected', ({ peelId }) => peelId === 'db-1');
    expect(rejected).toMatchObject({ by: { kind: 'policy', name: 'custom' }, from: token.tokenId });
  });

  it('is called again while a host waits, and accepts it later', async () => {
    let known = false;
    const { fleet, admin } = await fleetWith(async () => (known ? 'accept' : 'pending'));
    const token = await createToken(admin, fleet);
    const out = join(fleet.home.dir, 'later-1.creds');
    const joining = joinFleet({
      servers: fleet.servers,
      token: join(fleet.home.dir, `${token.tokenId}.creds`),
      peelId: 'later-1',
      out,
      onEvent: ({ type }) => (known ||= type === 'pending'),
    });
    await joining;
    expect((await loadCredsFile(out)).claims.name).toBe('later-1');
    expect((await fleet.audit('later-1')).map(({ kind }) => kind)).toEqual(
      expect.arrayContaining(['peel.requested', 'key.issued']),
    );
  });

  it('leaves a host pending when it fails, which is audited, and an admin can accept it', async () => {
    const { fleet, admin } = await fleetWith(() => Promise.reject(new Error('no inventory')));
    const token = await createToken(admin, fleet);
    const key = newKey();
    expect(await token.join('fails-1', key)).toMatchObject({ state: 'pending' });
    expect(await fleet.audited('policy.failed')).toMatchObject({
      by: { kind: 'policy', name: 'custom' },
      peelId: 'fails-1',
      publicKey: key.publicKey,
      code: 'ERR_FLEET_POLICY',
      reason: 'the policy threw: no inventory',
    });
    await admin.ask('peel.accept', { peelId: 'fails-1' });
    expect(await token.join('fails-1', key)).toMatchObject({ state: 'accepted' });
  });

  it('that hangs delays its host by no more than its limit, and no others', async () => {
    const { fleet, admin } = await fleetWith(
      ({ peelId }) => (peelId === 'hangs-1' ? new Promise(() => undefined) : 'accept'),
      300,
    );
    const token = await createToken(admin, fleet);
    const hanging = token.join('hangs-1', newKey());
    await token.joined('quick-1', newKey());
    expect(await hanging).toMatchObject({ state: 'pending' });
    expect(await fleet.audited('policy.failed')).toMatchObject({
      reason: 'the policy did not answer within 0.3 s',
    });
  });

  it('decides about peels that connect with their own credentials: accepts, rejects and cuts', async () => {
    const { fleet, asked } = await fleetWith(async ({ peelId }) =>
      peelId === 'good-1' ? 'accept' : 'reject',
    );
    const { publicKey } = await appear(fleet, 'good-1');
    await fleet.record('good-1', ({ state }) => state === 'active');
    expect(asked).toMatchObject([{ peelId: 'good-1', publicKey, how: 'connection', trusted: true }]);
    const bad = await appear(fleet, 'bad-1');
    await bad.cut;
    await fleet.record('bad-1', ({ state, keys }) => state === 'rejected' && keys[0]?.state === 'revoked');
  });

  it('that hangs for one connection delays no other', async () => {
    const { fleet } = await fleetWith(
      ({ peelId }) => (peelId === 'slow-1' ? new Promise(() => undefined) : 'accept'),
      8_000,
    );
    await appear(fleet, 'slow-1');
    await fleet.record('slow-1', ({ state }) => state === 'pending');
    await appear(fleet, 'fast-1');
    await fleet.record('fast-1', ({ state }) => state === 'active');
    expect(fleet.master.health().ok).toBe(true);
  });

  it('does not decide again about an ID that an admin has rejected, and receives "returning"', async () => {
    const { fleet, admin, asked } = await fleetWith(async ({ returning }) =>
      returning ? 'pending' : 'accept',
    );
    const token = await createToken(admin, fleet);
    const key = newKey();
    await token.joined('back-1', key);
    await admin.ask('peel.reject', { peelId: 'back-1' });
    await refusal('ERR_FLEET_REJECTED', () => token.join('back-1', key));
    expect(await token.join('back-1', newKey())).toMatchObject({ state: 'pending' });
    expect(asked.map(({ returning }) => returning)).toEqual([false, true]);
  });

  it('appears in the status, and anything but a policy is refused', async () => {
    const { admin } = await fleetWith(() => 'accept');
    expect(await admin.ask('status', {})).toMatchObject({ policy: 'custom' });
    const error = await refusal('ERR_FLEET_CONFIG', () => startFleet({ policy: 'auto-trsuted' as never }));
    expect(error.message).toContain('did you mean "auto-trusted"?');
    await refusal('ERR_FLEET_CONFIG', () => startFleet({ policy: null as never }));
    await refusal('ERR_FLEET_CONFIG', () => startFleet({ policyTimeoutMs: 60_000 }));
  });
});
