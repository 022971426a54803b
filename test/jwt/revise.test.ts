import { decode } from '@nats-io/jwt';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createAccountJwt,
  createOperatorJwt,
  createUserJwt,
  decodeAccountJwt,
  decodeOperatorJwt,
  decodeUserJwt,
  generateKeyBundle,
  reviseAccountJwt,
  reviseOperatorJwt,
  reviseUserJwt,
  type AccountJwtOptions,
  type AccountRevision,
  type OperatorJwtOptions,
  type UserJwtOptions,
} from '../../src/index.js';
import { signClaims } from '../../src/jwt/encode.js';
import { jsonMembers } from '../../src/jwt/json-members.js';
import { PERMANENT } from '../../src/jwt/revoke-up-to.js';
import { refusal } from '../support/refusal.js';

const operator = generateKeyBundle('operator');
const signer = generateKeyBundle('operator');
const account = generateKeyBundle('account');
const [plainKey, scopedKey, newKey] = [1, 2, 3].map(() => generateKeyBundle('account').publicKey) as [
  string,
  string,
  string,
];
const [alice, bob] = [1, 2].map(() => generateKeyBundle('user').publicKey) as [string, string];
const now = () => 1_800_000_000_000;

/**
 * Text that another tool may have written: its own order and spaces, unknown claims, numbers beyond JavaScript's
 * precision.
 */
const FOREIGN = String.raw`{ "aud":"NATS", "ext": {"n": 12345678901234567890, "f": 1.0, "s":"\u00fc"}, "iat":1700000000, "exp": 0,
  "iss":"${operator.publicKey}", "jti":null, "name":"fleet",
  "nats":{ "limits":{"conn": 9223372036854775807,"subs":-1,"data":-1,"payload":-1,"imports":-1,"exports":-1,"wildcards":true,"leaf":0,
      "mem_storage":-1,"disk_storage":1024,"streams":3,"consumer":-1,"tiered_limits":{"R3":{"disk_storage":5}}},
    "signing_keys":["${plainKey}",{"kind":"user_scope","key":"${scopedKey}","role":"peel","template":{"pub":{"allow":["a.{{name()}}"]},"sub":{},"subs":5,"data":-1,"payload":-1}, "later": 2.50}],
    "revocations":{"${alice}":1600000000}, "mappings":{"a":[{"subject":"b","weight":100}]}, "exports":[{"name":"e","subject":"e.>","type":"stream","account_token_position":2}],
    "imports":null, "default_permissions":{"pub":{"deny":["secret.>"]},"sub":{}}, "authorization":{"auth_users":["${alice}"],"xkey":"X"},
    "trace":{"dest":"t","sampling":10}, "cluster_traffic":"owner", "info_url":"https://example.com", "tags":["dept:ops"],
    "type":"account", "version":2, "newer": {"of":[1e400, {"deep":null}]} }, "sub":"${account.publicKey}" }`;

const foreign = signClaims(FOREIGN.replace('"jti":null, ', ''), operator);

const payloadOf = (jwt: string) => Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString('utf8');
const natsOf = (jwt: string) => jsonMembers(jsonMembers(payloadOf(jwt)).get('nats') ?? '');

/** The members of `nats`, as written, that differ. */
function changedIn(before: string, after: string): string[] {
  const [was, is] = [natsOf(before), natsOf(after)];
  return [...new Set([...was.keys(), ...is.keys()])].filter((name) => was.get(name) !== is.get(name));
}

const revise = (revision: AccountRevision, jwt = foreign) =>
  reviseAccountJwt(jwt, signer, { now, ...revision });

describe('a revised account JWT', () => {
  it('keeps everything but its date, issuer and ID if nothing changes', () => {
    const [was, is] = [jsonMembers(payloadOf(foreign)), jsonMembers(payloadOf(revise({})))];
    const own = ['jti', 'iat', 'iss', 'nats'];
    for (const name of was.keys()) if (!own.includes(name)) expect(is.get(name), name).toBe(was.get(name));
    expect([...is.keys()].sort()).toEqual([...was.keys()].sort());
    expect(changedIn(foreign, revise({}))).toEqual([]);
    expect(is.get('iat')).toBe('1800000000');
    expect(is.get('iss')).toBe(`"${signer.publicKey}"`);
    expect(is.get('jti')).not.toBe(was.get('jti'));
  });

  it('can be read by Zester and by @nats-io/jwt', () => {
    const jwt = revise({ revoke: [bob] });
    expect(decodeAccountJwt(jwt).nats.revocations).toEqual({ [alice]: 1_600_000_000, [bob]: PERMANENT });
    expect(decode(jwt)).toMatchObject({ aud: 'NATS', sub: account.publicKey });
  });

  it.each<[string[], AccountRevision]>([
    [['revocations'], { revoke: [bob] }],
    [['revocations'], { revoke: { '*': 1_650_000_000 } }],
    [['revocations'], { unrevoke: [alice] }],
    [['signing_keys'], { signingKeys: { add: [newKey] } }],
    [['signing_keys'], { signingKeys: { remove: [plainKey] } }],
    [['default_permissions'], { defaultPermissions: null }],
    [['tags'], { tags: ['dept:dev'] }],
    [['mappings'], { mappings: {} }],
    [['exports'], { exports: [] }],
    [['description'], { description: 'the fleet' }],
    [[], { name: 'renamed' }],
    [[], { expiry: 60 }],
    [[], { signingKeys: { add: [plainKey, scopedKey] } }],
  ])('changes %j only, for %j', (members, revision) => {
    expect(changedIn(foreign, revise(revision))).toEqual(members);
  });

  it('has a later issue time than its predecessor, even if the clock is slow', () => {
    const jwt = reviseAccountJwt(foreign, signer, { now: () => 1_000_000 });
    expect(decodeAccountJwt(jwt).iat).toBe(1_700_000_001);
  });

  it('has the given expiry, and none for null', () => {
    const expiring = revise({ expiry: 60, notBefore: 1_800_000_001 });
    expect(decodeAccountJwt(expiring)).toMatchObject({ exp: 1_800_000_060, nbf: 1_800_000_001 });
    const ever = decodeAccountJwt(revise({ expiry: null, notBefore: null }, expiring));
    expect([ever.exp, ever.nbf]).toEqual([undefined, undefined]);
  });

  it('is refused when it has expired and gets no new expiry', async () => {
    const expired = createAccountJwt(account, operator, { name: 'x', expiry: 60, now: () => 0 });
    await refusal('ERR_JWT_OPTIONS', () => revise({ revoke: [bob] }, expired));
    expect(decodeAccountJwt(revise({ expiry: 60 }, expired)).exp).toBe(1_800_000_060);
  });
});

describe('revocations in a revised account JWT', () => {
  const revocations = (revision: AccountRevision, jwt?: string) =>
    decodeAccountJwt(revise(revision, jwt)).nats.revocations;

  it('are permanent in a list, up to now for everyone, and up to the given time in a map', () => {
    expect(revocations({ revoke: [bob, '*'], unrevoke: [alice] })).toEqual({
      [bob]: PERMANENT,
      '*': 1_800_000_000,
    });
    expect(revocations({ revoke: { [bob]: 5 } })).toEqual({ [alice]: 1_600_000_000, [bob]: 5 });
  });

  it('are never shortened, unless one is cleared in the same step', () => {
    expect(revocations({ revoke: { [alice]: 5 } })).toEqual({ [alice]: 1_600_000_000 });
    expect(revocations({ revoke: { [alice]: 5 }, unrevoke: [alice] })).toEqual({ [alice]: 5 });
  });

  it.each<AccountRevision>([
    { revoke: [account.publicKey] },
    { revoke: { nobody: 1 } },
    { revoke: { [alice]: 1.5 } },
    { unrevoke: ['nobody'] },
    { unrevoke: alice as unknown as string[] },
  ])('are refused if they are invalid: %j', async (revision) => {
    await refusal('ERR_JWT_OPTIONS', () => revise(revision));
  });
});

describe('signing keys in a revised account JWT', () => {
  const keys = (signingKeys: AccountRevision['signingKeys']) =>
    decodeAccountJwt(revise({ signingKeys })).nats.signing_keys;
  const had = decodeAccountJwt(foreign).nats.signing_keys ?? [];

  it('are replaced by the given list, and an existing key keeps its scope', () => {
    expect(keys([scopedKey, newKey])).toEqual([had[1], newKey]);
  });

  it('may be given as decoded claims have them', () => {
    expect(keys([...had, newKey])).toEqual([...had, newKey]);
  });

  it('may get another scope', () => {
    const [, key] = keys({ add: [{ publicKey: scopedKey, role: 'ops', subscriptions: 7 }] }) ?? [];
    expect(key).toMatchObject({ role: 'ops', template: { subs: 7, payload: -1 } });
  });

  it('are refused with a scope that has no template, and when they are no account keys', async () => {
    const noTemplate = { kind: 'user_scope', key: newKey, role: 'x' } as unknown as string;
    await refusal('ERR_JWT_OPTIONS', () => keys({ add: [noTemplate] }));
    await refusal('ERR_KEY_ROLE', () => keys({ add: [alice] }));
    await refusal('ERR_KEY_ROLE', () => keys({ remove: [alice] }));
  });
});

describe('limits in a revised account JWT', () => {
  const jwt = createAccountJwt(account, operator, {
    name: 'x',
    limits: { connections: 7 },
    jetStream: { streams: 3 },
  });
  const limits = (revision: AccountRevision) => decodeAccountJwt(revise(revision, jwt)).nats.limits;
  const before = decodeAccountJwt(jwt).nats.limits;

  it('change by name', () => {
    expect(limits({ limits: { subscriptions: 9, disallowBearer: true } })).toEqual({
      ...before,
      subs: 9,
      disallow_bearer: true,
    });
    expect(limits({ jetStream: { consumers: 4 } })).toEqual({ ...before, consumer: 4 });
  });

  it('enable JetStream without limits, and disable it', () => {
    expect(limits({ jetStream: true })).toEqual({ ...before, streams: -1 });
    const without = limits({ jetStream: false });
    expect(without).toMatchObject({ conn: 7 });
    expect(without).not.toHaveProperty('streams');
  });
});

describe('the signer of a revised account JWT', () => {
  it('is an operator’s key', async () => {
    await refusal('ERR_KEY_ROLE', () => reviseAccountJwt(foreign, account, {}));
    await refusal('ERR_KEY_ROLE', () => reviseAccountJwt(foreign, generateKeyBundle('user'), {}));
  });

  it('may be the account itself only where it signed itself', () => {
    const own = createAccountJwt(account, account, { name: 'x' });
    expect(decodeAccountJwt(reviseAccountJwt(own, account, { name: 'y' })).iss).toBe(account.publicKey);
  });

  it('is one that the operator lets sign accounts, where its JWT is given', async () => {
    const stranger = generateKeyBundle('operator');
    const strict = createOperatorJwt(operator, {
      name: 'o',
      signingKeys: [signer.publicKey],
      strictSigningKeyUsage: true,
    });
    expect(reviseAccountJwt(foreign, signer, { operatorJwt: strict })).toContain('.');
    await refusal('ERR_CHAIN_ACCOUNT_ISSUER', () =>
      reviseAccountJwt(foreign, stranger, { operatorJwt: strict }),
    );
    await refusal('ERR_CHAIN_ACCOUNT_ISSUER_STRICT', () =>
      reviseAccountJwt(foreign, operator, { operatorJwt: strict }),
    );
  });

  it('is not called for a tampered JWT', async () => {
    await refusal('ERR_JWT_SIGNATURE', () => revise({}, `${foreign.slice(0, -6)}AAAAAA`));
  });
});

describe('a revised operator JWT', () => {
  const jwt = createOperatorJwt(operator, {
    name: 'op',
    accountServerUrl: 'https://example.com/jwt/v1',
    signingKeys: [operator.publicKey],
  });

  it('has the change, and keeps the rest', () => {
    const next = decodeOperatorJwt(
      reviseOperatorJwt(jwt, operator, { signingKeys: { add: [signer.publicKey] }, tags: ['X'] }),
    );
    expect(next).toMatchObject({
      name: 'op',
      nats: {
        signing_keys: [operator.publicKey, signer.publicKey],
        account_server_url: 'https://example.com/jwt/v1',
        tags: ['x'],
      },
    });
    const left = reviseOperatorJwt(jwt, operator, {
      signingKeys: { remove: [operator.publicKey] },
      strictSigningKeyUsage: true,
    });
    expect(decodeOperatorJwt(left).nats).toMatchObject({ signing_keys: [], strict_signing_key_usage: true });
  });

  it('is signed by its own identity only', async () => {
    await refusal('ERR_KEY_ROLE', () => reviseOperatorJwt(jwt, signer, {}));
  });
});

describe('a revised user JWT', () => {
  const user = generateKeyBundle('user');
  const options: UserJwtOptions = {
    name: 'web-01',
    permissions: { publish: { allow: ['a'] }, subscribe: { allow: ['b'] } },
    sourceNetworks: ['10.0.0.0/8'],
    bearer: true,
    tags: ['x'],
    now,
  };
  const jwt = createUserJwt(user, account, options);

  it('has a new expiry and everything that it had', () => {
    const before = decodeUserJwt(jwt);
    const after = decodeUserJwt(reviseUserJwt(jwt, account, { expiry: 60, now }));
    expect(after).toEqual({ ...before, exp: 1_800_000_061 - 1, iat: 1_800_000_001, jti: after.jti });
  });

  it('has other permissions and limits where they are named', () => {
    const { nats } = decodeUserJwt(
      reviseUserJwt(jwt, account, { permissions: null, subscriptions: 4, bearer: false }),
    );
    expect(nats).toEqual({
      src: ['10.0.0.0/8'],
      subs: 4,
      data: -1,
      payload: -1,
      tags: ['x'],
      type: 'user',
      version: 2,
    });
  });

  it('is signed by the key that signed it, or by its account', async () => {
    const key = generateKeyBundle('account');
    const bySigningKey = createUserJwt(user, key, { name: 'x', issuerAccount: account.publicKey });
    expect(decodeUserJwt(reviseUserJwt(bySigningKey, account, {})).iss).toBe(account.publicKey);
    const scoped = createUserJwt(user, key, { name: 'x', issuerAccount: account.publicKey, scoped: true });
    await refusal('ERR_KEY_ROLE', () => reviseUserJwt(scoped, account, {}));
    await refusal('ERR_KEY_ROLE', () => reviseUserJwt(jwt, key, {}));
    await refusal('ERR_JWT_OPTIONS', () => reviseUserJwt(scoped, key, { subscriptions: 4 }));
  });

  it('is refused when it would not fit a CONNECT line', async () => {
    const permissions = {
      publish: { allow: Array.from({ length: 400 }, (_, i) => `subject.${i}`) },
      subscribe: { deny: ['>'] },
    };
    await refusal('ERR_JWT_TOO_LARGE', () => reviseUserJwt(jwt, account, { permissions }));
  });
});

describe('decoded claims passed to the functions that create JWTs', () => {
  const user = generateKeyBundle('user');
  const claims = {
    operator: decodeOperatorJwt(createOperatorJwt(operator, { name: 'o', signingKeys: [signer.publicKey] })),
    account: decodeAccountJwt(foreign),
    user: decodeUserJwt(createUserJwt(user, account, { name: 'u', sourceNetworks: ['10.0.0.0/8'] })),
  };
  const makers = {
    operator: (options: object) => createOperatorJwt(operator, options as OperatorJwtOptions),
    account: (options: object) => createAccountJwt(account, operator, options as AccountJwtOptions),
    user: (options: object) => createUserJwt(user, account, options as UserJwtOptions),
  };
  const reviser = { operator: 'reviseOperatorJwt()', account: 'reviseAccountJwt()', user: 'reviseUserJwt()' };

  it.each(['operator', 'account', 'user'] as const)(
    'are refused for %s JWTs, and the error names what keeps them',
    async (type) => {
      const { name = '', nats } = claims[type];
      for (const options of [{ ...nats, name }, claims[type], { name, nats }]) {
        const error = await refusal('ERR_JWT_OPTIONS', () => makers[type](options));
        expect(error.message).toContain(reviser[type]);
      }
    },
  );

  it('are rejected by name, at any depth', async () => {
    await refusal('ERR_JWT_OPTIONS', () => makers.account({ name: 'x', limits: { conn: 7 } }));
    await refusal('ERR_JWT_OPTIONS', () => makers.account({ name: 'x', jetStream: { mem_storage: 7 } }));
    await refusal('ERR_JWT_OPTIONS', () =>
      makers.account({ name: 'x', signingKeys: claims.account.nats.signing_keys }),
    );
    await refusal('ERR_JWT_OPTIONS', () =>
      makers.user({ name: 'x', permissions: { pub: { allow: ['a'] } } }),
    );
  });
});

/** Whether no object in a JSON value has two names that differ only in case: such a payload is refused. */
function namesDiffer(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  const names = Array.isArray(value) ? [] : Object.keys(value).map((name) => name.toLowerCase());
  return new Set(names).size === names.length && Object.values(value).every(namesDiffer);
}

describe('a revision', () => {
  it('never holds a seed', async () => {
    const { seed } = generateKeyBundle('user');
    const text = Buffer.from(seed).toString();
    await refusal('ERR_JWT_OPTIONS', () => revise({ name: text }), seed);
    await refusal('ERR_JWT_OPTIONS', () => revise({ tags: [text] }), seed);
    await refusal('ERR_JWT_OPTIONS', () => revise({ name: `\u0002${text}` }), seed);
  });

  it('keeps any claims of any tool, for any revocation', () => {
    const claim = fc.dictionary(
      fc.stringMatching(/^[a-z]{3,9}_x$/),
      fc
        .jsonValue({ depthSize: 'small' })
        .filter(namesDiffer)
        .map((value) => ({ lower: JSON.stringify(value), list: [value] })),
    );
    fc.assert(
      fc.property(claim, claim, (top, nats) => {
        const jwt = signClaims(
          JSON.stringify({
            ...top,
            iat: 1,
            iss: operator.publicKey,
            sub: account.publicKey,
            nats: { ...nats, type: 'account', version: 2 },
          }),
          operator,
        );
        const next = JSON.parse(payloadOf(revise({ revoke: [bob] }, jwt))) as Record<string, object>;
        const was = JSON.parse(payloadOf(jwt)) as Record<string, object>;
        expect(next).toEqual({
          ...was,
          iat: 1_800_000_000,
          iss: signer.publicKey,
          jti: next['jti'],
          nats: { ...was['nats'], revocations: { [bob]: PERMANENT } },
        });
      }),
    );
  });
});
