// Whatever a seed is given as by mistake, no part of it appears in what a function throws or returns.
import { join } from 'node:path';
import { inspect } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import * as zester from '../../src/index.js';
import * as master from '../../src/master/index.js';
import * as peel from '../../src/peel/index.js';
import * as testing from '../../src/testing/index.js';
import { MemoryClient } from '../connection/memory-client.js';
import { tempDir } from '../support/temp-dir.js';

type Arguments = readonly unknown[];
type Callable = (...given: Arguments) => unknown;

const seed = Buffer.from(zester.generateKeyBundle('user').seed).toString();
const account = zester.generateKeyBundle('account');
const operator = zester.generateKeyBundle('operator');
const user = zester.generateKeyBundle('user');
const { operatorJwt, accountJwt, userJwt } = zester.generateFullHierarchy('o', 'a', 'u');
const content = Buffer.from(
  zester.generateCredsFile(zester.createUserJwt(user, account, { name: 'web-01' }), user.seed),
).toString();
/** Nothing listens there. */
const servers = 'nats://127.0.0.1:1';
const validity = { expiry: 60, notBefore: 1 };
const limits = { subs: 1, payload: 1, data: 1, allowedConnectionTypes: ['STANDARD'] };
const permissions = { publish: ['a'], subscribe: ['b'], deny: { publish: ['c'] } };
const bucket = { bucket: 'b', keys: 'k' };

let dir = '';
beforeAll(async () => void (dir = await tempDir()));

/** Valid arguments; each of their values, at any depth, is replaced by a seed. */
const CALLS: Record<string, () => Arguments[] | Promise<Arguments[]>> = {
  adminPermissions: () => [[{ name: 'eve', role: 'viewer' }]],
  adminUserJwtOptions: () => [[{ name: 'eve', role: 'viewer', ...validity }], [validity]],
  answerBelow: () => [['_INBOX.a', 'b', 'x']],
  answerCommand: () => [[{}, 'web-01', 'x'], [{ msg: {}, peelId: 'web-01', data: 'x' }]],
  bootstrapPeelCreds: () => [
    [account, 'web-01', join(dir, 'a.creds'), { ...validity, permissions: { extend: permissions } }],
    [{ account, peelId: 'web-01', path: join(dir, 'a.creds'), issuerAccount: account.publicKey }],
  ],
  connectFleet: () => [[{ servers, credentials: join(dir, 'none'), inboxPrefix: 'x', home: dir }]],
  connectMaster: () => [[{ servers, credentials: join(dir, 'none'), name: 'x', rotate: 'hitless' }]],
  connectPeel: () => [
    [{ servers, credentials: content, peelId: 'web-01', tls: { caFile: join(dir, 'ca') }, timeout: 10 }],
    [{ servers: [servers], credsPath: join(dir, 'none'), peelId: 'web-01', rotate: 'hitless' }],
    [{ servers, credentials: { seed: 'x' }, peelId: 'web-01' }],
  ],
  consumerRead: () => [[{ stream: 's', consumer: 'c', createWith: { filter: 'f' } }]],
  createAccountJwt: () => [
    [account, operator, { name: 'a', limits: {}, signingKeys: [{ key: 'x', role: 'y' }], ...validity }],
    [account, operator, { name: 'a', defaultPermissions: permissions, revocations: { '*': 1 } }],
  ],
  createOperatorJwt: () => [
    [operator, { name: 'o', signingKeys: ['x'], operatorServiceUrls: [servers], systemAccount: 'x' }],
    [operator, { name: 'o', accountServerUrl: 'https://a.b/jwt/v1', tags: ['a'], ...validity }],
  ],
  createUserJwt: () => [
    [user, account, { name: 'u', permissions, limits, tags: ['a'], ...validity }],
    [user, account, { name: 'u', sourceNetworks: ['10.0.0.0/8'], timesLocation: 'UTC' }],
    [user, account, { name: 'u', allowedConnectionTypes: ['STANDARD'], bearerToken: false }],
  ],
  createUserJwtForPublicKey: () => [[user.publicKey, account, { name: 'u', permissions, ...validity }]],
  decodeAccountJwt: () => [[accountJwt]],
  decodeOperatorJwt: () => [[operatorJwt]],
  decodeUserJwt: () => [[userJwt]],
  defaultCredentials: () => [[{ role: 'peel', peelId: 'web-01', env: { HOME: dir, ZESTER_CREDS: 'x' } }]],
  extendPermissions: () => [[permissions, permissions]],
  fetchAccountJwt: () => [[{ account: account.publicKey, servers, systemCredentials: join(dir, 'none') }]],
  fromEnv: () => [['MINE', { MINE: content }]],
  generateCredsFile: () => [[userJwt, user.seed], [{ jwt: userJwt, seed: user.seed }]],
  generateCurveKey: () => [[]],
  generateFullHierarchy: () => [['o', 'a', 'u'], [{ operator: 'o', account: 'a', user: 'u' }]],
  generateKeyBundle: () => [['user']],
  holdsSeed: () => [['x']],
  isPeelId: () => [['web-01']],
  isRevoked: () => [[{ '*': 1 }, user.publicKey, 1]],
  isZesterError: () => [['x']],
  issuePeelCredentials: () => [
    [['web-01'], { signer: account, workers: 0, issuerAccount: account.publicKey, ...validity }],
  ],
  judgeReply: () => [['_INBOX.a', 'web-01']],
  kvRead: () => [[{ ...bucket, watch: true }]],
  kvWrite: () => [[bucket]],
  loadCredsFile: () => [[join(dir, 'none')]],
  loadCurveKey: () => [[zester.generateCurveKey().seed]],
  loadJwtFile: () => [[join(dir, 'none')]],
  loadKeyBundle: () => [['user', user.seed]],
  loadKeyBundleFromFile: () => [['user', join(dir, 'none')]],
  masterPermissions: () => [[]],
  masterUserJwtOptions: () => [[validity]],
  MemoryCredentials: () => [[content, 'x'], [{ initial: content, name: 'x' }]],
  natsOptionFromSeed: () => [[user.seed]],
  natsOptionsForMaster: () => [[join(dir, 'none')]],
  natsOptionsForPeel: () => [
    [join(dir, 'none'), 'web-01'],
    [{ peelId: 'web-01', credentials: join(dir, 'none') }],
  ],
  objectStoreRead: () => [[{ bucket: 'b' }]],
  objectStoreWrite: () => [[{ bucket: 'b' }]],
  parseCredsData: () => [[content, 'x'], [{ data: content, name: 'x' }]],
  peelInboxPrefix: () => [['web-01']],
  peelLimits: () => [[]],
  peelPermissions: () => [['web-01']],
  peelPermissionsTemplate: () => [[]],
  peelUserJwtOptions: () => [
    ['web-01', account.publicKey, { permissions: { replace: permissions }, ...validity }],
    [{ peelId: 'web-01', account: account.publicKey, ...validity }],
  ],
  publicKeyFromSeed: () => [[user.seed]],
  pushAccountJwt: () => [[accountJwt, { operatorJwt, servers, systemCredentials: join(dir, 'none') }]],
  redactSeeds: () => [['x']],
  requestPeel: () => [[{}, 'web-01', 'x', { command: 'facts', timeoutMs: 10 }]],
  reviseAccountJwt: () => [
    [accountJwt, operator, { revoke: ['*'], unrevoke: ['*'], signingKeys: { add: ['x'] }, limits: {} }],
  ],
  reviseOperatorJwt: () => [[operatorJwt, operator, { signingKeys: ['x'], name: 'o' }]],
  reviseUserJwt: () => [[userJwt, account, { name: 'u', permissions, limits }]],
  revokeUsers: () => [[[user.publicKey], { servers, operatorJwt, signer: operator, systemCredentials: 'x' }]],
  streamPublish: () => [[{ subject: 's' }]],
  streamRead: () => [[{ stream: 's', subject: 'x' }]],
  subjectCovers: () => [['a', 'b'], [{ granted: 'a', subject: 'b' }]],
  validateJwtChain: () => [[operatorJwt, accountJwt, userJwt], [{ operatorJwt, accountJwt, userJwt }]],
  validatePeelId: () => [['web-01']],
  validatePublicKey: () => [[user.publicKey, 'user']],
  validateSubject: () => [['a', { wildcards: false }]],
  withReconnectBuffer: () => [[new MemoryClient(), { maxBytes: 1 }]],
  writeCredsFile: () => [
    [join(dir, 'b.creds'), userJwt, user.seed],
    [{ path: join(dir, 'b.creds'), jwt: userJwt, seed: user.seed }],
  ],
  startMaster: () => [[{ home: join(dir, 'none'), servers, policy: 'manual', credentials: 'x', host: 'x' }]],
  fingerprint: () => [[user.publicKey]],
  isPeelEvent: () => [['x']],
  joinFleet: () => [
    [{ servers, token: join(dir, 'none'), peelId: 'web-01', out: join(dir, 'c'), waitMs: 10 }],
  ],
  recoverCredentials: () => [[{ servers, credentials: join(dir, 'none'), recovery: 'x', timeoutMs: 10 }]],
  startPeel: () => [
    [{ servers, credentials: join(dir, 'none'), peelId: 'web-01', recovery: 'x', waitOnFirstConnect: false }],
    [{ servers: [servers], credsPath: join(dir, 'none'), rotate: 'hitless', handlers: { a: () => 1 } }],
  ],
  createTestTrust: () => [[{ operator: 'o', account: 'a' }]],
};

/** Not called: classes that others make, what starts a server, and what takes objects of the fleet only. */
const NOT_CALLED = new Set(
  'KeyBundle CurveKey CredsFile MessageSigner AdminClient Peel EphemeralServer TestClock TestCredentials TestFleet TestServer startTestFleet startTestServer applyEvent currentKey'.split(
    ' ',
  ),
);

/** These return the seed, or what contains it, on purpose. */
const RETURNS_IT: Readonly<Record<string, string>> = {
  generateCredsFile: 'the content of a .creds file',
  natsOptionFromSeed: 'its authenticator signs with it',
};

const exported: Record<string, unknown> = { ...zester, ...master, ...peel, ...testing };
const isError = (value: unknown) =>
  typeof value === 'function' && (value === zester.ZesterError || value.prototype instanceof Error);

/** The same arguments, with a seed in place of one value or one more name, for each position in them. */
function* mutations(given: unknown, depth = 0): Generator<unknown> {
  if (given instanceof MemoryClient) return; // a seed is no connection
  if (depth > 0)
    for (const value of [seed, Buffer.from(seed), [seed], { [seed]: 1 }, { a: seed }, `x ${seed} y`])
      yield value;
  if (Array.isArray(given)) {
    for (const [i, item] of given.entries())
      for (const other of mutations(item, depth + 1)) yield given.with(i, other);
  } else if (
    typeof given === 'object' &&
    given !== null &&
    Object.getPrototypeOf(given) === Object.prototype
  ) {
    for (const [name, value] of Object.entries(given))
      for (const other of mutations(value, depth + 1)) yield { ...given, [name]: other };
    yield { ...given, [seed]: 1 };
    yield { ...given, [`x${seed}`]: { [seed]: seed } };
  }
}

/** Calls a function or a constructor. @returns what it threw or returned */
async function outcome(callable: Callable, given: Arguments): Promise<unknown> {
  try {
    const isClass = /^class\s/.test(Function.prototype.toString.call(callable));
    const result: unknown = isClass ? Reflect.construct(callable, given) : await callable(...given);
    if (typeof result === 'object' && result !== null && Symbol.asyncIterator in result) {
      for await (const item of result as AsyncIterable<unknown>) return item;
    }
    return result;
  } catch (error) {
    return error;
  }
}

const ALL = {
  depth: Infinity,
  maxArrayLength: Infinity,
  maxStringLength: Infinity,
  breakLength: Infinity,
} as const;

/** All ways to show a value, in one text. */
function shown(value: unknown): string {
  const texts = [
    inspect(value, { ...ALL, showHidden: true }),
    inspect(value, { ...ALL, customInspect: false, showHidden: true }),
  ];
  try {
    texts.push(JSON.stringify(value) ?? '');
  } catch {
    // it cannot be JSON
  }
  if (value instanceof Error) texts.push(value.message, value.stack ?? '', inspect(value.cause, ALL));
  else texts.push(String(typeof value === 'object' ? '' : value));
  return texts.join('\n');
}

/** Each eight consecutive characters of a seed, and its bytes as text. */
const PARTS = [
  ...Array.from({ length: seed.length - 7 }, (_, i) => seed.slice(i, i + 8)),
  Buffer.from(seed).toString('hex').slice(0, 20),
  [...Buffer.from(seed).subarray(0, 10)].map((byte) => byte.toString(16)).join(' '),
  [...Buffer.from(seed).subarray(0, 10)].join(', '),
  [...Buffer.from(seed).subarray(0, 10)].join(','),
];

const partIn = (value: unknown) => {
  // without the indices and line breaks of lists of bytes
  const text = shown(value)
    .replaceAll(/"\d+":/g, '')
    .replaceAll(/\s+/g, ' ');
  return PARTS.find((part) => text.includes(part));
};

describe('a seed in place of any argument', () => {
  it('is recognized in every form in which it is looked for', () => {
    const bytes = Buffer.from(seed);
    for (const leak of [
      seed.slice(9, 20),
      { a: bytes },
      new Uint8Array(bytes),
      new Error(`a ${seed.slice(0, 8)}`),
    ])
      expect(partIn(leak)).toBeDefined();
  });

  it('is tried with every exported function', () => {
    const callable = Object.entries(exported).flatMap(([name, value]) =>
      typeof value === 'function' && !isError(value) && !NOT_CALLED.has(name) ? [name] : [],
    );
    expect(callable.filter((name) => !(name in CALLS))).toEqual([]);
    expect(Object.keys(CALLS).filter((name) => !(name in exported))).toEqual([]);
  });

  it.each(Object.keys(CALLS).filter((name) => !(name in RETURNS_IT)))(
    'appears in nothing that %s throws or returns',
    async (name) => {
      const callable = exported[name] as Callable;
      const found = new Set<string>();
      for (const given of (await CALLS[name]?.()) ?? []) {
        for (const mutation of mutations(given)) {
          const result = await outcome(callable, mutation as Arguments);
          if (partIn(result) !== undefined)
            found.add(`${inspect(mutation, { depth: 4 })} -> ${inspect(result)}`.replaceAll(seed, '<seed>'));
        }
      }
      expect([...found]).toEqual([]);
    },
  );
});
