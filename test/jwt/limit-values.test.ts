import { describe, expect, it } from 'vitest';
import {
  createAccountJwt,
  createOperatorJwt,
  createUserJwt,
  decodeAccountJwt,
  decodeOperatorJwt,
  decodeUserJwt,
  generateKeyBundle,
  reviseUserJwt,
  type OperatorJwtOptions,
  type UserLimitOptions,
} from '../../src/index.js';
import { signClaims } from '../../src/jwt/encode.js';
import { refusal } from '../support/refusal.js';

const operator = generateKeyBundle('operator');
const account = generateKeyBundle('account');
const user = generateKeyBundle('user');

const claims = (limits: object) =>
  decodeUserJwt(createUserJwt(user, account, { name: 'x', ...(limits as UserLimitOptions) })).nats;

const TIMES = [{ start: '08:00:00', end: '18:30:59' }];

describe('limits with which a server would never admit the user', () => {
  const refused: [string, object][] = [
    ...[
      'hello',
      '',
      '10.0.0.1',
      '10.0.0.0/',
      '10.0.0.0/33',
      '10.0.0/8',
      '10.0.0.0/-1',
      '010.0.0.0/8',
      '10.0.0.0/8/8',
      '/8',
    ].map((network): [string, object] => ['sourceNetworks', { sourceNetworks: [network] }]),
    ...['2001:db8::', '2001:db8::/129', 'fe80::1%eth0/64', '10.0.0.0/8,10.1.0.0/16'].map(
      (network): [string, object] => ['sourceNetworks', { sourceNetworks: ['10.0.0.0/8', network] }],
    ),
    ['sourceNetworks', { sourceNetworks: [5] }],
    ...['8', '08:00', '24:00:00', '08:60:00', '08:00:60', '8am', ' 08:00:00', ''].flatMap(
      (time): [string, object][] => [
        ['times', { times: [{ start: time, end: '18:00:00' }] }],
        ['times', { times: [...TIMES, { start: '08:00:00', end: time }] }],
      ],
    ),
    ['times', { times: [{ start: '08:00:00' }] }],
    ['times', { times: [null] }],
    ...['Europe/Wien', 'europe/vienna', 'Europe/vienna', 'CEST2', '+01:00', '', ' UTC', '../etc/passwd'].map(
      (timesLocation): [string, object] => ['timesLocation', { times: TIMES, timesLocation }],
    ),
    ...['standard', 'HTTP', '', 'WEBSOCKETS'].map((type): [string, object] => [
      'allowedConnectionTypes',
      { allowedConnectionTypes: ['STANDARD', type] },
    ]),
  ];

  it.each(refused)('are refused: %s of %j', async (name, limits) => {
    const error = await refusal('ERR_JWT_OPTIONS', () => claims(limits));
    expect(error.message).toContain(name);
  });

  it.each(refused)('are refused in a template and in a revision: %s of %j', async (_name, limits) => {
    const key = { publicKey: account.publicKey, role: 'x', ...limits };
    await refusal('ERR_JWT_OPTIONS', () =>
      createAccountJwt(account, operator, { name: 'x', signingKeys: [key] }),
    );
    const jwt = createUserJwt(user, account, { name: 'x' });
    await refusal('ERR_JWT_OPTIONS', () => reviseUserJwt(jwt, account, limits));
  });
});

describe('limits that a server can read', () => {
  it.each(['10.0.0.0/8', '192.0.2.7/32', '0.0.0.0/0', '2001:db8::/32', '::/0', '::ffff:10.0.0.0/104'])(
    'are signed: %s',
    (network) => {
      expect(claims({ sourceNetworks: [network] }).src).toEqual([network]);
    },
  );

  it('are signed as they are compared: networks in lower case, each once', () => {
    expect(claims({ sourceNetworks: [' 10.0.0.0/8', '10.0.0.0/8', '2001:DB8::/32'] }).src).toEqual([
      '10.0.0.0/8',
      '2001:db8::/32',
    ]);
  });

  it.each([
    'Europe/Vienna',
    'UTC',
    'Local',
    'America/Port-au-Prince',
    'Etc/GMT+5',
    'US/Pacific',
    'Asia/Kolkata',
    'Asia/Calcutta',
  ])('are signed: the time zone %s', (timesLocation) => {
    expect(claims({ times: TIMES, timesLocation })).toMatchObject({
      times: TIMES,
      times_location: timesLocation,
    });
  });

  it('are signed: every kind of connection', () => {
    const types = ['STANDARD', 'WEBSOCKET', 'LEAFNODE', 'LEAFNODE_WS', 'MQTT', 'MQTT_WS', 'IN_PROCESS'];
    expect(claims({ allowedConnectionTypes: types }).allowed_connection_types).toEqual(types);
  });
});

describe('the URLs of an operator', () => {
  const make = (options: Partial<OperatorJwtOptions>) =>
    decodeOperatorJwt(createOperatorJwt(operator, { name: 'x', ...options })).nats;

  it.each([
    'nats.example.com:4222',
    'http://nats.example.com',
    'nats://',
    'nats://user:pass@nats.example.com',
    'nats://nats.example.com/path',
    'nats://nats.example.com/',
    'nats://nats.example.com:99999',
    'nats://a, nats://b',
    '',
  ])('are refused for its servers: %s', async (url) => {
    const error = await refusal('ERR_JWT_OPTIONS', () =>
      make({ operatorServiceUrls: ['nats://ok:4222', url] }),
    );
    expect(error.message).not.toContain('pass@');
  });

  it.each(['nats://h:4222', 'TLS://nats.example.com', 'ws://h:80', 'wss://h', 'nats://[::1]:4222'])(
    'are signed for its servers: %s',
    (url) => {
      expect(make({ operatorServiceUrls: [url] }).operator_service_urls).toEqual([url]);
    },
  );

  it.each(['accounts.example.com', 'https://', '', 'https://user:pass@example.com'])(
    'are refused for its account server: %s',
    async (url) => {
      await refusal('ERR_JWT_OPTIONS', () => make({ accountServerUrl: url }));
    },
  );

  it.each(['https://accounts.example.com/jwt/v1', 'nats://h:4222'])(
    'are signed for its account server: %s',
    (url) => {
      expect(make({ accountServerUrl: url }).account_server_url).toBe(url);
    },
  );
});

describe('tags', () => {
  it('are signed as servers compare them: in lower case, each once', () => {
    expect(
      decodeUserJwt(createUserJwt(user, account, { name: 'x', tags: ['Dept:Ops', 'dept:ops', ' a '] })).nats
        .tags,
    ).toEqual(['dept:ops', 'a']);
  });

  it.each([['x', ''], [' '], [5 as unknown as string]])(
    'are refused if one is not a string: %j',
    async (...tags) => {
      await refusal('ERR_JWT_OPTIONS', () => createUserJwt(user, account, { name: 'x', tags }));
    },
  );
});

describe('a scoped signing key that limits nothing', () => {
  const withKey = (key: object) =>
    signClaims(
      JSON.stringify({
        iat: 1,
        iss: operator.publicKey,
        sub: account.publicKey,
        nats: {
          signing_keys: [{ kind: 'user_scope', key: account.publicKey, ...key }],
          type: 'account',
          version: 2,
        },
      }),
      operator,
    );

  it.each([{}, { template: null }])('is not read when it has no template: %j', async (key) => {
    const error = await refusal('ERR_JWT_CLAIMS', () => decodeAccountJwt(withKey(key)));
    expect(error.message).toContain('template');
  });

  it('is read as unlimited, as servers read a template without limits', () => {
    const [key] = decodeAccountJwt(withKey({ template: { subs: 5 } })).nats.signing_keys ?? [];
    expect(key).toMatchObject({ template: { subs: 5, data: -1, payload: -1 } });
  });
});
