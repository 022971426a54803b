import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeAccountJwt,
  decodeOperatorJwt,
  decodeUserJwt,
  generateFullHierarchy,
  generateKeyBundle,
  JwtError,
} from '../../src/index.js';
import { refusal } from '../support/refusal.js';
import { alter, forge, part, partsOf, reforge } from './forge.js';

const { operator, operatorJwt, account, accountJwt, user, userJwt } = generateFullHierarchy('O', 'A', 'U');
const [header = '', payload = '', signature = ''] = userJwt.split('.');

const forged = (text: string) => `${text}.${Buffer.from(account.sign(text)).toString('base64url')}`;

describe('rejects text that is not a JWT', () => {
  it.each([
    ['nothing', ''],
    ['one part', 'abc'],
    ['two parts', `${header}.${payload}`],
    ['four parts', `${userJwt}.x`],
    ['an empty part', `${header}..${signature}`],
    ['an empty signature', `${header}.${payload}.`],
    ['white space around it', ` ${userJwt}\n`],
    ['padding', `${header}=.${payload}.${signature}`],
    [
      'one letter too many',
      forged(`${header}.${payload.padEnd(Math.ceil(payload.length / 4) * 4 + 1, 'A')}`),
    ],
    ['plain base64', `${header}.${payload}.+/${signature}`],
    ['a header that is not JSON', `${part('{')}.${payload}.${signature}`],
    ['a payload that is not JSON', `${header}.${part('nothing')}.${signature}`],
    ['more than any NATS JWT', `${header}.${'A'.repeat(5_000_000)}.${signature}`],
  ])('%s', async (_, jwt) => {
    await refusal('ERR_JWT_FORMAT', () => decodeUserJwt(jwt));
  });

  it.each([undefined, null, 7, {}, Buffer.from(userJwt)])('no string: %s', async (given) => {
    await refusal('ERR_JWT_FORMAT', () => decodeUserJwt(given as unknown as string));
  });
});

describe('algorithm confusion is refused', () => {
  const { claims } = partsOf(userJwt);

  it.each([
    ['none', { typ: 'JWT', alg: 'none' }],
    ['None', { typ: 'JWT', alg: 'None' }],
    ['HS256', { typ: 'JWT', alg: 'HS256' }],
    ['EdDSA', { typ: 'JWT', alg: 'EdDSA' }],
    ['ES256', { typ: 'JWT', alg: 'ES256' }],
    ['a version 1 token', { typ: 'jwt', alg: 'ed25519' }],
    ['other letters', { typ: 'JWT', alg: 'ED25519-NKEY' }],
    ['no algorithm', { typ: 'JWT' }],
    ['an algorithm that is no string', { typ: 'JWT', alg: ['ed25519-nkey'] }],
    ['no type', { alg: 'ed25519-nkey' }],
    ['another type', { typ: 'JWE', alg: 'ed25519-nkey' }],
    ['a header that is no object', 'null'],
    ['a header that is a list', ['ed25519-nkey']],
  ])('%s, though the signature is good', async (_, head) => {
    await refusal('ERR_JWT_ALGORITHM', () => decodeUserJwt(forge(claims, account, head)));
  });

  it('none with any signature, and HS256 with the public key as its secret', async () => {
    const none = `${part({ typ: 'JWT', alg: 'none' })}.${payload}.${signature}`;
    await refusal('ERR_JWT_ALGORITHM', () => decodeUserJwt(none));
    const signed = `${part({ typ: 'JWT', alg: 'HS256' })}.${payload}`;
    const mac = createHmac('sha256', account.publicKey).update(signed).digest('base64url');
    await refusal('ERR_JWT_ALGORITHM', () => decodeUserJwt(`${signed}.${mac}`));
  });

  it('a version 1 token, signed as version 1 signs: over the payload alone', async () => {
    const v1Claims = { ...claims, type: 'user', nats: {} };
    const v1Payload = part(v1Claims);
    const v1Signature = Buffer.from(account.sign(v1Payload)).toString('base64url');
    const v1 = `${part({ typ: 'jwt', alg: 'ed25519' })}.${v1Payload}.${v1Signature}`;
    const error = await refusal('ERR_JWT_ALGORITHM', () => decodeUserJwt(v1));
    expect(error.message).toContain('version 1');
    // the same under the header of version 2
    await refusal('ERR_JWT_TYPE', () => decodeUserJwt(`${header}.${v1Payload}.${v1Signature}`));
  });

  it('the version 2 header with claims of another version', async () => {
    for (const version of [1, 3, '2', undefined]) {
      const jwt = reforge(userJwt, account, ({ nats }) => void (nats['version'] = version));
      await refusal('ERR_JWT_VERSION', () => decodeUserJwt(jwt));
    }
  });

  it.each(['jwt', 'Jwt'])('accepts the type "%s", as Go does', (typ) => {
    const jwt = forge(claims, account, { typ, alg: 'ed25519-nkey' });
    expect(decodeUserJwt(jwt).sub).toBe(user.publicKey);
  });
});

describe('a token of another type is refused', () => {
  it.each([
    ['an account JWT as a user JWT', () => decodeUserJwt(accountJwt)],
    ['an operator JWT as a user JWT', () => decodeUserJwt(operatorJwt)],
    ['a user JWT as an account JWT', () => decodeAccountJwt(userJwt)],
    ['an operator JWT as an account JWT', () => decodeAccountJwt(operatorJwt)],
    ['a user JWT as an operator JWT', () => decodeOperatorJwt(userJwt)],
    ['an account JWT as an operator JWT', () => decodeOperatorJwt(accountJwt)],
  ])('%s', async (_, decode) => {
    await refusal('ERR_JWT_TYPE', decode);
  });

  it('one without a type', async () => {
    for (const type of [undefined, 7, {}]) {
      const jwt = reforge(userJwt, account, ({ nats }) => void (nats['type'] = type));
      await refusal('ERR_JWT_TYPE', () => decodeUserJwt(jwt));
    }
  });
});

describe('an altered token is refused', () => {
  it.each<[string, (claims: Record<string, unknown>) => void]>([
    ['another name', (claims) => void (claims['name'] = 'admin')],
    ['another subject', (claims) => void (claims['sub'] = generateKeyBundle('user').publicKey)],
    ['a later expiry', (claims) => void (claims['exp'] = 9_999_999_999)],
    ['another issuer', (claims) => void (claims['iss'] = generateKeyBundle('account').publicKey)],
    ['other permissions', (claims) => Object.assign(claims['nats'] as object, { pub: { allow: ['>'] } })],
  ])('%s', async (_, change) => {
    await refusal('ERR_JWT_SIGNATURE', () => decodeUserJwt(alter(userJwt, change)));
  });

  it('a signature of another token, a short one, a long one and one of zeros', async () => {
    const [, , other = ''] = forge({ any: 'claims' }, account).split('.');
    const short = Buffer.from(signature, 'base64url').subarray(0, 63).toString('base64url');
    const zeros = Buffer.alloc(64).toString('base64url');
    for (const wrong of [other, short, `${signature}AAAA`, zeros]) {
      await refusal('ERR_JWT_SIGNATURE', () => decodeUserJwt(`${header}.${payload}.${wrong}`));
    }
  });

  it('one signed by another key than the issuer it names', async () => {
    const { claims } = partsOf(userJwt);
    await refusal('ERR_JWT_SIGNATURE', () => decodeUserJwt(forge(claims, generateKeyBundle('account'))));
  });
});

describe('claims of the wrong form are refused', () => {
  it.each(['null', '[]', '7', '"text"', 'true', '{}', '{"nats":null}', '{"nats":7}'])(
    '%s',
    async (claims) => {
      await refusal('ERR_JWT_CLAIMS', () => decodeUserJwt(forge(claims, account)));
    },
  );

  it.each<[string, Record<string, unknown>]>([
    ['an issue time that is text', { iat: '1700000000' }],
    ['a negative issue time', { iat: -1 }],
    ['an expiry that is text', { exp: 'never' }],
    ['an expiry with a fraction', { exp: 1.5 }],
    ['a not-before that is a list', { nbf: [] }],
    ['a name that is a number', { name: 7 }],
    ['no subject', { sub: undefined }],
    ['a subject that is no key', { sub: 'me' }],
    ["a subject that is an account's key", { sub: account.publicKey }],
    ['no issuer', { iss: undefined }],
  ])('%s', async (_, change) => {
    const jwt = reforge(userJwt, account, (claims) => void Object.assign(claims, change));
    const error = await refusal('ERR_JWT_CLAIMS', () => decodeUserJwt(jwt));
    expect(error.message).toMatch(/user JWT/);
  });

  it.each<[string, Record<string, unknown>]>([
    ['permissions that are a list', { pub: [] }],
    ['subjects that are numbers', { pub: { allow: [7] } }],
    ['a limit that is text', { subs: '5' }],
    ['bearer as a number', { bearer_token: 1 }],
    ['an issuer account that is a number', { issuer_account: 7 }],
    ['tags that are text', { tags: 'a' }],
  ])('%s', async (_, change) => {
    const jwt = reforge(userJwt, account, ({ nats }) => void Object.assign(nats, change));
    await refusal('ERR_JWT_CLAIMS', () => decodeUserJwt(jwt));
  });

  it.each<[string, Record<string, unknown>]>([
    ['a description that is a number', { description: 1 }],
    ['an info URL that is none', { info_url: 'x' }],
    ['mappings that are a list', { mappings: [] }],
    [
      'mappings of more than everything',
      {
        mappings: {
          a: [
            { subject: 'b', weight: 60 },
            { subject: 'c', weight: 60 },
          ],
        },
      },
    ],
    ['a mapping of what is not a subject', { mappings: { 'a b': [{ subject: 'b' }] } }],
    ['accounts without users', { authorization: { allowed_accounts: ['*'] } }],
    ['traces to a wildcard', { trace: { dest: 'a.*' } }],
    ['cluster traffic of nobody', { cluster_traffic: 'nobody' }],
    ['null for an import', { imports: [null] }],
    ['an export without a type', { exports: [{ subject: 'a' }] }],
    ['a signing key that is no key', { signing_keys: ['A'] }],
    ['tiered limits that are text', { limits: { tiered_limits: 'R1' } }],
  ])('that a server refuses when it is pushed: %s', async (_, change) => {
    const jwt = reforge(accountJwt, operator, ({ nats }) => void Object.assign(nats, change));
    await refusal('ERR_JWT_CLAIMS', () => decodeAccountJwt(jwt));
  });

  it.each<[string, Record<string, unknown>]>([
    ['signing keys that are text', { signing_keys: 'A' }],
    ['a scoped key without a key', { signing_keys: [{ kind: 'user_scope', template: {} }] }],
    [
      'a scoped key of an unknown kind',
      { signing_keys: [{ kind: 'other', key: account.publicKey, template: {} }] },
    ],
    ['revocations that are a list of texts', { revocations: ['x'] }],
    ['revocations that are a list of numbers', { revocations: [7] }],
    ['limits that are a list', { limits: [] }],
    ['default permissions that are a list', { default_permissions: [] }],
    ['a revocation at a text', { revocations: { '*': 'now' } }],
  ])('of an account: %s', async (_, change) => {
    const jwt = reforge(accountJwt, operator, ({ nats }) => void Object.assign(nats, change));
    await refusal('ERR_JWT_CLAIMS', () => decodeAccountJwt(jwt));
  });

  it('an issuer whose role may not sign this kind of token', async () => {
    const byUser = reforge(userJwt, user, (claims) => void (claims['iss'] = user.publicKey));
    await refusal('ERR_JWT_ISSUER', () => decodeUserJwt(byUser));
    const byOperator = reforge(userJwt, operator, (claims) => void (claims['iss'] = operator.publicKey));
    await refusal('ERR_JWT_ISSUER', () => decodeUserJwt(byOperator));
    const accountByUser = reforge(accountJwt, user, (claims) => void (claims['iss'] = user.publicKey));
    await refusal('ERR_JWT_ISSUER', () => decodeAccountJwt(accountByUser));
    const operatorByAccount = reforge(
      operatorJwt,
      account,
      (claims) => void (claims['iss'] = account.publicKey),
    );
    await refusal('ERR_JWT_ISSUER', () => decodeOperatorJwt(operatorByAccount));
  });
});

describe('decoding accepts', () => {
  it('null for an empty list or map, as Go writes some', () => {
    const jwt = reforge(
      accountJwt,
      operator,
      ({ nats }) =>
        void Object.assign(nats, {
          signing_keys: null,
          revocations: null,
          imports: null,
          exports: null,
          tags: null,
        }),
    );
    expect(decodeAccountJwt(jwt).nats.revocations).toBeUndefined();
  });

  it('claims that it does not know, and keeps them', () => {
    const jwt = reforge(userJwt, account, (claims) => void Object.assign(claims, { future: { a: [1] } }));
    expect(decodeUserJwt(jwt)).toMatchObject({ future: { a: [1] } });
  });

  it('claim names that are special in JavaScript, without harm', () => {
    const evil = Buffer.from(
      JSON.stringify(partsOf(userJwt).claims).replace('{', '{"__proto__":{"polluted":1},'),
    ).toString();
    const claims = decodeUserJwt(forge(evil, account));
    expect((claims as unknown as Record<string, unknown>)['polluted']).toBeUndefined();
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});

describe('arbitrary input', () => {
  const text = fc.oneof(
    fc.string({ maxLength: 200 }),
    fc.tuple(fc.json(), fc.json(), fc.string()).map(([a, b, c]) => `${part(a)}.${part(b)}.${part(c)}`),
    fc.json().map((claims) => forge(claims, account)),
    fc
      .anything()
      .map(
        (value) =>
          `${header}.${part(JSON.stringify({ ...partsOf(userJwt).claims, nats: value }) ?? '')}.${signature}`,
      ),
  );

  it('decoding returns claims or throws a ZesterError', () => {
    fc.assert(
      fc.property(text, (jwt) => {
        for (const decode of [decodeUserJwt, decodeAccountJwt, decodeOperatorJwt]) {
          try {
            decode(jwt);
          } catch (error) {
            expect(error).toBeInstanceOf(JwtError);
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  it('any claims that a real account signed decode or are refused with a ZesterError', () => {
    const { claims } = partsOf(userJwt);
    fc.assert(
      fc.property(
        fc.constantFrom(...Object.keys(claims), 'exp', 'nbf', 'aud'),
        fc.jsonValue(),
        fc.constantFrom(
          'pub',
          'sub',
          'resp',
          'subs',
          'src',
          'times',
          'bearer_token',
          'issuer_account',
          'tags',
        ),
        fc.jsonValue(),
        (key, value, natsKey, natsValue) => {
          const nats = { ...(claims['nats'] as object), [natsKey]: natsValue };
          const jwt = forge({ ...claims, nats, [key]: value }, account);
          try {
            expect(decodeUserJwt(jwt).sub).toMatch(/^U/);
          } catch (error) {
            expect(error).toBeInstanceOf(JwtError);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it('a changed character in a token never yields other claims', () => {
    const good = decodeUserJwt(userJwt);
    fc.assert(
      fc.property(fc.nat(userJwt.length - 1), fc.constantFrom(...'AZaz09-_.'), (at, character) => {
        const changed = userJwt.slice(0, at) + character + userJwt.slice(at + 1);
        try {
          expect(decodeUserJwt(changed)).toEqual(good);
        } catch (error) {
          expect(error).toBeInstanceOf(JwtError);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe('a token that a server would read differently is refused', () => {
  const text = JSON.stringify(partsOf(userJwt).claims);
  const other = JSON.stringify(generateKeyBundle('user').publicKey);

  it.each([
    ['a name in another case', text.replace(/}$/, ',"Name":"*"}')],
    ['a name in another case, alone', text.replace('"name"', '"NAME"')],
    ['the same name twice', text.replace(/}$/, ',"name":"*"}')],
    ['another subject with a long s', text.replace(/}$/, `,"\u017fub":${other}}`)],
    ['permissions in another case', text.replace('"nats":{', '"nats":{"Pub":{"allow":[">"]},')],
    ['a repeated name deep inside', text.replace('"nats":{', '"nats":{"x":[{"a":1,"a":2}],')],
  ])('%s', async (_, claims) => {
    expect(claims).not.toBe(text);
    await refusal('ERR_JWT_FORMAT', () => decodeUserJwt(forge(claims, account)));
  });

  it('in its header too', async () => {
    const head = '{"typ":"JWT","alg":"ed25519-nkey","ALG":"none"}';
    await refusal('ERR_JWT_FORMAT', () => decodeUserJwt(forge(text, account, head)));
  });

  it('with a number that a server does not read as an integer, where one belongs', async () => {
    for (const number of ['1e3', '1700000000.0', '9223372036854775808']) {
      const claims = text.replace(/"iat":\d+/, `"iat":${number}`);
      await refusal('ERR_JWT_CLAIMS', () => decodeUserJwt(forge(claims, account)));
    }
  });

  it('keeps a claim that no server knows, with any content', () => {
    const claims = text.replace(/}$/, ',"x":{"Name":1.5,"big":1e300}}');
    expect(decodeUserJwt(forge(claims, account))).toMatchObject({ x: { Name: 1.5, big: 1e300 } });
  });

  it('with a type at the top, which makes it version 1 to a server', async () => {
    const jwt = reforge(userJwt, account, (claims) => void (claims['type'] = 'user'));
    await refusal('ERR_JWT_VERSION', () => decodeUserJwt(jwt));
  });
});

describe('times', () => {
  it.each(['iat', 'exp', 'nbf'])('a %s after the year 9999 is refused', async (name) => {
    const at = (time: number) => reforge(userJwt, account, (claims) => void (claims[name] = time));
    expect(decodeUserJwt(at(253_402_300_799))).toMatchObject({ [name]: 253_402_300_799 });
    for (const time of [253_402_300_800, Number.MAX_SAFE_INTEGER, 2 ** 62]) {
      const error = await refusal('ERR_JWT_CLAIMS', () => decodeUserJwt(at(time)));
      expect(error.message).toContain('a time after the year 9999');
    }
  });
});

describe('reads values that Go omits or treats as absent', () => {
  it('in a user JWT', () => {
    const jwt = reforge(userJwt, account, (claims) => {
      Object.assign(claims, { iat: null, exp: null, nbf: null, name: null, jti: null, aud: null });
      Object.assign(claims.nats, { resp: { max: null }, src: null, bearer_token: null, subs: null });
      Object.assign(claims.nats, { issuer_account: null, times_location: null, pub: null, tags: null });
    });
    expect(decodeUserJwt(jwt)).toMatchObject({ iat: 0, nats: { resp: { max: 0, ttl: 0 } } });
  });

  it('networks as one string', () => {
    const jwt = reforge(
      userJwt,
      account,
      ({ nats }) => void (nats['src'] = '10.0.0.0/8, 127.0.0.0/8,,FD00::/8'),
    );
    expect(decodeUserJwt(jwt).nats.src).toEqual(['10.0.0.0/8', '127.0.0.0/8', 'fd00::/8']);
  });

  it('in an account JWT, the template of a signing key too', () => {
    const key = {
      kind: 'user_scope',
      key: account.publicKey,
      role: null,
      template: { src: '10.0.0.0/8', resp: {} },
    };
    const jwt = reforge(accountJwt, operator, ({ nats }) => {
      Object.assign(nats, { limits: { subs: null }, exports: null, revocations: { [user.publicKey]: null } });
      nats['signing_keys'] = [key, { kind: 'user_scope', key: account.publicKey, template: {} }];
    });
    const { signing_keys, revocations } = decodeAccountJwt(jwt).nats;
    expect(signing_keys).toMatchObject([
      { template: { src: ['10.0.0.0/8'], resp: { max: 0 } } },
      { template: { subs: -1, data: -1, payload: -1 } },
    ]);
    expect(revocations).toEqual({ [user.publicKey]: 0 });
  });
});
