/**
 * Zester's verdict on a user JWT equals a server's: both judge thousands of mutations. `differences.ts` lists the
 * exceptions, and docs/security.md prints them.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  createAccountJwt,
  createOperatorJwt,
  createUserJwt,
  CredsError,
  decodeAccountJwt,
  decodeUserJwt,
  generateKeyBundle,
  JwtChainError,
  JwtError,
  parseCredsData,
  validateJwtChain,
  type KeyBundle,
} from '../../../src/index.js';
import { formatCreds } from '../../../src/creds/format.js';
import { userNameOf } from '../../../src/jwt/decode.js';
import { judge } from '../../../src/master/watch/judge.js';
import { PEEL_ROLE } from '../../../src/permissions/roles.js';
import { partsOf } from '../../jwt/forge.js';
import { startOperatorServer, type OperatorServer } from '../../support/operator-server.js';
import { seededRandom } from '../../support/random.js';
import type { TestTrust } from '../../support/trust.js';
import { allMutants, signed, type Claims, type Original } from './mutants.js';
import { admits } from './raw-connect.js';
import { counted, forEach, isEqual, table, type Verdicts } from './verdicts.js';

/** All mutations, or as many as fit in a short test. */
const COUNT = process.env['ZESTER_SECURITY'] === 'full' ? Infinity : 300;
/** All of them take minutes on a busy machine. */
const LIMIT_MS = process.env['ZESTER_SECURITY'] === 'full' ? 600_000 : 60_000;
const random = seededRandom();
const operator = generateKeyBundle('operator');
const account = generateKeyBundle('account');
const signer = generateKeyBundle('account');
const peelSigner = generateKeyBundle('account');
const user = generateKeyBundle('user');
const strangers = (['operator', 'account', 'user'] as const).map((role) => generateKeyBundle(role));
const operatorJwt = createOperatorJwt(operator, { name: 'O' });
const accountJwt = createAccountJwt(account, operator, {
  name: 'A',
  signingKeys: [
    signer.publicKey,
    {
      publicKey: peelSigner.publicKey,
      role: PEEL_ROLE,
      permissions: { publish: { allow: ['a.{{name()}}'] }, subscribe: { allow: ['>'] } },
    },
  ],
});
const now = () => Math.floor(Date.now() / 1000);
const issuerAccount = account.publicKey;

const original = (name: string, jwt: string, by: KeyBundle, absent: readonly string[]): Original => ({
  name,
  claims: partsOf(jwt).claims as Claims,
  signer: by,
  absent: absent.map((path) => path.split('.')),
});
const explicit = createUserJwt(user, signer, {
  name: 'u',
  issuerAccount,
  expiry: 100_000,
  notBefore: now() - 1000,
  tags: ['a'],
  permissions: {
    publish: { allow: ['a'], deny: ['b'] },
    subscribe: { allow: ['a', 'b q'], deny: ['c'] },
    responses: { max: 5, ttl: 60 },
  },
  sourceNetworks: ['127.0.0.0/8'],
  times: [{ start: '00:00:00', end: '23:59:59' }],
  timesLocation: 'UTC',
  allowedConnectionTypes: ['STANDARD'],
});
const plain = createUserJwt(user, account, { name: 'u' });
const peel = createUserJwt(user, peelSigner, { name: 'u', issuerAccount, scoped: true });
const ABSENT = ['aud', 'exp', 'nbf', 'nats.tags'];
const LIMITS =
  'pub sub pub.allow sub.deny resp subs data payload src times times_location bearer_token proxy_required ' +
  'allowed_connection_types';
const ORIGINALS = [
  original('explicit', explicit, signer, ['aud', 'nats.bearer_token', 'nats.proxy_required']),
  original('plain', plain, account, ['nats.issuer_account', ...ABSENT]),
  original('peel', peel, peelSigner, [...ABSENT, ...LIMITS.split(' ').map((name) => `nats.${name}`)]),
];

/** Why the chain does not hold. */
function chainVerdict(token: string): string | undefined {
  try {
    validateJwtChain(operatorJwt, accountJwt, token);
    return undefined;
  } catch (error) {
    if (!(error instanceof JwtChainError)) throw error;
    return error.message;
  }
}

/** Whether its claims can be read. */
function isReadable(token: string): boolean {
  try {
    decodeUserJwt(token);
    return true;
  } catch (error) {
    if (!(error instanceof JwtError)) throw error;
    return false;
  }
}

/** Whether credentials with this token load; for tokens without line breaks. */
function isLoaded(token: string): boolean {
  try {
    parseCredsData(formatCreds(token, user.seed), 'test.creds');
    return true;
  } catch (error) {
    if (!(error instanceof CredsError)) throw error;
    return error.code === 'ERR_CREDS_SEED_MISMATCH';
  }
}

const account2 = decodeAccountJwt(accountJwt);
const record = {
  id: 'u',
  state: 'active' as const,
  keys: [{ publicKey: user.publicKey, state: 'live' as const, issuedAt: 2 ** 40 }],
  number: 1,
  createdAt: new Date().toISOString(),
  updatedAt: new Date().toISOString(),
};

/** A master's verdict on a peel's connection that a server accepted. */
function masterRefuses(token: string): boolean {
  const since = new Date().toISOString();
  const { publicKey } = user;
  const verdict = judge(
    { server: 'N', cid: 1, serverName: 'n', name: 'u', publicKey, jwt: token, host: '127.0.0.1', since },
    {
      operatorJwt,
      accountJwt,
      account: account2,
      peelSigningKey: peelSigner.publicKey,
      record: userNameOf(token) === 'u' ? record : undefined,
      owner: undefined,
      token: () => undefined,
      now: Date.now,
    },
  );
  return verdict.is === 'refused' && !/^ERR_(PEEL|FLEET)_/.test(verdict.code);
}

describe('a mutated user JWT', () => {
  let server: OperatorServer;
  beforeAll(async () => {
    const system = generateKeyBundle('account');
    const trust = {
      operatorJwt,
      account: { key: account, jwt: accountJwt },
      systemAccount: { key: system, jwt: createAccountJwt(system, operator, { name: 'SYS' }) },
      extraAccounts: {},
    } as unknown as TestTrust;
    server = await startOperatorServer({ trust, resolver: 'memory' });
    const { configPath } = server.server;
    await writeFile(configPath, `${await readFile(configPath, 'utf8')}\nmax_control_line: 262144\n`);
    await server.restart();
  });

  it(
    "gets the server's verdict from the chain, from a .creds file and from a master",
    { timeout: LIMIT_MS },
    async () => {
      const keys = [...strangers, operator, account, signer, peelSigner, user];
      const all = ORIGINALS.flatMap((of) =>
        [
          ...allMutants(of, {
            other: of.name === 'plain' ? peel : plain,
            keys,
            now,
            random,
            randomCount: 100,
          }),
        ].map((mutant) => ({ mutant, of })),
      );
      const verdicts: Verdicts[] = [];
      const inconsistent: string[] = [];
      await forEach(COUNT === Infinity ? all : random.sample(all, COUNT), 24, async ({ mutant, of }) => {
        const key = mutant.nonceKey ?? user;
        let one: Verdicts;
        let second: number;
        let tries = 0;
        let token: string;
        do {
          second = now();
          token = mutant.make(of.claims);
          const zester = chainVerdict(token);
          one = { mutant, zester, server: await admits(server.port, token, key, tries * 50) };
          if (!/\s/.test(token) && isLoaded(token) !== isReadable(token))
            inconsistent.push(`.creds: ${mutant.what}`);
          tries++;
          // differences are retried more slowly: a server may be late in cutting a connection
        } while (tries < 4 && (!isEqual(one) || (mutant.ofThisSecond === true && now() !== second)));
        verdicts.push(one);
        const masters = of.name === 'peel' && one.server ? masterRefuses(token) : undefined;
        if (masters !== undefined && masters !== (one.zester !== undefined))
          inconsistent.push(`master: ${mutant.what}`);
      });
      const { counts, unexplained } = counted(verdicts);
      process.stdout.write(`${table(`user JWTs, seed ${random.seed}`, counts)}\n`);
      expect(unexplained, `seed ${random.seed}`).toEqual([]);
      expect(inconsistent, `seed ${random.seed}`).toEqual([]);
      expect(verdicts.filter(({ server: accepted }) => accepted).length).toBeGreaterThan(50);
    },
  );

  it('is admitted unless it is changed', async () => {
    for (const { claims, signer: by } of ORIGINALS) {
      const token = signed(JSON.stringify(claims), by);
      expect(await admits(server.port, token, user)).toBe(true);
      expect(chainVerdict(token)).toBeUndefined();
    }
  });
});
