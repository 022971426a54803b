import { jetstreamManager } from '@nats-io/jetstream';
import {
  AuthorizationError,
  connect,
  jwtAuthenticator,
  PermissionViolationError,
  UserAuthenticationExpiredError,
  type NatsConnection,
} from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadCredsFile } from '../../src/creds/parse.js';
import { createAccountJwt } from '../../src/jwt/account.js';
import { createOperatorJwt } from '../../src/jwt/operator.js';
import { createUserJwt } from '../../src/jwt/user.js';
import { generateKeyBundle } from '../../src/nkeys/key-bundle.js';
import {
  startOperatorServer,
  type OperatorServer,
  type TestUserOptions,
} from '../support/operator-server.js';
import { nextStatus } from '../support/status.js';
import { createTestTrust } from '../support/trust.js';
import { waitFor } from '../support/wait-for.js';

/** A real nats-server accepts the JWTs of this library, and enforces them. */

const signingKey = generateKeyBundle('account');
const scopedKey = generateKeyBundle('account');
const HOUR = 3600;
const now = () => Math.floor(Date.now() / 1000);

let server: OperatorServer;

beforeAll(async () => {
  server = await startOperatorServer({
    operator: {
      tags: ['test'],
      accountServerUrl: 'http://127.0.0.1:9/jwt/v1',
      operatorServiceUrls: ['nats://127.0.0.1:4222'],
    },
    account: {
      description: 'every option that there is',
      tags: ['fleet', 'test'],
      expiry: HOUR,
      notBefore: now() - HOUR,
      signingKeys: [
        signingKey.publicKey,
        {
          publicKey: scopedKey.publicKey,
          role: 'reader',
          description: 'reads what is its own',
          permissions: {
            publish: { deny: ['>'] },
            subscribe: { allow: ['for.{{name()}}'], deny: ['for.nobody'] },
            responses: { max: 5, ttl: 60 },
          },
          subscriptions: 2,
          payload: 100,
          sourceNetworks: ['127.0.0.0/8'],
          allowedConnectionTypes: ['STANDARD'],
        },
      ],
      limits: {
        connections: 100,
        leafNodes: 0,
        imports: 10,
        exports: 10,
        wildcardExports: false,
        subscriptions: 1000,
        payload: 100_000,
        data: -1,
      },
      jetStream: {
        memoryStorage: 1 << 20,
        diskStorage: 1 << 22,
        streams: 3,
        consumers: 7,
        maxAckPending: 50,
        memoryMaxStreamBytes: 1 << 19,
        diskMaxStreamBytes: 1 << 21,
        maxBytesRequired: true,
      },
      defaultPermissions: { publish: { deny: ['forbidden.>'] }, subscribe: { deny: ['forbidden.>'] } },
      exports: [{ name: 'time', subject: 'time.now', type: 'service' }],
    },
    extraAccounts: {
      small: { limits: { connections: 1 } },
      'no-bearer': { limits: { disallowBearer: true } },
      expired: { expiry: 1, now: () => Date.now() - HOUR * 1000 },
      'not-yet': { notBefore: now() + HOUR },
    },
  });
});
afterAll(() => server.close());

/** Connects once, as a new user. */
async function connectAs(name: string, options: TestUserOptions = {}): Promise<NatsConnection> {
  return server.connect(await server.user(name, options), { reconnect: false });
}

/** The server's first error about this connection. */
async function firstError(nc: NatsConnection): Promise<Error> {
  return (await nextStatus(nc, 'error')).error;
}

function accountKey(name: string) {
  const account = server.trust.extraAccounts[name];
  if (account === undefined) throw new Error(`no account ${name}`);
  return account.key;
}

describe('an operator', () => {
  it('with signing keys, a system account, URLs and tags is trusted', async () => {
    const nc = await connectAs('anybody');
    expect(nc.info?.auth_required).toBe(true);
    expect((await server.systemConnection()).info?.auth_required).toBe(true);
  });

  it('that is strict accepts the accounts and users of signing keys', async () => {
    const strict = await startOperatorServer({ operator: { strictSigningKeyUsage: true } });
    const nc = await strict.connect(await strict.bootstrap('web-01'), { reconnect: false });
    await nc.flush();
    expect(nc.isClosed()).toBe(false);
    await strict.close();
  });

  it('that is strict refuses an account signed by its identity key; one that is not accepts it', async () => {
    for (const strictSigningKeyUsage of [true, false]) {
      const made = createTestTrust({ operator: { strictSigningKeyUsage } });
      const signingKeys = [signingKey.publicKey];
      const jwt = createAccountJwt(made.account.key, made.operator, { name: 'fleet', signingKeys });
      const trust = { ...made, account: { key: made.account.key, jwt } };
      const other = await startOperatorServer({ trust, resolver: 'memory' });
      const creds = await other.user('own', {
        signer: signingKey,
        issuerAccount: made.account.key.publicKey,
      });
      const connected = other.connect(creds, { reconnect: false });
      if (strictSigningKeyUsage) await expect(connected).rejects.toThrow(AuthorizationError);
      else expect((await connected).isClosed()).toBe(false);
      await other.close();
    }
  });

  it('that is strict refuses a user signed by the account’s identity key; one that is not accepts it', async () => {
    for (const strictSigningKeyUsage of [true, false]) {
      const other = await startOperatorServer({ operator: { strictSigningKeyUsage } });
      const connected = other.connect(await other.user('own'), { reconnect: false });
      if (strictSigningKeyUsage) await expect(connected).rejects.toThrow(AuthorizationError);
      else expect((await connected).isClosed()).toBe(false);
      await other.close();
    }
  });

  it('of another trust domain has no authority here', async () => {
    const stranger = createTestTrust();
    await expect(connectAs('stranger', { signer: stranger.account.key })).rejects.toThrow(AuthorizationError);
  });

  it('of another trust domain cannot add an account by a push: the server accepts it, but admits nobody', async () => {
    const other = await startOperatorServer();
    const { account, accountJwtWith } = other.trust;
    const creds = await other.user('anybody');
    await other.pushAccount(createAccountJwt(account.key, createTestTrust().operator, { name: 'fleet' }));
    await expect(other.connect(creds, { reconnect: false })).rejects.toThrow(AuthorizationError);
    // so check the chain before a push; a correct JWT repairs it
    await other.pushAccount(accountJwtWith({ now: () => Date.now() + 1_000 }));
    const nc = await other.connect(creds, { reconnect: false });
    await nc.flush();
    expect(nc.isClosed()).toBe(false);
    await other.close();
  });

  it('without any option is trusted too', async () => {
    const base = createTestTrust();
    const trust = {
      ...base,
      operatorJwt: createOperatorJwt(base.operator, { name: 'plain' }),
      account: {
        key: base.account.key,
        jwt: createAccountJwt(base.account.key, base.operator, { name: 'plain' }),
      },
      systemAccount: {
        key: base.systemAccount.key,
        jwt: createAccountJwt(base.systemAccount.key, base.operator, { name: 'SYS' }),
      },
    };
    const plain = await startOperatorServer({ trust, resolver: 'memory' });
    const nc = await plain.connect(await plain.user('anybody'), { reconnect: false });
    await nc.flush();
    expect(nc.isClosed()).toBe(false);
    await plain.close();
  });
});

describe('an account', () => {
  it('lets its users use JetStream, within its limits', async () => {
    const manager = await jetstreamManager(await connectAs('anybody'));
    const info = await manager.getAccountInfo();
    expect(info.limits).toMatchObject({
      max_memory: 1 << 20,
      max_storage: 1 << 22,
      max_streams: 3,
      max_consumers: 7,
      max_ack_pending: 50,
      memory_max_stream_bytes: 1 << 19,
      storage_max_stream_bytes: 1 << 21,
      max_bytes_required: true,
    });
    await expect(manager.streams.add({ name: 'unbounded', subjects: ['s'] })).rejects.toThrow(/max bytes/);
    await expect(
      manager.streams.add({ name: 'bounded', subjects: ['s'], max_bytes: 1 << 16 }),
    ).resolves.toMatchObject({ config: { name: 'bounded' } });
  });

  it('has no limits if none are set', async () => {
    const nc = await connectAs('anybody', { signer: accountKey('no-bearer') });
    await expect(jetstreamManager(nc)).rejects.toThrow(/not enabled/);
  });

  it('bounds the connections', async () => {
    const signer = accountKey('small');
    const first = await connectAs('one', { signer });
    // the server reports the reason and closes at once, so the client may notice only the close
    await expect(connectAs('two', { signer })).rejects.toThrow();
    await server.server.logged(/maximum account active connections exceeded/i);
    await first.close();
    const third = await waitFor('the place of the first', () => connectAs('three', { signer }));
    await third.close();
  });

  it('bounds the size of messages', async () => {
    const nc = await connectAs('anybody');
    expect(nc.info?.max_payload).toBe(100_000);
  });

  it('gives its default permissions to a user without its own', async () => {
    const nc = await connectAs('anybody');
    const error = firstError(nc);
    nc.publish('allowed.x');
    nc.publish('forbidden.x');
    expect(await error).toMatchObject({ operation: 'publish', subject: 'forbidden.x' });
  });

  it('exports and imports', async () => {
    const account = server.trust.account.key;
    const clock = await connectAs('clock');
    clock.subscribe('time.now', { callback: (_, msg) => void msg.respond('noon') });
    await clock.flush();
    const importer = generateKeyBundle('account');
    await server.pushAccount(
      createAccountJwt(importer, server.trust.operatorSigner, {
        name: 'importer',
        imports: [{ name: 'time', account: account.publicKey, subject: 'time.now', type: 'service' }],
      }),
    );
    const asker = await connectAs('asker', { signer: importer });
    expect((await asker.request('time.now', '', { timeout: 5_000 })).string()).toBe('noon');
  });

  it.each(['expired', 'not-yet'])('that is %s admits nobody', async (name) => {
    await expect(connectAs('anybody', { signer: accountKey(name) })).rejects.toThrow(AuthorizationError);
  });

  it('admits users that its signing key signed, with their own permissions', async () => {
    const issuerAccount = server.trust.account.key.publicKey;
    const nc = await connectAs('own', {
      signer: signingKey,
      issuerAccount,
      permissions: { publish: { allow: ['mine'] }, subscribe: { allow: ['>'] } },
    });
    const error = firstError(nc);
    nc.publish('mine');
    nc.publish('other');
    expect(await error).toMatchObject({ operation: 'publish', subject: 'other' });
  });

  it('limits users of its scoped signing key to the template', async () => {
    const issuerAccount = server.trust.account.key.publicKey;
    const reader = await connectAs('reader-7', { signer: scopedKey, issuerAccount, scoped: true });
    const writer = await connectAs('writer');
    const got = reader.subscribe('for.reader-7', { max: 1 });
    await reader.flush();
    writer.publish('for.reader-7', 'hello');
    for await (const msg of got) expect(msg.string()).toBe('hello');
    const errors: Error[] = [];
    void (async () => {
      for await (const status of reader.status()) if (status.type === 'error') errors.push(status.error);
    })();
    reader.publish('anything');
    reader.subscribe('for.reader-8', { callback: () => undefined });
    reader.subscribe('for.nobody', { callback: () => undefined });
    await reader.flush();
    await reader.flush();
    expect(errors).toMatchObject([
      { operation: 'publish', subject: 'anything' },
      { operation: 'subscription', subject: 'for.reader-8' },
      { operation: 'subscription', subject: 'for.nobody' },
    ]);
    expect(errors[0]).toBeInstanceOf(PermissionViolationError);
  });

  it('does not admit a user of its scoped signing key with own permissions', async () => {
    const issuerAccount = server.trust.account.key.publicKey;
    await expect(
      connectAs('sly', {
        signer: scopedKey,
        issuerAccount,
        permissions: { publish: { allow: ['>'] }, subscribe: { allow: ['>'] } },
      }),
    ).rejects.toThrow(AuthorizationError);
  });

  it('does not admit users that a foreign key signed', async () => {
    const issuerAccount = server.trust.account.key.publicKey;
    await expect(connectAs('sly', { signer: generateKeyBundle('account'), issuerAccount })).rejects.toThrow(
      AuthorizationError,
    );
  });
});

describe('revocations of an account', () => {
  let fleet: OperatorServer;
  beforeAll(async () => {
    fleet = await startOperatorServer();
  });
  afterAll(() => fleet.close());

  it('cut a live connection, and refuse the user from then on, after a restart too', async () => {
    const creds = await fleet.bootstrap('web-01');
    const kept = await fleet.connect(await fleet.bootstrap('web-02'), { reconnect: false });
    const nc = await fleet.connect(creds, { reconnect: false });
    const closed = nc.closed();
    const { publicKey } = await loadCredsFile(creds);
    await fleet.pushAccount(fleet.trust.accountJwtWith({ revocations: { [publicKey]: now() } }));
    await closed;
    await expect(fleet.connect(creds, { reconnect: false })).rejects.toThrow(AuthorizationError);
    await kept.flush();
    await fleet.restart();
    await expect(fleet.connect(creds, { reconnect: false })).rejects.toThrow(AuthorizationError);
  });

  it('of everything issued before a time do not affect later JWTs', async () => {
    const before = await fleet.bootstrap('web-03', { now: () => (now() - HOUR) * 1000 });
    await fleet.pushAccount(fleet.trust.accountJwtWith({ revocations: { '*': now() - HOUR / 2 } }));
    await expect(fleet.connect(before, { reconnect: false })).rejects.toThrow(AuthorizationError);
    const after = await fleet.connect(await fleet.bootstrap('web-03'), { reconnect: false });
    await after.flush();
    expect(after.isClosed()).toBe(false);
  });
});

describe('a user', () => {
  it('is limited to its own permissions', async () => {
    const nc = await connectAs('bounded', {
      permissions: {
        publish: { allow: ['a.>'], deny: ['a.secret'] },
        subscribe: { allow: ['b.*', 'q.work workers'], deny: ['b.secret', 'b.work workers'] },
      },
    });
    const errors: string[] = [];
    void (async () => {
      for await (const status of nc.status()) {
        if (status.type === 'error' && status.error instanceof PermissionViolationError) {
          const { operation, subject, queue } = status.error;
          errors.push(`${operation} ${subject}${queue === undefined ? '' : ` ${queue}`}`);
        }
      }
    })();
    const ignore = { callback: () => undefined };
    nc.publish('a.x');
    nc.publish('a.secret');
    nc.publish('c');
    nc.subscribe('b.x', ignore);
    nc.subscribe('b.secret', ignore);
    nc.subscribe('b.secret', { ...ignore, queue: 'workers' });
    nc.subscribe('b.work', ignore);
    nc.subscribe('b.work', { ...ignore, queue: 'workers' });
    nc.subscribe('b.work', { ...ignore, queue: 'others' });
    nc.subscribe('q.work', { ...ignore, queue: 'workers' });
    nc.subscribe('q.work', { ...ignore, queue: 'others' });
    await nc.flush();
    await nc.flush();
    expect(errors).toEqual([
      'publish a.secret',
      'publish c',
      'subscription b.secret',
      'subscription b.secret workers',
      'subscription b.work workers',
      'subscription q.work others',
    ]);
  });

  it('may answer as often as its JWT allows', async () => {
    const asker = await connectAs('asker');
    const answerer = await connectAs('answerer', {
      permissions: {
        publish: { deny: ['>'] },
        subscribe: { allow: ['ask'] },
        responses: { max: 2, ttl: -1 },
      },
    });
    answerer.subscribe('ask', {
      callback: (_, msg) => {
        for (const answer of ['one', 'two', 'three']) msg.respond(answer);
      },
    });
    await answerer.flush();
    const refused = firstError(answerer);
    const answers: string[] = [];
    for await (const msg of await asker.requestMany('ask', '', { strategy: 'count', maxMessages: 2 })) {
      answers.push(msg.string());
    }
    expect(answers).toEqual(['one', 'two']);
    expect(await refused).toMatchObject({ operation: 'publish' });
  });

  it('is limited to its number of subscriptions', async () => {
    const nc = await connectAs('bounded', { subscriptions: 1 });
    const error = firstError(nc);
    nc.subscribe('one', { callback: () => undefined });
    nc.subscribe('two', { callback: () => undefined });
    expect((await error).message).toMatch(/maximum subscriptions exceeded/i);
  });

  it('is limited to its message size', async () => {
    const nc = await connectAs('bounded', { payload: 10 });
    expect(nc.info?.max_payload).toBe(10);
  });

  it.each([
    ['from its network', { sourceNetworks: ['127.0.0.0/8'] }, true],
    ['from another network', { sourceNetworks: ['10.0.0.0/8'] }, false],
    ['at any time', { times: [{ start: '00:00:00', end: '23:59:59' }], timesLocation: 'UTC' }, true],
    ['by TCP, if that is allowed', { allowedConnectionTypes: ['STANDARD'] }, true],
    ['by TCP, if only others are', { allowedConnectionTypes: ['WEBSOCKET', 'MQTT'] }, false],
    ['before its expiry', { expiry: HOUR }, true],
    ['after its expiry', { expiry: 1, now: () => Date.now() - HOUR * 1000 }, false],
    ['after its not-before', { notBefore: 1_000_000_000 }, true],
    ['before its not-before', { notBefore: 32_503_680_000 }, false],
    ['with tags', { tags: ['web', 'vienna'] }, true],
  ] as [string, TestUserOptions, boolean][])('connects %s: %o %s', async (_, options, may) => {
    const connected = connectAs('somebody', options);
    if (may) expect((await connected).isClosed()).toBe(false);
    else await expect(connected).rejects.toThrow(AuthorizationError);
  });

  it('is refused at the wrong time of day', async () => {
    const hour = new Date().getUTCHours();
    const away = (hour + 12) % 24;
    const at = (h: number, end: string) => `${String(h).padStart(2, '0')}:${end}`;
    await expect(
      connectAs('night', {
        times: [{ start: at(away, '00:00'), end: at(away, '59:59') }],
        timesLocation: 'UTC',
      }),
    ).rejects.toThrow(AuthorizationError);
  });

  it('is cut off when it expires', async () => {
    const nc = await connectAs('brief', { expiry: 3 });
    expect(await firstError(nc)).toBeInstanceOf(UserAuthenticationExpiredError);
    await nc.closed();
  });

  it('that is a bearer needs no seed, unless the account disallows it', async () => {
    const { key: fleet } = server.trust.account;
    const user = generateKeyBundle('user');
    const bearer = createUserJwt(user, fleet, { name: 'bearer', bearer: true });
    const servers = server.url;
    const nc = await connect({ servers, authenticator: jwtAuthenticator(bearer), reconnect: false });
    await nc.flush();
    await nc.close();

    const ordinary = createUserJwt(user, fleet, { name: 'ordinary' });
    await expect(
      connect({ servers, authenticator: jwtAuthenticator(ordinary), reconnect: false }),
    ).rejects.toThrow(AuthorizationError);

    const disallowed = createUserJwt(user, accountKey('no-bearer'), { name: 'bearer', bearer: true });
    await expect(
      connect({ servers, authenticator: jwtAuthenticator(disallowed), reconnect: false }),
    ).rejects.toThrow(AuthorizationError);
  });

  it('is refused with the seed of another user', async () => {
    const jwt = createUserJwt(generateKeyBundle('user'), server.trust.account.key, { name: 'x' });
    const authenticator = jwtAuthenticator(jwt, generateKeyBundle('user').seed);
    await expect(connect({ servers: server.url, authenticator, reconnect: false })).rejects.toThrow(
      AuthorizationError,
    );
  });

  it('is refused when its JWT was altered', async () => {
    const user = generateKeyBundle('user');
    const jwt = createUserJwt(user, server.trust.account.key, {
      name: 'x',
      permissions: { publish: { allow: ['a'] }, subscribe: { allow: ['b'] } },
    });
    const [header = '', payload = '', signature = ''] = jwt.split('.');
    const claims = Buffer.from(payload, 'base64url').toString().replace('"a"', '">"');
    const altered = [header, Buffer.from(claims).toString('base64url'), signature].join('.');
    expect(altered).not.toBe(jwt);
    const authenticator = jwtAuthenticator(altered, user.seed);
    await expect(connect({ servers: server.url, authenticator, reconnect: false })).rejects.toThrow(
      AuthorizationError,
    );
  });

  it('of the largest size that is issued fits a CONNECT line of the server', async () => {
    const allow: string[] = [];
    let creds: string | undefined;
    for (;;) {
      allow.push(`zester.some.long.subject.of.a.test.number.${allow.length}`);
      const next = await server
        .user('large', { permissions: { publish: { allow: [...allow] }, subscribe: { allow: ['>'] } } })
        .catch((error: unknown) => error);
      if (typeof next !== 'string') {
        expect(next).toMatchObject({ code: 'ERR_JWT_TOO_LARGE' });
        break;
      }
      creds = next;
    }
    expect(allow.length).toBeGreaterThan(30);
    // a name as long as a peel's can be
    const nc = await server.connect(creds ?? '', {
      reconnect: false,
      name: `zester-peel-${'x'.repeat(128)}`,
    });
    await nc.flush();
    expect(nc.isClosed()).toBe(false);
  });
});
