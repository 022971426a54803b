import { createHash } from 'node:crypto';
import { base32nopad } from '@scure/base';
import { describe, expect, it } from 'vitest';
import {
  createAccountJwt,
  createOperatorJwt,
  createUserJwt,
  createUserJwtForPublicKey,
  decodeAccountJwt,
  decodeOperatorJwt,
  decodeUserJwt,
  generateFullHierarchy,
  generateKeyBundle,
  MAX_USER_JWT_BYTES,
  validateJwtChain,
  type AccountJwtOptions,
  type PermissionOptions,
  type UserJwtOptions,
} from '../../src/index.js';
import { refusal } from '../support/refusal.js';
import { partsOf } from './forge.js';

const operator = generateKeyBundle('operator');
const operatorSigner = generateKeyBundle('operator');
const account = generateKeyBundle('account');
const signer = generateKeyBundle('account');
const user = generateKeyBundle('user');
const now = () => 1_700_000_000_999;

describe('every JWT', () => {
  const jwt = createUserJwt(user, account, { name: 'web-01', now });
  const { header, claims } = partsOf(jwt);

  it('has the header of a NATS JWT v2', () => {
    expect(header).toEqual({ typ: 'JWT', alg: 'ed25519-nkey' });
  });

  it('names its issuer and its subject, and when it was issued in whole seconds', () => {
    expect(claims).toMatchObject({
      iss: account.publicKey,
      sub: user.publicKey,
      name: 'web-01',
      iat: 1_700_000_000,
    });
  });

  it('never expires by default', () => {
    expect(claims).not.toHaveProperty('exp');
    expect(claims).not.toHaveProperty('nbf');
  });

  it('has as its id the SHA-512/256 of its other claims in base32', () => {
    const { jti, ...rest } = claims;
    const hash = createHash('sha512-256').update(JSON.stringify(rest)).digest();
    expect(jti).toBe(base32nopad.encode(hash));
  });

  it('is signed over header and payload', () => {
    const [head = '', payload = '', signature = ''] = jwt.split('.');
    expect(account.verify(`${head}.${payload}`, Buffer.from(signature, 'base64url'))).toBe(true);
  });

  it('keeps a name of any characters', () => {
    const name = 'Kühlschrank 冷蔵庫 🍋 "\\';
    expect(decodeUserJwt(createUserJwt(user, account, { name })).name).toBe(name);
  });
});

describe('the time of a JWT', () => {
  const make = (options: Partial<UserJwtOptions>) =>
    decodeUserJwt(createUserJwt(user, account, { name: 'x', now, ...options }));

  it('expires the given seconds after now, part seconds rounded up', () => {
    expect(make({ expiry: 86_400 }).exp).toBe(1_700_000_000 + 86_400);
    expect(make({ expiry: 0.5 }).exp).toBe(1_700_000_001);
  });

  it('begins at the given time', () => {
    expect(make({ notBefore: 1_700_000_100 }).nbf).toBe(1_700_000_100);
  });

  it.each([
    { expiry: 0 },
    { expiry: -1 },
    { expiry: NaN },
    { expiry: Infinity },
    { expiry: 1e300 },
    { notBefore: -1 },
    { notBefore: 1.5 },
    { notBefore: NaN },
    { notBefore: 1_700_000_010, expiry: 10 },
  ])('is refused when no server could read it, or it would never be valid: %j', async (options) => {
    await refusal('ERR_JWT_OPTIONS', () => make(options));
  });
});

describe('an operator JWT', () => {
  it('carries every option', () => {
    const system = generateKeyBundle('account').publicKey;
    const claims = decodeOperatorJwt(
      createOperatorJwt(operator, {
        name: 'Acme',
        signingKeys: [operatorSigner.publicKey],
        strictSigningKeyUsage: true,
        systemAccount: system,
        accountServerUrl: 'https://accounts.example/jwt/v1',
        operatorServiceUrls: ['nats://one.example:4222', 'tls://two.example:4222'],
        tags: ['prod'],
        expiry: 60,
        notBefore: 1_700_000_001,
        now,
      }),
    );
    expect(claims).toEqual({
      jti: expect.any(String) as string,
      iss: operator.publicKey,
      sub: operator.publicKey,
      name: 'Acme',
      iat: 1_700_000_000,
      exp: 1_700_000_060,
      nbf: 1_700_000_001,
      nats: {
        type: 'operator',
        version: 2,
        signing_keys: [operatorSigner.publicKey],
        strict_signing_key_usage: true,
        system_account: system,
        account_server_url: 'https://accounts.example/jwt/v1',
        operator_service_urls: ['nats://one.example:4222', 'tls://two.example:4222'],
        tags: ['prod'],
      },
    });
  });

  it('carries only the given options', () => {
    expect(decodeOperatorJwt(createOperatorJwt(operator, { name: 'Acme' })).nats).toEqual({
      type: 'operator',
      version: 2,
    });
  });

  it('needs an operator key, operator signing keys and an account as system account', async () => {
    await refusal('ERR_KEY_ROLE', () => createOperatorJwt(account, { name: 'x' }), account.seed);
    await refusal('ERR_KEY_ROLE', () =>
      createOperatorJwt(operator, { name: 'x', signingKeys: [account.publicKey] }),
    );
    await refusal('ERR_KEY_ROLE', () =>
      createOperatorJwt(operator, { name: 'x', systemAccount: operator.publicKey }),
    );
    await refusal(
      'ERR_KEY_IS_A_SEED',
      () => createOperatorJwt(operator, { name: 'x', signingKeys: [textOf(operatorSigner.seed)] }),
      operatorSigner.seed,
    );
  });
});

describe('an account JWT', () => {
  const make = (options: Partial<AccountJwtOptions> = {}) =>
    decodeAccountJwt(createAccountJwt(account, operator, { name: 'fleet', now, ...options }));

  it('has no limits and no JetStream by default', () => {
    expect(make().nats).toEqual({
      type: 'account',
      version: 2,
      limits: {
        subs: -1,
        data: -1,
        payload: -1,
        imports: -1,
        exports: -1,
        wildcards: true,
        conn: -1,
        leaf: -1,
      },
      default_permissions: {},
    });
  });

  it('carries every option', () => {
    const claims = make({
      description: 'of the fleet',
      expiry: 60,
      notBefore: 1_700_000_001,
      tags: ['a', 'b'],
      limits: {
        connections: 1,
        leafNodes: 2,
        imports: 3,
        exports: 4,
        wildcardExports: false,
        subscriptions: 5,
        payload: 6,
        data: 7,
        disallowBearer: true,
      },
      jetStream: {
        memoryStorage: 1,
        diskStorage: 2,
        streams: 3,
        consumers: 4,
        maxAckPending: 5,
        memoryMaxStreamBytes: 6,
        diskMaxStreamBytes: 7,
        maxBytesRequired: true,
      },
      defaultPermissions: { publish: { deny: ['secret.>'] }, subscribe: { allow: ['>'] } },
      revocations: { [user.publicKey]: 1_700_000_000, '*': 5 },
      imports: [{ name: 'i', subject: 'i.>', account: signer.publicKey, type: 'stream' }],
      exports: [{ name: 'e', subject: 'e.>', type: 'stream' }],
    });
    expect(claims).toMatchObject({ exp: 1_700_000_060, nbf: 1_700_000_001, iss: operator.publicKey });
    expect(claims.nats).toEqual({
      type: 'account',
      version: 2,
      description: 'of the fleet',
      tags: ['a', 'b'],
      limits: {
        conn: 1,
        leaf: 2,
        imports: 3,
        exports: 4,
        wildcards: false,
        subs: 5,
        payload: 6,
        data: 7,
        disallow_bearer: true,
        mem_storage: 1,
        disk_storage: 2,
        streams: 3,
        consumer: 4,
        max_ack_pending: 5,
        mem_max_stream_bytes: 6,
        disk_max_stream_bytes: 7,
        max_bytes_required: true,
      },
      default_permissions: { pub: { deny: ['secret.>'] }, sub: { allow: ['>'] } },
      revocations: { [user.publicKey]: 1_700_000_000, '*': 5 },
      imports: [{ name: 'i', subject: 'i.>', account: signer.publicKey, type: 'stream' }],
      exports: [{ name: 'e', subject: 'e.>', type: 'stream' }],
    });
  });

  it('has unlimited JetStream if no limits are given', () => {
    expect(make({ jetStream: true }).nats.limits).toMatchObject({
      mem_storage: -1,
      disk_storage: -1,
      streams: -1,
    });
    expect(make({ jetStream: false }).nats.limits).not.toHaveProperty('mem_storage');
  });

  it('holds signing keys, and scoped ones with a template', () => {
    const scoped = generateKeyBundle('account').publicKey;
    const claims = make({
      signingKeys: [
        signer.publicKey,
        {
          publicKey: scoped,
          role: 'peel',
          description: 'of peels',
          permissions: {
            publish: { allow: ['zester.fact.{{name()}}'] },
            subscribe: { deny: ['>'] },
            responses: { max: 1, ttl: 2 },
          },
          subscriptions: 10,
          allowedConnectionTypes: ['STANDARD'],
        },
      ],
    });
    expect(claims.nats.signing_keys).toEqual([
      signer.publicKey,
      {
        kind: 'user_scope',
        key: scoped,
        role: 'peel',
        description: 'of peels',
        template: {
          pub: { allow: ['zester.fact.{{name()}}'] },
          sub: { deny: ['>'] },
          resp: { max: 1, ttl: 2_000_000_000 },
          subs: 10,
          data: -1,
          payload: -1,
          allowed_connection_types: ['STANDARD'],
        },
      },
    ]);
  });

  it('can be created from the public key alone, signed by a signing key of the operator', () => {
    const jwt = createAccountJwt(account.publicKey, operatorSigner, { name: 'x' });
    expect(decodeAccountJwt(jwt)).toMatchObject({ sub: account.publicKey, iss: operatorSigner.publicKey });
  });

  it('may be self-signed, which no chain accepts', async () => {
    const jwt = createAccountJwt(account, account, { name: 'x' });
    expect(decodeAccountJwt(jwt).iss).toBe(account.publicKey);
    const operatorJwt = createOperatorJwt(operator, { name: 'x' });
    const userJwt = createUserJwt(user, account, { name: 'x' });
    await refusal('ERR_CHAIN_ACCOUNT_ISSUER', () => validateJwtChain(operatorJwt, jwt, userJwt));
  });

  it('needs keys of the right role', async () => {
    await refusal('ERR_KEY_ROLE', () => createAccountJwt(user, operator, { name: 'x' }));
    await refusal('ERR_KEY_ROLE', () => createAccountJwt(account, signer, { name: 'x' }), signer.seed);
    await refusal('ERR_KEY_ROLE', () => createAccountJwt(account, user, { name: 'x' }), user.seed);
    await refusal('ERR_KEY_ROLE', () => make({ signingKeys: [user.publicKey] }));
    await refusal('ERR_KEY_ROLE', () =>
      make({ signingKeys: [{ publicKey: operator.publicKey, role: 'x' }] }),
    );
  });

  it.each([
    [{ 'not a key': 1 }],
    [{ [account.publicKey]: 1 }],
    [{ [user.publicKey]: -1 }],
    [{ [user.publicKey]: 1.5 }],
    [{ [user.publicKey]: NaN }],
  ])('accepts revocations only of user keys, at whole seconds: %j', async (revocations) => {
    await refusal('ERR_JWT_OPTIONS', () => make({ revocations }));
  });

  it('does not show a seed that is given where a revoked key belongs', async () => {
    await refusal('ERR_JWT_OPTIONS', () => make({ revocations: { [textOf(user.seed)]: 1 } }), user.seed);
  });

  it.each([NaN, Infinity, 1.5, -2, '5' as unknown as number])(
    'refuses a limit that a server would read differently: %s',
    async (limit) => {
      await refusal('ERR_JWT_OPTIONS', () => make({ limits: { connections: limit } }));
      await refusal('ERR_JWT_OPTIONS', () => make({ jetStream: { streams: limit } }));
    },
  );
});

describe('a user JWT', () => {
  it('is not created with a lone surrogate, which a server reads as another character', async () => {
    const make = (name: string) =>
      createUserJwt(generateKeyBundle('user'), generateKeyBundle('account'), { name });
    for (const name of ['a\ud800', '\udc00', '\\\ud800']) await refusal('ERR_JWT_OPTIONS', () => make(name));
    for (const name of ['😀', String.raw`\ud800`]) expect(decodeUserJwt(make(name)).name).toBe(name);
  });

  it('treats null responses as none', () => {
    const options = { publish: { allow: ['a'] }, subscribe: { allow: ['b'] }, responses: null };
    const permissions = options as unknown as PermissionOptions;
    const jwt = createUserJwt(generateKeyBundle('user'), generateKeyBundle('account'), {
      name: 'x',
      permissions,
    });
    expect(decodeUserJwt(jwt).nats).toMatchObject({ pub: { allow: ['a'] }, sub: { allow: ['b'] } });
    expect(decodeUserJwt(jwt).nats.resp).toBeUndefined();
  });

  const make = (options: Partial<UserJwtOptions> = {}) =>
    decodeUserJwt(createUserJwt(user, account, { name: 'web-01', now, ...options }));

  it('may do everything by default', () => {
    expect(make().nats).toEqual({ type: 'user', version: 2, subs: -1, data: -1, payload: -1 });
  });

  it('carries every option', () => {
    const claims = make({
      expiry: 60,
      notBefore: 1_700_000_001,
      tags: ['a'],
      permissions: {
        publish: { allow: ['a.>'], deny: ['a.b'] },
        subscribe: { allow: ['c.>', 'd.* queue'], deny: ['c.d'] },
        responses: { max: -1, ttl: -1 },
      },
      subscriptions: 1,
      payload: 2,
      data: 3,
      sourceNetworks: ['10.0.0.0/8'],
      times: [{ start: '08:00:00', end: '18:00:00' }],
      timesLocation: 'Europe/Vienna',
      allowedConnectionTypes: ['STANDARD', 'WEBSOCKET'],
      bearer: true,
    });
    expect(claims).toMatchObject({ exp: 1_700_000_060, nbf: 1_700_000_001 });
    expect(claims.nats).toEqual({
      type: 'user',
      version: 2,
      tags: ['a'],
      pub: { allow: ['a.>'], deny: ['a.b'] },
      sub: { allow: ['c.>', 'd.* queue'], deny: ['c.d'] },
      resp: { max: -1, ttl: -1 },
      subs: 1,
      payload: 2,
      data: 3,
      src: ['10.0.0.0/8'],
      times: [{ start: '08:00:00', end: '18:00:00' }],
      times_location: 'Europe/Vienna',
      allowed_connection_types: ['STANDARD', 'WEBSOCKET'],
      bearer_token: true,
    });
  });

  it('names its account when a signing key signs, and leaves it out when the account itself does', () => {
    const bySigner = createUserJwt(user, signer, { name: 'x', issuerAccount: account.publicKey });
    expect(decodeUserJwt(bySigner).nats.issuer_account).toBe(account.publicKey);
    expect(make({ issuerAccount: account.publicKey }).nats).not.toHaveProperty('issuer_account');
  });

  it('of a scoped signing key carries no permissions and no limits at all', () => {
    const jwt = createUserJwt(user, signer, { name: 'x', issuerAccount: account.publicKey, scoped: true });
    expect(decodeUserJwt(jwt).nats).toEqual({ type: 'user', version: 2, issuer_account: account.publicKey });
    expect(jwt.length).toBeLessThan(700);
  });

  it.each<[string, Partial<UserJwtOptions>]>([
    ['permissions', { permissions: { publish: { allow: ['a'] } } }],
    ['a limit', { subscriptions: 5 }],
    ['a network', { sourceNetworks: ['10.0.0.0/8'] }],
    ['bearer', { bearer: true }],
    ['no account', { issuerAccount: undefined as unknown as string }],
    ['itself as the account', { issuerAccount: signer.publicKey }],
  ])('that is scoped is refused with %s', async (_, options) => {
    await refusal('ERR_JWT_OPTIONS', () =>
      createUserJwt(user, signer, { name: 'x', issuerAccount: account.publicKey, scoped: true, ...options }),
    );
  });

  it('can be issued for a public key without its seed', () => {
    const jwt = createUserJwtForPublicKey(user.publicKey, account, { name: 'x' });
    expect(decodeUserJwt(jwt).sub).toBe(user.publicKey);
  });

  it('needs keys of the right role', async () => {
    await refusal('ERR_KEY_ROLE', () => createUserJwt(account, account, { name: 'x' }));
    await refusal('ERR_KEY_ROLE', () => createUserJwt(user, operator, { name: 'x' }), operator.seed);
    await refusal('ERR_KEY_ROLE', () => createUserJwt(user, user, { name: 'x' }), user.seed);
    await refusal('ERR_KEY_ROLE', () => createUserJwtForPublicKey(account.publicKey, account, { name: 'x' }));
    await refusal(
      'ERR_KEY_IS_A_SEED',
      () => createUserJwtForPublicKey(textOf(user.seed), account, { name: 'x' }),
      user.seed,
    );
    await refusal('ERR_KEY_ROLE', () => make({ issuerAccount: operator.publicKey }));
  });

  it.each<[string, PermissionOptions]>([
    ['nothing is named', {}],
    ['only one direction is', { publish: { allow: ['a'] } }],
    ['only the other is', { subscribe: { allow: ['a'] } }],
    ['a list is empty', { publish: { allow: [] }, subscribe: { allow: ['a'] } }],
    ['a list is empty beside a denial', { publish: { allow: ['a'] }, subscribe: { allow: [], deny: ['b'] } }],
    ['a direction is empty', { publish: {}, subscribe: { allow: ['a'] } }],
    ['only responses are named', { responses: { max: 1, ttl: 1 } }],
    ['a list is a string', { publish: { allow: 'ab' as unknown as string[] }, subscribe: { allow: ['>'] } }],
    ['they are null', null as unknown as PermissionOptions],
  ])('allows nothing silently: it is refused when %s, in every JWT that grants', async (_, permissions) => {
    await refusal('ERR_JWT_OPTIONS', () => make({ permissions }));
    const scopedKey = { publicKey: signer.publicKey, role: 'x', permissions };
    await refusal('ERR_JWT_OPTIONS', () =>
      createAccountJwt(account, operator, { name: 'A', signingKeys: [scopedKey] }),
    );
    await refusal('ERR_JWT_OPTIONS', () =>
      createAccountJwt(account, operator, { name: 'A', defaultPermissions: permissions }),
    );
  });

  it('allows everything, nothing, or only answers, if requested', () => {
    const all = { allow: ['>'] };
    expect(make({ permissions: { publish: all, subscribe: all } }).nats).toMatchObject({
      pub: all,
      sub: all,
    });
    const none = { deny: ['>'] };
    expect(make({ permissions: { publish: none, subscribe: none } }).nats).toMatchObject({
      pub: none,
      sub: none,
    });
    const answers = make({ permissions: { subscribe: { allow: ['a'] }, responses: { max: 1, ttl: 1 } } });
    expect(answers.nats).not.toHaveProperty('pub');
  });

  it.each<Partial<UserJwtOptions>>([{ sourceNetworks: [] }, { times: [] }, { allowedConnectionTypes: [] }])(
    'is refused with an empty list of limits, which would limit nothing: %j',
    async (options) => {
      await refusal('ERR_JWT_OPTIONS', () => make(options));
    },
  );

  it.each<PermissionOptions>([
    { publish: { allow: [''] } },
    { publish: { deny: ['a..b'] } },
    { publish: { allow: ['.a'] } },
    { publish: { allow: ['a.'] } },
    { publish: { allow: ['a queue'] } },
    { subscribe: { allow: ['a b c'] } },
    { subscribe: { allow: [' a'] } },
    { subscribe: { deny: ['a\n'] } },
    { subscribe: { allow: [7 as unknown as string] } },
    { responses: { max: NaN, ttl: 1 } },
    { responses: { max: 1, ttl: NaN } },
    { responses: { max: 1, ttl: -5 } },
    { responses: { max: 1, ttl: 1e12 } },
  ])('refuses a permission that no server knows: %j', async (permissions) => {
    await refusal('ERR_JWT_OPTIONS', () => make({ permissions }));
  });

  it('is rejected if it does not fit a CONNECT line, unless the limit is raised', async () => {
    const allow = Array.from({ length: 80 }, (_, i) => `some.subject.of.this.fleet.number.${i}.>`);
    const permissions = { publish: { allow }, subscribe: { allow: ['>'] } };
    const error = await refusal('ERR_JWT_TOO_LARGE', () => make({ permissions }));
    expect(error.message).toContain('scoped');
    expect(make({ permissions, maxBytes: Infinity }).nats.pub?.allow).toHaveLength(80);
  });

  it('fits exactly, but not with one character more', async () => {
    // three characters of JSON are four of base64: find the longest name that fits
    const size = (length: number) =>
      createUserJwt(user, account, { name: 'x'.repeat(length), now, maxBytes: Infinity }).length;
    let longest = 0;
    while (size(longest + 1) <= MAX_USER_JWT_BYTES) longest++;
    expect(make({ name: 'x'.repeat(longest) }).name).toHaveLength(longest);
    await refusal('ERR_JWT_TOO_LARGE', () => make({ name: 'x'.repeat(longest + 1) }));
  });
});

describe('a full hierarchy', () => {
  it('is an operator, an account that it signed and a user that the account signed', () => {
    const made = generateFullHierarchy('Acme', 'fleet', 'web-01');
    expect(decodeOperatorJwt(made.operatorJwt)).toMatchObject({ name: 'Acme', sub: made.operator.publicKey });
    expect(decodeAccountJwt(made.accountJwt)).toMatchObject({
      name: 'fleet',
      sub: made.account.publicKey,
      iss: made.operator.publicKey,
    });
    expect(decodeUserJwt(made.userJwt)).toMatchObject({
      name: 'web-01',
      sub: made.user.publicKey,
      iss: made.account.publicKey,
    });
    validateJwtChain(made.operatorJwt, made.accountJwt, made.userJwt);
  });
});

function textOf(seed: Uint8Array): string {
  return Buffer.from(seed).toString('latin1');
}
