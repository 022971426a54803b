// Each admin role sends each request: with the client, raw, and with a JWT that grants more than its role.
import { errors, type NatsConnection } from '@nats-io/nats-core';
import { connect } from '@nats-io/transport-node';
import { existsSync } from 'node:fs';
import { cp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { writeCredsFile } from '../../../src/creds/generate.js';
import { loadCredsFile } from '../../../src/creds/parse.js';
import { ZesterError } from '../../../src/errors.js';
import { connectFleet } from '../../../src/fleet-client/connect-fleet.js';
import { createUserJwt, type UserJwtOptions } from '../../../src/jwt/user.js';
import { generateKeyBundle } from '../../../src/nkeys/key-bundle.js';
import { adminUserName } from '../../../src/permissions/admin-names.js';
import {
  ADDED_ROLES,
  ADMIN_ROLES,
  mayRequest,
  type AddedRole,
  type AdminRole,
} from '../../../src/permissions/admin-roles.js';
import { adminInboxPrefix, adminSubject, type AdminVerb } from '../../../src/permissions/names.js';
import { adminUserJwtOptions } from '../../../src/permissions/roles.js';
import { requestMaster, newRequestId } from '../../../src/protocol/admin-client.js';
import { encodeJson, refusalIn } from '../../../src/protocol/messages.js';
import { newKeyProof } from '../../../src/protocol/proofs.js';
import { signProof } from '../../../src/protocol/prove-key.js';
import { MessageSigner } from '../../../src/protocol/signed.js';
import { signRequest } from '../../../src/protocol/signed-request.js';
import { zester } from '../../cli/run-zester.js';
import { VERBS } from '../../support/admin-matrix.js';
import { atEnd } from '../../support/cleanup.js';
import { connectNaming } from '../../support/connect-naming.js';
import { waitFor } from '../../support/wait-for.js';
import { addPeel, connectUser } from './asking.js';
import { startFleet, type Fleet } from './fleet.js';

let fleet: Fleet;
const creds: Record<string, string> = {};
beforeAll(async () => {
  fleet = await startFleet({ policy: 'manual', lifetime: 900 });
  creds['owner'] = (await fleet.home.domain()).paths.adminCreds;
  for (const role of ADDED_ROLES) creds[role] = await add(role, role);
});

const at = () => ['--home', fleet.home.home, '--servers', ...fleet.servers];

/** Adds an admin with the command. */
async function add(name: string, role: AdminRole, ...more: string[]): Promise<string> {
  const out = join(fleet.home.dir, `${name}.admin.creds`);
  const result = await zester(['admin', 'add', name, '--role', role, '--out', out, ...at(), ...more]);
  expect(result.code, result.stderr).toBe(0);
  return out;
}

/** A request that changes nothing, if possible: about peels and tokens that do not exist. */
function requestOf(verb: AdminVerb): object {
  switch (verb) {
    case 'peel.add': {
      const key = generateKeyBundle('user');
      const { publicKey } = key;
      const peelId = `made-${newRequestId()}`;
      const proof = newKeyProof({ request: 'peel.add', id: peelId, publicKey });
      return { requestId: newRequestId(), peelId, publicKey, signature: signProof(key, proof) };
    }
    case 'token.create': {
      const key = generateKeyBundle('user');
      const { publicKey } = key;
      const tokenId = publicKey.slice(1, 13);
      const proof = newKeyProof({ request: 'token.create', id: tokenId, publicKey });
      return { publicKey, tokenId, ttl: 60, uses: 1, signature: signProof(key, proof) };
    }
    case 'token.remove':
      return { tokenId: 'abcdefgh' };
    case 'peel.accept':
    case 'peel.reject':
    case 'peel.revoke':
    case 'peel.rotate':
    case 'peel.label':
    case 'peel.show':
      return { peelId: 'nobody' };
    default:
      return {};
  }
}

/** Whether a refusal is because of the role: a permitted request is refused because of its peel. */
async function isDenied(act: () => Promise<unknown>): Promise<boolean> {
  try {
    await act();
    return false;
  } catch (error) {
    if (!(error instanceof ZesterError)) throw error;
    if (error.code === 'ERR_FLEET_DENIED') return true;
    expect(['ERR_FLEET_UNKNOWN_PEEL', 'ERR_FLEET_TOKEN_UNKNOWN']).toContain(error.code);
    return false;
  }
}

/** The requests that a role may send, found by trying. */
async function table(tried: (verb: AdminVerb) => Promise<boolean>): Promise<Record<string, boolean>> {
  const found: Record<string, boolean> = {};
  for (const verb of VERBS) found[verb] = await tried(verb);
  return found;
}

const expected = (role: AdminRole) => Object.fromEntries(VERBS.map((verb) => [verb, mayRequest(role, verb)]));

/** A user with all permissions in the account and these inboxes, to deliver requests that the server would block. */
const carrier = (user: string) => connectUser(fleet, 'carrier', undefined, adminInboxPrefix(user));

/** The file of admin credentials signed by the account's key. */
async function signedByHand(name: string, options: Partial<UserJwtOptions>): Promise<string> {
  const domain = await fleet.home.domain();
  const account = await domain.accountKey();
  const user = generateKeyBundle('user');
  const path = join(fleet.home.dir, `${user.publicKey}.creds`);
  const usual = adminUserJwtOptions(domain.publicKeys.account, { admin: { name, role: 'viewer' } });
  await writeCredsFile(path, createUserJwt(user, account, { ...usual, ...options }), user.seed);
  return path;
}

/**
 * Sends a signed request on a subject.
 *
 * @returns the code of the refusal
 */
async function sent(nc: NatsConnection, path: string, subject: string, request: object): Promise<string> {
  using signer = new MessageSigner(await loadCredsFile(path));
  const data = encodeJson(request);
  const answer = await requestMaster(nc, subject, data, { headers: signRequest(signer, subject, data) });
  return refusalIn(answer.data)?.code ?? 'none';
}

describe('an admin can send the requests of its role, and no others:', () => {
  it.each(ADMIN_ROLES)('%s, as the client asks', async (role) => {
    const client = await connectFleet({ ...fleet.connection, credentials: creds[role] ?? '' });
    atEnd(() => client.close());
    const found = await table(async (verb) => {
      const request = requestOf(verb);
      const asked = async () => {
        if (verb !== 'peel.list' && verb !== 'audit' && verb !== 'presence.watch')
          return client.client.ask(verb, request as never);
        for await (const part of client.client.stream(verb, request as never)) {
          // a watch lasts for a while
          if (verb === 'presence.watch') return part;
        }
        return undefined;
      };
      return !(await isDenied(asked));
    });
    expect(found).toEqual(expected(role));
  });

  it.each(ADDED_ROLES)('%s, as the server sees it', async (role) => {
    const user = adminUserName(role);
    const nc = await connect({
      servers: fleet.servers,
      ...(await loadCredsFile(creds[role] ?? '')).natsOption(),
      inboxPrefix: adminInboxPrefix(user),
      reconnect: false,
    });
    const refused = new Set<string>();
    const collected = (async () => {
      for await (const status of nc.status())
        if (status.type === 'error' && status.error instanceof errors.PermissionViolationError)
          refused.add(status.error.subject);
    })();
    for (const verb of VERBS) {
      nc.publish(adminSubject(verb, user));
      // neither as the owner nor as another admin
      nc.publish(adminSubject(verb));
      nc.publish(adminSubject(verb, adminUserName('other')));
    }
    await nc.flush();
    // refusals are reported before the connection ends
    await nc.close();
    await collected;
    const found = await table(async (verb) => !refused.has(adminSubject(verb, user)));
    expect(found).toEqual(expected(role));
    for (const verb of VERBS) {
      expect(refused).toContain(adminSubject(verb));
      expect(refused).toContain(adminSubject(verb, adminUserName('other')));
    }
  });

  it.each(ADDED_ROLES)('%s, with a JWT that grants more, as the masters see it', async (role) => {
    const name = `wide-${role}`;
    const user = adminUserName(name);
    const path = await signedByHand(name, {
      permissions: { publish: { allow: ['zester.admin.>'] }, subscribe: { allow: ['_INBOX.>'] } },
      tags: [`zester-role:${role}`],
    });
    const nc = await carrier(user);
    const found = await table(async (verb) => {
      const code = await sent(nc, path, adminSubject(verb, user), requestOf(verb));
      return code !== 'ERR_FLEET_DENIED';
    });
    expect(found).toEqual(expected(role));
  });
});

describe('a master refuses the request of an admin', () => {
  const reading = (user?: string) => adminSubject('status', user);

  it('on a subject that is not its own', async () => {
    const viewer = creds['viewer'] ?? '';
    const other = adminUserName('other');
    expect(await sent(await carrier(other), viewer, reading(other), {})).toBe('ERR_FLEET_DENIED');
    expect(await sent(await carrier(''), viewer, reading(), {})).toBe('ERR_FLEET_DENIED');
    const own = adminUserName('viewer');
    expect(await sent(await carrier(own), creds['owner'] ?? '', reading(own), {})).toBe('ERR_FLEET_DENIED');
    expect(await sent(await carrier(own), viewer, reading(own), {})).toBe('none');
  });

  it('without a role, with two, or with one that is unknown', async () => {
    const user = adminUserName('odd');
    const nc = await carrier(user);
    for (const tags of [[], ['zester-role:viewer', 'zester-role:operator'], ['zester-role:owner']]) {
      const path = await signedByHand('odd', { tags });
      expect(await sent(nc, path, reading(user), {}), String(tags)).toBe('ERR_FLEET_DENIED');
    }
  });

  it('that has expired', async () => {
    const user = adminUserName('late');
    const now = () => Date.now() - 3_600_000;
    const path = await signedByHand('late', { expirySeconds: 60, now } as Partial<UserJwtOptions>);
    expect(await sent(await carrier(user), path, reading(user), {})).toBe('ERR_FLEET_DENIED');
  });

  it('that names the inbox of another, and answers nowhere', async () => {
    const own = adminUserName('operator');
    using signer = new MessageSigner(await loadCredsFile(creds['operator'] ?? ''));
    const nc = await carrier(own);
    const subjects: string[] = [];
    const elsewhere = [
      '_INBOX._zester-admin.1',
      '_INBOX._zester-admin-viewer.1',
      '_INBOX.web-01.1',
      'orders',
    ];
    for (const subject of elsewhere) nc.subscribe(subject, { callback: () => void subjects.push(subject) });
    const data = encodeJson({});
    for (const reply of elsewhere)
      nc.publish(reading(own), data, { reply, headers: signRequest(signer, reading(own), data) });
    await fleet.audited(
      'request.refused',
      ({ code, by }) => code === 'ERR_FLEET_REPLY' && by.name === 'operator',
    );
    // it is answered after those
    expect(await sent(nc, creds['operator'] ?? '', reading(own), {})).toBe('none');
    expect(subjects).toEqual([]);
  });
});

it('an approver rejects a peel that is pending, and none that is accepted', async () => {
  await addPeel(fleet, await fleet.admin(), 'accepted-1');
  const denied = await zester([
    'peel',
    'reject',
    'accepted-1',
    '--yes',
    '--creds',
    creds['approver'] ?? '',
    ...at(),
  ]);
  expect([denied.code, denied.stderr]).toEqual([3, expect.stringContaining('may reject only pending peels')]);
  const done = await zester([
    'peel',
    'reject',
    'accepted-1',
    '--yes',
    '--creds',
    creds['operator'] ?? '',
    ...at(),
  ]);
  expect(done.code, done.stderr).toBe(0);
});

it('an admin acts with a lower role that it names, and with no higher one', async () => {
  const acting = async (of: AdminRole, asRole: AddedRole) => {
    const client = await connectFleet({ ...fleet.connection, credentials: creds[of] ?? '' });
    atEnd(() => client.close());
    return client.client.actingAs(asRole);
  };
  const allowed: string[] = [];
  for (const of of ADMIN_ROLES) {
    for (const asRole of ADDED_ROLES) {
      const client = await acting(of, asRole);
      for (const verb of ['token.remove', 'peel.rotate'] as const) {
        const isAllowed = !(await isDenied(() => client.ask(verb, requestOf(verb) as never)));
        if (isAllowed) allowed.push(`${of} as ${asRole}: ${verb}`);
      }
    }
  }
  expect(allowed).toEqual([
    'approver as approver: token.remove',
    'approver as operator: token.remove',
    'operator as approver: token.remove',
    'operator as operator: token.remove',
    'operator as operator: peel.rotate',
    'owner as approver: token.remove',
    'owner as operator: token.remove',
    'owner as operator: peel.rotate',
  ]);
});

describe('zester admin', () => {
  it('a denied command exits with 3, and a permitted one needs no home', async () => {
    const viewer = creds['viewer'] ?? '';
    await addPeel(fleet, await fleet.admin(), 'called-1');
    for (const args of [
      ['peel', 'accept', 'nobody'],
      ['peel', 'revoke', 'nobody', '--yes'],
      ['join-token', 'create', '--out', join(fleet.home.dir, 'never.creds')],
      ['ping', 'called-1'],
      ['peel', 'exec', 'called-1', 'facts'],
    ]) {
      const { code, stderr } = await zester([...args, '--creds', viewer, ...at()]);
      expect([args, code, stderr]).toEqual([args, 3, expect.stringContaining('not authorized')]);
    }
    const list = await zester(['peel', 'list', '--creds', viewer, '--servers', ...fleet.servers]);
    expect(list.code, list.stderr).toBe(0);
  });

  it("audits added admins, and an admin's decisions with its name, role and key", async () => {
    const { publicKey } = await loadCredsFile(creds['operator'] ?? '');
    expect(
      await fleet.audited('admin.added', ({ detail }) => detail?.['admin'] === 'operator'),
    ).toMatchObject({ publicKey, detail: { role: 'operator' } });
    const out = join(fleet.home.dir, 'by-operator.creds');
    const added = await zester([
      'peel',
      'add',
      'by-operator',
      '--out',
      out,
      '--creds',
      creds['operator'] ?? '',
      ...at(),
    ]);
    expect(added.code, added.stderr).toBe(0);
    expect(await fleet.audited('key.issued', ({ peelId }) => peelId === 'by-operator')).toMatchObject({
      by: { kind: 'admin', name: 'operator', role: 'operator', publicKey },
    });
  });

  it('lists admins with their role, expiry and connection, and removes one everywhere', async () => {
    const path = await add('leaver', 'operator', '--expiry', '8h');
    const client = await connectFleet({ ...fleet.connection, credentials: path });
    atEnd(() => client.close());
    await client.status();
    const { publicKey } = await loadCredsFile(path);
    const list = async () => {
      const { stdout, stderr } = await zester(['admin', 'list', '--json', ...at()]);
      const { admins } = JSON.parse(stdout) as { admins: { name: string; expiresAt: string }[] };
      return admins.find(({ name }) => name === 'leaver') ?? stderr;
    };
    expect(await list()).toMatchObject({
      role: 'operator',
      state: 'active',
      publicKey,
      connections: [{ host: expect.stringContaining('127.0.0.1') as string }],
    });
    // a thief names the key of another user, to stay unseen
    await connectNaming(generateKeyBundle('user').publicKey, path, fleet.home.node(0).url);
    expect(await list()).toMatchObject({ connections: [{}, {}] });
    const again = await zester(['admin', 'add', 'leaver', '--role', 'viewer', '--out', `${path}.2`, ...at()]);
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('already')]);

    const removed = await zester(['admin', 'remove', 'leaver', '--yes', '--reason', 'moved on', ...at()]);
    expect(removed.code, removed.stderr).toBe(0);
    expect(await list()).toMatchObject({ state: 'revoked', connections: [] });
    await fleet.audited(
      'admin.removed',
      ({ reason, detail }) => reason === 'moved on' && detail?.['admin'] === 'leaver',
    );
    const after = await zester(['peel', 'list', '--creds', path, ...at()]);
    expect(after.code, after.stderr).toBe(3);
    // its signed request, sent by another user
    const user = adminUserName('leaver');
    const nc = await carrier(user);
    await waitFor('the masters to know', async () =>
      (await sent(nc, path, adminSubject('status', user), {})) === 'ERR_FLEET_DENIED' ? true : undefined,
    );
    // the name is available again
    await add('leaver', 'viewer', '--force');
  });

  it('adds an admin again, with a new key, after a revocation by time', async () => {
    const out = join(fleet.home.dir, 'again.admin.creds');
    const now = Date.now();
    const addAt = (time: number, ...more: string[]) =>
      zester(['admin', 'add', 'again', '--role', 'operator', '--out', out, ...at(), ...more], { now: time });
    const states = async () => {
      const { stdout } = await zester(['admin', 'list', '--json', ...at()]);
      const { admins } = JSON.parse(stdout) as {
        admins: { name: string; publicKey: string; state: string }[];
      };
      return admins.filter(({ name }) => name === 'again').map(({ publicKey, state }) => [publicKey, state]);
    };
    // an hour old, so that the revocation covers nothing else of this fleet
    expect((await addAt(now - 3_600_000)).code).toBe(0);
    const { publicKey: first } = await loadCredsFile(out);
    const upTo = new Date(now - 1_800_000);
    const revoked = await zester(['revoke', '--issued-before', upTo.toISOString(), '--yes', ...at()]);
    expect(revoked.code, revoked.stderr).toBe(0);
    expect(await states()).toEqual([[first, 'revoked']]);

    // in the second that the revocation covers
    const again = await addAt(upTo.getTime(), '--force');
    expect(again.code, again.stderr).toBe(0);
    const { publicKey: second } = await loadCredsFile(out);
    expect(await states()).toEqual([
      [first, 'revoked'],
      [second, 'active'],
    ]);
    const client = await connectFleet({ ...fleet.connection, credentials: out });
    atEnd(() => client.close());
    await client.status();

    const removed = await zester(['admin', 'remove', 'again', '--yes', '--json', ...at()]);
    expect(removed.code, removed.stderr).toBe(0);
    expect(JSON.parse(removed.stdout)).toMatchObject({ publicKey: second });
    expect(await states()).toEqual([
      [first, 'revoked'],
      [second, 'revoked'],
    ]);
  });

  it('lists and removes, in another master’s home, an admin that this home added', async () => {
    const path = await add('shared', 'viewer');
    const { publicKey } = await loadCredsFile(path);
    const other = join(fleet.home.dir, 'other-home');
    await cp(fleet.home.home, other, { recursive: true });
    await rm(join(other, 'admins.json'));
    const there = ['--home', other, '--servers', ...fleet.servers];
    const list = await zester(['admin', 'list', '--json', ...there]);
    expect(JSON.parse(list.stdout)).toMatchObject({
      complete: true,
      admins: expect.arrayContaining([
        expect.objectContaining({ name: 'shared', role: 'viewer', publicKey, state: 'active' }),
      ]) as unknown,
    });
    const removed = await zester(['admin', 'remove', 'shared', '--yes', ...there]);
    expect(removed.code, removed.stderr).toBe(0);
    const here = await zester(['admin', 'list', '--json', ...at()]);
    const { admins } = JSON.parse(here.stdout) as { admins: { name: string; state: string }[] };
    expect(admins.find(({ name }) => name === 'shared')).toMatchObject({ state: 'revoked' });
  });

  it('adds no admin, and reports the removal, when the audit log cannot be written', async () => {
    const path = await add('unaudited', 'viewer');
    const { masterCreds, masterSigningSeed } = (await fleet.home.domain()).paths;
    await rename(masterCreds, `${masterCreds}.away`);
    // a command would renew a credential signed by another key
    await rename(masterSigningSeed, `${masterSigningSeed}.away`);
    const [stranger, user] = [generateKeyBundle('account'), generateKeyBundle('user')];
    await writeCredsFile(masterCreds, createUserJwt(user, stranger, { name: 'zester-master' }), user.seed);
    try {
      const out = join(fleet.home.dir, 'never.creds');
      const added = await zester(['admin', 'add', 'never', '--role', 'viewer', '--out', out, ...at()]);
      expect([added.code, existsSync(out)]).toEqual([3, false]);
      const removed = await zester(['admin', 'remove', 'unaudited', '--yes', ...at()]);
      expect([removed.code, removed.stdout, removed.stderr]).toEqual([
        4,
        expect.stringContaining('removed the admin "unaudited"'),
        expect.stringContaining('could not be written into the audit log'),
      ]);
      const list = await zester(['admin', 'list', ...at()]);
      expect(list.stderr).toContain('admins that other homes added are not listed');
      expect(list.stdout).toMatch(/unaudited +viewer +revoked/);
      expect(list.stdout).not.toContain('never');
    } finally {
      await rename(`${masterCreds}.away`, masterCreds);
      await rename(`${masterSigningSeed}.away`, masterSigningSeed);
    }
    const after = await zester(['peel', 'list', '--creds', path, ...at()]);
    expect(after.code, after.stderr).toBe(3);
  });

  it.each([
    ['a name with a dot', ['a.b', '--role', 'viewer'], 2],
    ['a name in capitals', ['Alice', '--role', 'viewer'], 2],
    ['no role', ['alice'], 2],
    ['the role of the owner', ['alice', '--role', 'owner'], 2],
  ])('add refuses %s', async (_what, args, code) => {
    const out = join(fleet.home.dir, 'never.creds');
    expect((await zester(['admin', 'add', ...args, '--out', out, ...at()])).code).toBe(code);
  });

  it('remove refuses an admin that it does not know', async () => {
    const { code, stderr } = await zester(['admin', 'remove', 'nobody', '--yes', ...at()]);
    expect([code, stderr]).toEqual([1, expect.stringContaining('nobody')]);
  });
});
