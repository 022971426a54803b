// The isolation matrix on a real server: each role tries each subject, as publisher, subscriber and member of a queue group.
import { connect, errors, type NatsConnection } from '@nats-io/transport-node';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeCredsFile } from '../../src/creds/generate.js';
import { loadCredsFile } from '../../src/creds/parse.js';
import { createUserJwt } from '../../src/jwt/user.js';
import { generateKeyBundle } from '../../src/nkeys/key-bundle.js';
import { MASTER_QUEUE } from '../../src/permissions/names.js';
import { recoveryUserJwtOptions } from '../../src/permissions/recovery.js';
import { adminUserJwtOptions, joinUserJwtOptions } from '../../src/permissions/roles.js';
import { startHome, type HomeWithServers } from '../integration/trust/support.js';
import { atEnd } from '../support/cleanup.js';
import { ADMIN, ISOLATION, PEEL_ID, ROLE_WORDS, ROLES, TOKEN, type Role } from './isolation-table.js';

type Operation = 'publish' | 'subscription';

let home: HomeWithServers;
const tally = { attempts: 0, refused: 0, wronglyAllowed: 0, wronglyRefused: 0 };

beforeAll(async () => {
  home = await startHome();
});

afterAll(() => {
  const { attempts, refused, wronglyAllowed, wronglyRefused } = tally;
  process.stdout.write(
    `isolation: ${attempts} attempts, ${refused} refused, ${wronglyAllowed} wrongly allowed, ${wronglyRefused} wrongly refused\n`,
  );
});

/** The file of a role's credentials. */
async function credsOf(role: Role): Promise<string> {
  const domain = await home.domain();
  const { paths } = domain;
  switch (role) {
    case 'peel':
      return (await home.issue(PEEL_ID)).path;
    case 'recovery':
    case 'token': {
      const signer = await domain.joinSigner();
      const user = generateKeyBundle('user');
      const path = join(home.dir, `${role}.creds`);
      const { account } = domain.publicKeys;
      const options =
        role === 'token'
          ? joinUserJwtOptions(TOKEN, account)
          : recoveryUserJwtOptions(PEEL_ID, account, { count: 0 });
      await writeCredsFile(path, createUserJwt(user, signer, options), user.seed);
      return path;
    }
    case 'master':
      return paths.masterCreds;
    case 'answers':
      return paths.masterAnswersCreds;
    case 'viewer':
    case 'approver':
    case 'operator': {
      const path = join(home.dir, `${role}.creds`);
      const account = await domain.accountKey();
      const user = generateKeyBundle('user');
      const admin = { name: ADMIN, role };
      const options = adminUserJwtOptions(domain.publicKeys.account, { admin });
      await writeCredsFile(path, createUserJwt(user, account, options), user.seed);
      return path;
    }
    case 'owner':
      return paths.adminCreds;
  }
}

async function connectWith(path: string, servers = home.servers): Promise<NatsConnection> {
  const creds = await loadCredsFile(path);
  const nc = await connect({ servers, ...creds.natsOption(), reconnect: false });
  atEnd(() => nc.close());
  return nc;
}

async function connectAs(role: Role): Promise<{ nc: NatsConnection; refused: Set<string> }> {
  const nc = await connectWith(await credsOf(role));
  const refused = new Set<string>();
  void (async () => {
    for await (const status of nc.status()) {
      if (status.type !== 'error' || !(status.error instanceof errors.PermissionViolationError)) continue;
      refused.add(`${status.error.operation} ${status.error.subject}`);
    }
  })();
  return { nc, refused };
}

/**
 * The permissions of this role on all subjects of the table, as enforced by the server. A wildcard cannot be published
 * to.
 */
async function attempt(role: Role): Promise<(operation: Operation, subject: string) => boolean> {
  const { nc, refused } = await connectAs(role);
  for (const { subjects } of ISOLATION) {
    for (const subject of subjects) {
      const subscriptions = [{}, { queue: MASTER_QUEUE }].map((options) =>
        nc.subscribe(subject, { ...options, callback: () => undefined }),
      );
      await nc.flush();
      // the next message must not come back to this connection
      for (const subscription of subscriptions) subscription.unsubscribe();
      if (!isWildcard(subject)) nc.publish(subject);
    }
    await nc.flush();
  }
  await nc.flush();
  expect(nc.isClosed()).toBe(false);
  await nc.close();
  return (operation, subject) => !refused.has(`${operation} ${subject}`);
}

function isWildcard(subject: string): boolean {
  return subject.split('.').some((token) => token === '*' || token === '>');
}

describe('the server enforces the table of roles:', () => {
  it.each(ROLES.map((role) => [ROLE_WORDS[role], role] as const))('%s', async (_words, role) => {
    const allowed = await attempt(role);
    const wrong: string[] = [];
    const judge = (operation: Operation, subject: string, should: boolean, what: string) => {
      const is = allowed(operation, subject);
      tally.attempts += 1;
      if (!is) tally.refused += 1;
      if (is === should) return;
      tally[is ? 'wronglyAllowed' : 'wronglyRefused'] += 1;
      wrong.push(`${operation} of ${subject} (${what}): ${is ? 'allowed' : 'refused'}`);
    };
    for (const { what, subjects, publish, subscribe } of ISOLATION) {
      for (const subject of subjects) {
        if (!isWildcard(subject)) judge('publish', subject, publish.includes(role), what);
        judge('subscription', subject, subscribe.includes(role), what);
      }
    }
    expect(wrong).toEqual([]);
  });
});

it("the system account and the fleet's account cannot reach each other's subjects", async () => {
  // with a user of the system account that no template limits
  const free = await startHome({ credsLifetime: 0 });
  const domain = await free.domain();
  const user = generateKeyBundle('user');
  const path = join(free.dir, 'everything.creds');
  const account = await domain.accountKey();
  await writeCredsFile(path, createUserJwt(user, account, { name: 'everything' }), user.seed);
  const inside = await connectWith(path, free.servers);
  const system = await connectWith(domain.paths.systemCreds, free.servers);
  const received: string[] = [];
  for (const nc of [inside, system])
    nc.subscribe('>', {
      callback: (_, { subject, data }) => void (data.length > 0 && received.push(subject)),
    });
  await Promise.all([inside.flush(), system.flush()]);
  const subjects = ISOLATION.flatMap((row) => row.subjects).filter((subject) => !isWildcard(subject));
  for (const subject of subjects) {
    inside.publish(subject, 'from the fleet');
    // ignore its own requests to the servers
    if (!subject.startsWith('$SYS.')) system.publish(subject, 'from the system');
  }
  await Promise.all([inside.flush(), system.flush()]);
  await Promise.all([inside.flush(), system.flush()]);
  const times = (subject: string) => received.filter((other) => other === subject).length;
  const plain = subjects.filter((subject) => !subject.startsWith('$'));
  expect(plain.length).toBeGreaterThan(20);
  // each gets its own message, once
  for (const subject of plain) expect([subject, times(subject)]).toEqual([subject, 2]);
  await Promise.all([inside.close(), system.close()]);
});

it('a stranger cannot connect', async () => {
  await expect(connect({ servers: home.servers, reconnect: false })).rejects.toThrow(
    errors.AuthorizationError,
  );
});
