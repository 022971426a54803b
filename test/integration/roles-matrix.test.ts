import type { NatsConnection } from '@nats-io/transport-node';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { writeCredsFile } from '../../src/creds/generate.js';
import type { PermissionOptions, UserLimitOptions } from '../../src/jwt/permission-options.js';
import { createUserJwt, type UserJwtOptions } from '../../src/jwt/user.js';
import { generateKeyBundle, type KeyBundle } from '../../src/nkeys/key-bundle.js';
import { ADDED_ROLES } from '../../src/permissions/admin-roles.js';
import * as roles from '../../src/permissions/roles.js';
import { subjectCovers } from '../../src/permissions/subject.js';
import { startOperatorServer, type OperatorServer } from '../support/operator-server.js';

/**
 * Whatever message a user receives, with whatever reply subject, the user publishes nothing beyond the grants of its
 * role. The roles are read from the exports of roles.ts, so that this matrix includes new ones automatically.
 */

/** Valid both as a peel ID and as the ID of a join token. */
const ID = 'Ab12Cd34';

type Make = (...args: unknown[]) => unknown;
const made = Object.entries(roles) as [string, unknown][];
const named = (suffix: RegExp) =>
  made.filter((entry): entry is [string, Make] => suffix.test(entry[0]) && typeof entry[1] === 'function');

/** Subjects that an attacker may want a user to publish to. The server itself refuses `$JS.ACK…` as a reply subject. */
const REPLIES = [
  '$JS.API.STREAM.LIST',
  '$JS.API.STREAM.PURGE.KV_zester-peels',
  '$KV.zester-peels.web-02',
  '$SRV.PING',
  '$SYS.REQ.SERVER.PING',
  'zester.cmd.web-02',
  'zester.event.web-02.x',
  'zester.fact.web-02',
  'zester.auth.web-02.renew',
  'zester.job.1.return.web-02',
  'zester.admin.peel.accept',
  'zester.enroll.other.join',
  'zester.audit.web-02.peel.revoked',
  '_INBOX.web-02.x',
  '_INBOX._zester-admin.x',
  '_INBOX._zester-master.x',
  '_INBOX.x',
  'anything',
];

interface Role {
  role: string;
  permissions: PermissionOptions;
  /** Returns the connection. */
  connect: () => Promise<NatsConnection>;
}

let server: OperatorServer;
let witness: NatsConnection;
const templates = new Map<string, { signer: KeyBundle; permissions: PermissionOptions }>();
beforeAll(async () => {
  const signingKeys = named(/PermissionsTemplate$/).map(([name, make]) => {
    const role = name.replace('PermissionsTemplate', '');
    const limits = made.find(([other]) => other === `${role}Limits`)?.[1] as
      | (() => UserLimitOptions)
      | undefined;
    const signer = generateKeyBundle('account');
    const permissions = make() as PermissionOptions;
    templates.set(role, { signer, permissions });
    return { publicKey: signer.publicKey, role: `matrix-${role}`, permissions, ...limits?.() };
  });
  server = await startOperatorServer({ account: { signingKeys } });
  witness = await server.connect(await server.user('witness'));
});

let users = 0;
async function connect(signer: KeyBundle, options: UserJwtOptions): Promise<NatsConnection> {
  const user = generateKeyBundle('user');
  const path = join(server.dir, `matrix-${(users += 1)}.creds`);
  await writeCredsFile(path, createUserJwt(user, signer, options), user.seed);
  return server.connect(path);
}

function roleOf(name: string, scoped: boolean): Role {
  const role = name.replace('UserJwtOptions', '');
  const account = server.trust.account.key;
  const make = named(/UserJwtOptions$/).find(([other]) => other === name)?.[1] as Make;
  const ofPeel = role === 'peel' || role === 'join';
  const args = ofPeel ? [ID, account.publicKey] : [account.publicKey];
  const options = make(...args, { scoped }) as UserJwtOptions;
  if (options.scoped !== true) {
    const { permissions = {} } = options;
    return { role, permissions, connect: () => connect(account, options) };
  }
  const template = templates.get(role);
  if (template === undefined) throw new Error(`the scoped role ${role} has no template`);
  const filled = JSON.stringify(template.permissions).replaceAll('{{name()}}', options.name);
  return {
    role,
    permissions: JSON.parse(filled) as PermissionOptions,
    connect: () => connect(template.signer, options),
  };
}

/** A subject that a pattern matches. */
function example(pattern: string): string {
  return pattern.replace(/\*/g, 'm').replace(/>$/, 'm');
}

/** The reply subjects that the user could publish to without a grant, by the pair of grants that led there. */
async function wronglyAllowed({ permissions, connect: open }: Role): Promise<string[]> {
  const publishable = permissions.publish?.allow ?? [];
  const subscribable = permissions.subscribe?.allow ?? [];
  expect(publishable.length * subscribable.length).toBeGreaterThan(0);
  const nc = await open();
  const arrived: string[] = [];
  const all = witness.subscribe('>', {
    callback: (_error, msg) => {
      if (msg.string().startsWith('marker ')) arrived.push(`${msg.string()} on ${msg.subject}`);
    },
  });
  let received = 0;
  for (const pattern of subscribable) nc.subscribe(pattern, { callback: () => void (received += 1) });
  await Promise.all([witness.flush(), nc.flush()]);
  for (const out of publishable) {
    for (const into of subscribable) {
      const before = received;
      for (const reply of REPLIES) {
        nc.publish(example(out), '', { reply });
        witness.publish(example(into), '', { reply });
      }
      // the user has received everything once its own round trip is over
      await Promise.all([witness.flush(), nc.flush()]);
      await nc.flush();
      expect(received - before).toBeGreaterThanOrEqual(REPLIES.length);
      for (const reply of REPLIES) nc.publish(reply, `marker ${out} ${into}`);
      await nc.flush();
    }
  }
  await witness.flush();
  all.unsubscribe();
  await nc.close();
  return arrived.filter((line) => {
    const subject = line.slice(line.lastIndexOf(' ') + 1);
    return !publishable.some((pattern) => subjectCovers(pattern, subject));
  });
}

describe('no role publishes beyond its grants, for any reply subject', () => {
  it.each(named(/UserJwtOptions$/).map(([name]) => name))('as %s makes it', async (name) => {
    expect(await wronglyAllowed(roleOf(name, false))).toEqual([]);
  });

  it.each(
    named(/UserJwtOptions$/)
      .map(([name]) => name)
      .filter((name) =>
        made.some(([other]) => other === name.replace('UserJwtOptions', 'PermissionsTemplate')),
      ),
  )('as %s makes it, scoped', async (name) => {
    expect(await wronglyAllowed(roleOf(name, true))).toEqual([]);
  });

  it.each(ADDED_ROLES)('as adminUserJwtOptions makes a(n) %s', async (role) => {
    const account = server.trust.account.key;
    const options = roles.adminUserJwtOptions(account.publicKey, { admin: { name: 'ann', role } });
    const { permissions = {} } = options;
    expect(await wronglyAllowed({ role, permissions, connect: () => connect(account, options) })).toEqual([]);
  });

  it('and the matrix sees it where one does', async () => {
    const { publish = {}, subscribe = {} } = roles.peelPermissions(ID);
    const permissions = { publish, subscribe, responses: { max: 1, ttl: 300 } } as PermissionOptions;
    const account = server.trust.account.key;
    const options = roles.peelUserJwtOptions(ID, account.publicKey, {
      permissions: { replace: permissions },
    });
    const found = await wronglyAllowed({
      role: 'peel',
      permissions,
      connect: () => connect(account, options),
    });
    expect(new Set(found.map((line) => line.slice(line.lastIndexOf(' ') + 1)))).toEqual(new Set(REPLIES));
  });
});

it('no role has responses', () => {
  const all = named(/Permissions(Template)?$/);
  expect(all.length).toBeGreaterThanOrEqual(5);
  const grants = all.map(([name, make]) => {
    const args = name === 'adminPermissions' ? [] : [ID];
    return [name, make(...args) as PermissionOptions] as const;
  });
  const added = ADDED_ROLES.map((role) => [role, roles.adminPermissions({ name: 'ann', role })] as const);
  for (const [name, { responses }] of [...grants, ...added]) expect(responses, name).toBeUndefined();
});
