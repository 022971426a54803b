import { describe, expect, it, vi } from 'vitest';
import type { JoinToken } from '../../../src/protocol/records/join-token.js';
import type { PeelKeyState, PeelRecord, PeelState } from '../../../src/protocol/records/record.js';
import { decodeAccountJwt } from '../../../src/jwt/decode.js';
import { createUserJwt } from '../../../src/jwt/user.js';
import { judge, type Known } from '../../../src/master/watch/judge.js';
import type { UserConnection } from '../../../src/master/watch/system-events.js';
import { generateKeyBundle } from '../../../src/nkeys/key-bundle.js';
import { verifySignature } from '../../../src/nkeys/verify.js';
import {
  JOIN_ROLE,
  joinPermissionsTemplate,
  joinUserJwtOptions,
  masterUserJwtOptions,
  PEEL_ROLE,
  peelPermissionsTemplate,
  peelUserJwtOptions,
} from '../../../src/permissions/roles.js';
import { forge, partsOf } from '../../jwt/forge.js';
import { createTestTrust } from '../../support/trust.js';
import { joinToken } from '../../support/join-token.js';

// counted, not replaced
vi.mock('../../../src/nkeys/verify.js', { spy: true });

const joinSigner = generateKeyBundle('account');
const trust = createTestTrust();
const account = trust.account.key.publicKey;
const joinKey = { publicKey: joinSigner.publicKey, role: JOIN_ROLE, permissions: joinPermissionsTemplate() };
const peelKey = {
  publicKey: trust.peelSigner.publicKey,
  role: PEEL_ROLE,
  permissions: peelPermissionsTemplate(),
};
const accountJwt = trust.accountJwtWith({ signingKeys: [peelKey, joinKey] });

function known(more: Partial<Known> = {}): Known {
  return {
    operatorJwt: trust.operatorJwt,
    accountJwt,
    account: decodeAccountJwt(accountJwt),
    peelSigningKey: trust.peelSigner.publicKey,
    record: undefined,
    owner: undefined,
    token: () => undefined,
    now: Date.now,
    ...more,
  };
}

function connected(jwt: string, publicKey: string): UserConnection {
  return {
    server: 'NSERVER',
    cid: 7,
    serverName: 'n1',
    name: 'not looked at: the name is read from the JWT',
    publicKey,
    jwt,
    host: '127.0.0.1',
    since: new Date().toISOString(),
  };
}

/** The connection of a peel that our peel signing key signed. */
function peel(name: string, user = generateKeyBundle('user')): UserConnection {
  const options = { ...peelUserJwtOptions('web-1', account, { scoped: true, expiry: 60 }), name };
  return connected(createUserJwt(user, trust.peelSigner, options), user.publicKey);
}

function record(state: PeelState, keys: Record<string, PeelKeyState>): PeelRecord {
  return {
    id: 'web-1',
    state,
    keys: Object.entries(keys).map(([publicKey, keyState]) => ({ publicKey, state: keyState, issuedAt: 1 })),
    number: 1,
    createdAt: new Date().toISOString(),
    updatedAt: new Date().toISOString(),
  };
}

const code = (verdict: ReturnType<typeof judge>) => (verdict.is === 'refused' ? verdict.code : verdict.is);

describe('a master that sees a peel connect', () => {
  it('accepts a key that was issued to it, first as new and then as known', () => {
    const connection = peel('web-1');
    const with_ = (state: PeelKeyState) =>
      code(judge(connection, known({ record: record('accepted', { [connection.publicKey]: state }) })));
    expect(with_('issued')).toBe('first');
    expect(with_('live')).toBe('known');
  });

  it('lets a key that was replaced drain, and refuses one that is revoked', () => {
    const connection = peel('web-1');
    const with_ = (state: PeelKeyState) =>
      code(judge(connection, known({ record: record('active', { [connection.publicKey]: state }) })));
    expect(with_('retired')).toBe('known');
    expect(with_('revoking')).toBe('ERR_FLEET_REVOKED');
    expect(with_('revoked')).toBe('ERR_FLEET_REVOKED');
  });

  it('reports a peel without a record, and whether our own key signed it', () => {
    expect(judge(peel('web-1'), known())).toMatchObject({ is: 'new', trusted: true });
    const user = generateKeyBundle('user');
    const explicit = createUserJwt(user, trust.account.key, peelUserJwtOptions('web-1', account));
    expect(judge(connected(explicit, user.publicKey), known())).toMatchObject({ is: 'new', trusted: false });
  });

  it.each(['*', '>', 'a.b', 'a b', '', '_zester', 'zester-master', 'zester-admin', 'x'.repeat(129)])(
    'refuses the name %j, which no peel may have',
    (name) => {
      expect(code(judge(peel(name), known()))).toBe('ERR_PEEL_ID');
    },
  );

  it('refuses a second live key for one id', () => {
    const verdict = judge(peel('web-1'), known({ record: record('active', { UOTHER: 'live' }) }));
    expect(code(verdict)).toBe('ERR_FLEET_ID_TAKEN');
  });

  it("refuses a key that is another peel's", () => {
    expect(code(judge(peel('web-1'), known({ owner: 'web-2' })))).toBe('ERR_FLEET_KEY_TAKEN');
  });

  it.each([
    ['rejected', 'ERR_FLEET_REJECTED'],
    ['revoked', 'ERR_FLEET_REVOKED'],
  ] as const)('refuses a peel that is %s, with any key', (state, expected) => {
    expect(code(judge(peel('web-1'), known({ record: record(state, {}) })))).toBe(expected);
  });

  it('refuses an invalid chain: a removed key of the account, a revoked user', () => {
    const without = trust.accountJwtWith({ signingKeys: [] });
    const gone = judge(
      peel('web-1'),
      known({ accountJwt: without, account: decodeAccountJwt(without), peelSigningKey: 'ANOTHER' }),
    );
    expect(code(gone)).toBe('ERR_CHAIN_USER_ISSUER');
    const connection = peel('web-1');
    const revocations = { [connection.publicKey]: Math.floor(Date.now() / 1000) + 10 };
    const revoking = trust.accountJwtWith({ signingKeys: [peelKey, joinKey], revocations });
    const revoked = judge(connection, known({ accountJwt: revoking, account: decodeAccountJwt(revoking) }));
    expect(code(revoked)).toBe('ERR_CHAIN_USER_REVOKED');
  });

  it('judges as of the connect time: the server itself ends connections whose JWT expired since', () => {
    const user = generateKeyBundle('user');
    const issuedAt = Date.now() - 3_600_000;
    const jwt = createUserJwt(
      user,
      trust.peelSigner,
      peelUserJwtOptions('web-1', account, { scoped: true, expiry: 60, now: () => issuedAt }),
    );
    const connection = { ...connected(jwt, user.publicKey), since: new Date(issuedAt + 1_000).toISOString() };
    expect(judge(connection, known()).is).toBe('new');
  });
});

describe('a JWT that claims to be issued after it was used', () => {
  const HOUR = 3_600_000;
  /** Signed with a clock that is an hour ahead, and used now. */
  function ahead(name = 'web-1') {
    const user = generateKeyBundle('user');
    const options = { scoped: true, expiry: 7_200, now: () => Date.now() + HOUR };
    const jwt = createUserJwt(user, trust.peelSigner, peelUserJwtOptions(name, account, options));
    return connected(jwt, user.publicKey);
  }
  const issuedAt = () => Math.floor((Date.now() + HOUR) / 1000);
  const recorded = (key: string, at: number, state: PeelKeyState = 'live'): PeelRecord => {
    const of = record('active', { [key]: state });
    return { ...of, keys: of.keys.map((k) => ({ ...k, issuedAt: at })) };
  };

  it('is refused for an unknown peel, and if the record has an older JWT for the key', () => {
    const connection = ahead();
    expect(code(judge(connection, known()))).toBe('ERR_FLEET_ISSUED_AHEAD');
    const old = recorded(connection.publicKey, Math.floor(Date.now() / 1000));
    expect(code(judge(connection, known({ record: old })))).toBe('ERR_FLEET_ISSUED_AHEAD');
  });

  it.each<[PeelKeyState, string]>([
    ['issued', 'first'],
    ['live', 'known'],
    ['retired', 'known'],
  ])('is reported and not refused, when the record has it for a key that is %s', (state, is) => {
    const connection = ahead();
    const verdict = judge(
      connection,
      known({ record: recorded(connection.publicKey, issuedAt() + 5, state) }),
    );
    expect(verdict).toMatchObject({ is });
    expect(verdict).toHaveProperty('ahead');
  });

  it('is refused for a revoked key anyway', () => {
    const connection = ahead();
    const revoked = recorded(connection.publicKey, issuedAt() + 5, 'revoked');
    expect(code(judge(connection, known({ record: revoked })))).toBe('ERR_FLEET_REVOKED');
  });

  it('does not count if it is ahead by no more than clocks may differ', () => {
    const user = generateKeyBundle('user');
    const options = { scoped: true, now: () => Date.now() + 60_000 };
    const jwt = createUserJwt(user, trust.peelSigner, peelUserJwtOptions('web-1', account, options));
    expect(judge(connected(jwt, user.publicKey), known()).is).toBe('new');
  });

  it('is refused for a join token, unless the token was created then', () => {
    const user = generateKeyBundle('user');
    const options = { expiry: 7_200, now: () => Date.now() + HOUR };
    const jwt = createUserJwt(user, joinSigner, joinUserJwtOptions('abcdefgh12', account, options));
    const connection = connected(jwt, user.publicKey);
    const made = (at: number): JoinToken => ({
      id: 'abcdefgh12',
      publicKey: user.publicKey,
      createdAt: new Date(at).toISOString(),
      expiresAt: new Date(at + 2 * HOUR).toISOString(),
      createdBy: { kind: 'admin', name: 'zester-admin' },
      uses: 1,
      used: 0,
      usedBy: [],
    });
    expect(code(judge(connection, known()))).toBe('ERR_FLEET_ISSUED_AHEAD');
    expect(code(judge(connection, known({ token: () => made(Date.now()) })))).toBe('ERR_FLEET_ISSUED_AHEAD');
    expect(judge(connection, known({ token: () => made(Date.now() + HOUR + 5_000) })).is).toBe('token');
  });
});

describe('a master that sees another user connect', () => {
  it("leaves a master and the user's own services alone", () => {
    const user = generateKeyBundle('user');
    const master = createUserJwt(user, trust.account.key, masterUserJwtOptions(account));
    expect(judge(connected(master, user.publicKey), known()).is).toBe('other');
    const service = createUserJwt(user, trust.account.key, {
      name: 'billing',
      permissions: { publish: { allow: ['billing.>'] }, subscribe: { allow: ['billing.>'] } },
    });
    expect(judge(connected(service, user.publicKey), known()).is).toBe('other');
  });

  it('refuses a peel whose name is a wildcard', () => {
    const user = generateKeyBundle('user');
    const jwt = createUserJwt(user, trust.account.key, {
      name: '*',
      permissions: { publish: { allow: ['zester.event.*.>'] }, subscribe: { allow: ['zester.cmd.*'] } },
    });
    expect(code(judge(connected(jwt, user.publicKey), known()))).toBe('ERR_PEEL_ID');
  });

  const token = joinToken();
  function tokenConnection(name = 'abcdefgh12') {
    const user = generateKeyBundle('user');
    const jwt = createUserJwt(user, joinSigner, joinUserJwtOptions(name, account, { expiry: 60 }));
    return { connection: connected(jwt, user.publicKey), publicKey: user.publicKey };
  }

  it('recognizes a join token until it is removed or expires', () => {
    const { connection, publicKey } = tokenConnection();
    const with_ = (more: Partial<JoinToken>) =>
      code(judge(connection, known({ token: () => ({ ...token, publicKey, ...more }) })));
    expect(with_({})).toBe('token');
    expect(with_({ removedAt: new Date().toISOString() })).toBe('ERR_FLEET_TOKEN_UNKNOWN');
    expect(with_({ expiresAt: new Date(Date.now() - 1).toISOString() })).toBe('ERR_FLEET_TOKEN_EXPIRED');
    expect(with_({ publicKey: 'UOTHER' })).toBe('ERR_FLEET_TOKEN_UNKNOWN');
  });

  it('refuses a user signed by the join signing key under the name of a peel', () => {
    const user = generateKeyBundle('user');
    const options = { ...joinUserJwtOptions('abcdefgh12', account, { expiry: 60 }), name: 'web-1' };
    const jwt = createUserJwt(user, joinSigner, options);
    expect(code(judge(connected(jwt, user.publicKey), known()))).toBe('ERR_FLEET_TOKEN_UNKNOWN');
  });
});

describe('a master that cannot know how a server reads a JWT refuses the connection, and names the key that the server accepted', () => {
  const mint = (change: (text: string) => string, user = generateKeyBundle('user')) => {
    const { claims } = partsOf(peel('web-1', user).jwt);
    return connected(forge(change(JSON.stringify(claims)), trust.peelSigner), user.publicKey);
  };

  it.each([
    ['the name in another case', (text: string) => text.replace(/}$/, ',"Name":"*"}')],
    [
      'a name that is half a character',
      (text: string) => text.replace(/}$/, String.raw`,"\ud800":1,"Name":"*"}`),
    ],
    ['a subject that is repeated as null', (text: string) => text.replace(/}$/, ',"Sub":null}')],
    ['an expiry that no calendar has', (text: string) => text.replace(/"exp":\d+/, '"exp":9007199254740991')],
  ])('%s', (_, change) => {
    const connection = mint(change);
    expect(judge(connection, known())).toMatchObject({ is: 'refused', publicKey: connection.publicKey });
  });

  it('the subject in another case, regardless of the user that the client sent', () => {
    const victim = generateKeyBundle('user').publicKey;
    const mine = generateKeyBundle('user').publicKey;
    const sneaky = mint((text) => text.replace(/}$/, `,"Sub":"${mine}"}`));
    expect(judge({ ...sneaky, publicKey: victim }, known())).toMatchObject({
      is: 'refused',
      publicKey: mine,
    });
  });

  it("an event whose user is a different key than the JWT's", () => {
    const connection = peel('web-1');
    const other = { ...connection, publicKey: generateKeyBundle('user').publicKey };
    expect(judge(other, known())).toMatchObject({
      is: 'refused',
      code: 'ERR_FLEET_OTHER_KEY',
      publicKey: connection.publicKey,
    });
  });

  it('no master, regardless of the user that the server reports', () => {
    const user = generateKeyBundle('user');
    const jwt = createUserJwt(user, trust.account.key, masterUserJwtOptions(account));
    expect(judge(connected(jwt, generateKeyBundle('user').publicKey), known())).toEqual({ is: 'other' });
  });

  it('anything that fails while judging', () => {
    const token = () => {
      throw new RangeError('Invalid time value');
    };
    const user = generateKeyBundle('user');
    const jwt = createUserJwt(user, joinSigner, joinUserJwtOptions('Ab12Cd34', account));
    expect(judge(connected(jwt, user.publicKey), known({ token }))).toMatchObject({
      is: 'refused',
      code: 'ERR_FLEET_UNJUDGED',
      publicKey: user.publicKey,
    });
  });
});

describe('a leafnode', () => {
  const leaf = (connection: UserConnection) => judge({ ...connection, kind: 'Leafnode' }, known());

  it('is refused with the credential of a peel, scoped or explicit, or of a join token', () => {
    const user = generateKeyBundle('user');
    const explicit = createUserJwt(user, trust.account.key, peelUserJwtOptions('web-1', account));
    const token = createUserJwt(user, joinSigner, joinUserJwtOptions('abcdefgh12', account, { expiry: 60 }));
    for (const connection of [
      peel('web-1', user),
      connected(explicit, user.publicKey),
      connected(token, user.publicKey),
    ]) {
      expect(leaf(connection)).toMatchObject({
        is: 'refused',
        code: 'ERR_FLEET_LEAFNODE',
        publicKey: user.publicKey,
      });
      expect(judge({ ...connection, kind: 'Client' }, known())).not.toMatchObject({ is: 'refused' });
    }
  });

  it("is not judged with another user's credential", () => {
    const user = generateKeyBundle('user');
    const jwt = createUserJwt(user, trust.account.key, { name: 'bridge' });
    expect(leaf(connected(jwt, user.publicKey))).toEqual({ is: 'other' });
  });
});

describe('a master that sees a peel reconnect unchanged', () => {
  /** A peel that the master knows from an earlier connection. */
  function seenBefore() {
    const user = generateKeyBundle('user');
    const options = peelUserJwtOptions('web-1', account, { scoped: true, expiry: 60 });
    const notBefore = Math.floor(Date.now() / 1000) - 10;
    // signed elsewhere: this process has not seen the signature
    const { claims } = partsOf(createUserJwt(user, trust.peelSigner, { ...options, notBefore }));
    const connection = connected(forge({ ...claims, jti: 'other' }, trust.peelSigner), user.publicKey);
    const live = record('active', { [user.publicKey]: 'live' });
    expect(code(judge(connection, known({ record: live })))).toBe('known');
    return { connection, live };
  }
  const signaturesOf = (act: () => unknown) => {
    vi.mocked(verifySignature).mockClear();
    act();
    return vi.mocked(verifySignature).mock.calls.length;
  };

  it('verifies one signature at the first connect and none afterwards', () => {
    expect(signaturesOf(seenBefore)).toBe(1);
    const { connection, live } = seenBefore();
    expect(signaturesOf(() => judge({ ...connection, cid: 8 }, known({ record: live })))).toBe(0);
  });

  it.each([
    ['has expired', 60, 'ERR_CHAIN_USER_EXPIRED'],
    ['is not yet valid', -30, 'ERR_CHAIN_USER_NOT_YET_VALID'],
  ])('still refuses it when its JWT %s', (_, seconds, expected) => {
    const { connection, live } = seenBefore();
    const { exp, nbf } = partsOf(connection.jwt).claims as { exp: number; nbf: number };
    const time = seconds > 0 ? exp : nbf - 1;
    const since = new Date(time * 1000).toISOString();
    expect(code(judge({ ...connection, since }, known({ record: live })))).toBe(expected);
  });

  it('still refuses it once its account revokes it', () => {
    const { connection, live } = seenBefore();
    const revocations = { [connection.publicKey]: Math.floor(Date.now() / 1000) + 10 };
    const jwt = trust.accountJwtWith({ signingKeys: [peelKey, joinKey], revocations });
    const now = known({ accountJwt: jwt, account: decodeAccountJwt(jwt), record: live });
    expect(code(judge(connection, now))).toBe('ERR_CHAIN_USER_REVOKED');
  });

  it('still refuses it once its signing key has left the account, or the operator no longer vouches for that', () => {
    const { connection, live } = seenBefore();
    const without = trust.accountJwtWith({ signingKeys: [joinKey] });
    const gone = known({ accountJwt: without, account: decodeAccountJwt(without), record: live });
    expect(code(judge(connection, gone))).toBe('ERR_CHAIN_USER_ISSUER');
    const other = known({ operatorJwt: createTestTrust().operatorJwt, record: live });
    expect(code(judge(connection, other))).toBe('ERR_CHAIN_ACCOUNT_ISSUER');
  });

  it('still refuses it once its record does', () => {
    const { connection } = seenBefore();
    const revoked = record('revoked', { [connection.publicKey]: 'revoked' });
    expect(code(judge(connection, known({ record: revoked })))).toBe('ERR_FLEET_REVOKED');
  });
});
