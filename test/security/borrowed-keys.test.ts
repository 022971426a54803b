// A key belongs to one user: nobody registers another's, and so nobody revokes a user, or lifts a revocation, through it.
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { connectMaster } from '../../src/connection/connect.js';
import { loadCredsFile } from '../../src/creds/parse.js';
import { userKeyOf } from '../../src/creds/user-key.js';
import { connectFleet } from '../../src/fleet-client/connect-fleet.js';
import type { Fleet as FleetClient } from '../../src/fleet-client/fleet.js';
import { contextOf } from '../../src/master/context-of.js';
import { createUserJwtForPublicKey } from '../../src/jwt/user.js';
import { generateKeyBundle, type KeyBundle } from '../../src/nkeys/key-bundle.js';
import { adminSubject } from '../../src/permissions/names.js';
import { newRequestId } from '../../src/protocol/admin-client.js';
import { newKeyProof } from '../../src/protocol/proofs.js';
import { signProof } from '../../src/protocol/prove-key.js';
import { zester } from '../cli/run-zester.js';
import { addPeel, createToken } from '../integration/fleet/asking.js';
import { Fleet, startFleet } from '../integration/fleet/fleet.js';
import { startHome } from '../integration/trust/support.js';
import { atEnd } from '../support/cleanup.js';
import { refusal } from '../support/refusal.js';
import { joinToken } from '../support/join-token.js';

/** The masters' clock is ahead of the servers' by this, in milliseconds. */
let ahead = 0;
let fleet: Fleet;
beforeAll(async () => {
  fleet = await startFleet({ policy: 'auto-trusted', lifetime: 900, now: () => Date.now() + ahead });
});

const at = () => ['--home', fleet.home.home, '--servers', ...fleet.servers];

/** An added admin: its file, and its connection. */
async function addAdmin(name: string, role: string): Promise<{ path: string; client: FleetClient }> {
  const path = join(fleet.home.dir, `${name}.admin.creds`);
  const added = await zester(['admin', 'add', name, '--role', role, '--out', path, ...at()]);
  expect(added.code, added.stderr).toBe(0);
  const client = await connectFleet({ ...fleet.connection, credentials: path });
  atEnd(() => client.close());
  return { path, client };
}

/** A request for a join token, for a key that somebody has. */
function tokenRequest(publicKey: string, signer?: KeyBundle) {
  const tokenId = newRequestId().slice(0, 12);
  const proof = newKeyProof({ request: 'token.create', id: tokenId, publicKey });
  return {
    tokenId,
    publicKey,
    ttl: 1,
    uses: 1,
    ...(signer !== undefined && { signature: signProof(signer, proof) }),
  };
}

/** A request for a peel, for a key that somebody has. */
function peelRequest(peelId: string, publicKey: string, signer?: KeyBundle) {
  const proof = newKeyProof({ request: 'peel.add', id: peelId, publicKey });
  return {
    requestId: newRequestId(),
    peelId,
    publicKey,
    ...(signer !== undefined && { signature: signProof(signer, proof) }),
  };
}

const revocations = async () => (await fleet.home.domain()).accountClaims.nats.revocations ?? {};

describe('the key of another user', () => {
  it.each(['peel', 'master', 'owner'] as const)(
    'of a %s cannot be registered by an admin, who could then revoke it',
    async (whose) => {
      const { paths } = await fleet.home.domain();
      const admin = await fleet.admin();
      const of = {
        peel: async () => (await addPeel(fleet, admin, 'victim-1')).key.publicKey,
        master: async () => (await loadCredsFile(paths.masterCreds)).publicKey,
        owner: async () => (await loadCredsFile(paths.adminCreds)).publicKey,
      };
      const publicKey = await of[whose]();
      const { client: approver } = (await addAdmin(`approver-${whose}`, 'approver')).client;
      const { client: operator } = (await addAdmin(`operator-${whose}`, 'operator')).client;
      const own = generateKeyBundle('user');
      for (const signer of [undefined, own]) {
        await refusal('ERR_FLEET_PROOF', () => approver.ask('token.create', tokenRequest(publicKey, signer)));
        const request = peelRequest(`stolen-${whose}`, publicKey, signer);
        await refusal('ERR_FLEET_PROOF', () => operator.ask('peel.add', request));
      }
      // signed for another token, or another request
      const other = { ...tokenRequest(own.publicKey, own), tokenId: 'abcdefgh' };
      await refusal('ERR_FLEET_PROOF', () => approver.ask('token.create', other));
      const { signature } = tokenRequest(own.publicKey, own);
      const mixed = { ...peelRequest('mixed-1', own.publicKey), ...(signature && { signature }) };
      await refusal('ERR_FLEET_PROOF', () => operator.ask('peel.add', mixed));
      const { tokens } = await admin.ask('token.list', {});
      expect(tokens.filter((token) => token.publicKey === publicKey)).toEqual([]);
      expect(await revocations()).not.toHaveProperty(publicKey);
    },
  );

  it('that a peel or a join token has is refused for any other, also to its holder', async () => {
    const admin = await fleet.admin();
    const { key } = await addPeel(fleet, admin, 'owner-1');
    await refusal('ERR_FLEET_KEY_TAKEN', () => admin.ask('token.create', tokenRequest(key.publicKey, key)));
    const token = await createToken(admin, fleet);
    const own = userKeyOf(token.creds);
    await refusal('ERR_FLEET_KEY_TAKEN', () => token.join('borrowed-1', own));
    await refusal('ERR_FLEET_KEY_TAKEN', () => admin.ask('token.create', tokenRequest(own.publicKey, own)));
    await refusal('ERR_FLEET_KEY_TAKEN', () =>
      admin.ask('peel.add', peelRequest('borrowed-2', own.publicKey, own)),
    );
    expect(contextOf(fleet.master).registry.get('borrowed-1')).toBeUndefined();
  });
});

describe('a removed admin', () => {
  it('stays out, although it had made a join token of its own key, which has expired', async () => {
    const { path, client } = await addAdmin('mallory', 'operator');
    const own = userKeyOf(await loadCredsFile(path));
    const { publicKey } = own;
    await client.client.ask('token.create', tokenRequest(publicKey, own));
    const removed = await zester(['admin', 'remove', 'mallory', '--yes', ...at()]);
    expect(removed.code, removed.stderr).toBe(0);
    ahead = 3_600_000;
    // a master drops what is no longer needed with the next revocation
    const admin = await fleet.admin();
    await addPeel(fleet, admin, 'other-1');
    await admin.ask('peel.revoke', { peelId: 'other-1' });
    expect(await revocations()).toHaveProperty(publicKey);
    const url = fleet.home.node(0).url;
    expect(await fleet.home.letsIn(path, 'any', url)).toBe(false);
  });
});

describe('join tokens', () => {
  it('of one admin are limited, so that removing them leaves room for other revocations', async () => {
    const admin = await fleet.admin();
    const { tokens } = contextOf(fleet.master);
    const { publicKey } = generateKeyBundle('user');
    const token = (i: number) =>
      joinToken({
        id: `many${String(i).padStart(8, '0')}`,
        publicKey,
        expiresAt: new Date(Date.now() + ahead + 366 * 86_400_000).toISOString(),
      });
    const most = 2_000;
    for (let from = 0; from < most; from += 200)
      await Promise.all(
        Array.from({ length: 200 }, (_, i) => {
          const made = token(from + i);
          return tokens.change(made.id, () => made);
        }),
      );
    const own = generateKeyBundle('user');
    await refusal('ERR_FLEET_RATE', () => admin.ask('token.create', tokenRequest(own.publicKey, own)));
    // another admin is not limited by these
    const { client } = await addAdmin('busy', 'approver');
    const { token: made } = await client.tokens.create();
    expect(made.createdBy.name).toBe('busy');
  });

  it('that a hostile master names after a path, for the file that they are written to, are refused', async () => {
    const hostile = new Fleet(await startHome());
    const domain = await hostile.home.domain();
    const master = await connectMaster({ servers: hostile.servers, credsPath: domain.paths.masterCreds });
    atEnd(() => master.close());
    const account = await domain.accountKey();
    master.subscribe(adminSubject('token.create'), {
      callback: (_error, msg) => {
        const { publicKey } = msg.json<{ publicKey: string }>();
        const token = joinToken({ id: 'x/../../escaped', publicKey });
        const jwt = createUserJwtForPublicKey(publicKey, account, { name: 'x' });
        msg.respond(JSON.stringify({ jwt, token }));
      },
    });
    await master.flush();
    const client = await connectFleet({ ...hostile.connection, credentials: domain.paths.adminCreds });
    atEnd(() => client.close());
    await refusal('ERR_FLEET_ANSWER', () => client.tokens.create());
  });
});
