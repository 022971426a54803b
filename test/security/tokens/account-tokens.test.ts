/**
 * Zester's verdict on an account JWT equals a server's, which accepts the account JWT and then its user.
 * `differences.ts` lists the exceptions.
 */
import type { NatsConnection } from '@nats-io/nats-core';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  createAccountJwt,
  createUserJwt,
  generateKeyBundle,
  JwtChainError,
  validateJwtChain,
} from '../../../src/index.js';
import { partsOf } from '../../jwt/forge.js';
import { atEnd } from '../../support/cleanup.js';
import { startOperatorServer, type OperatorServer } from '../../support/operator-server.js';
import { seededRandom } from '../../support/random.js';
import { allMutants, type Claims, type Original } from './mutants.js';
import { admits } from './raw-connect.js';
import { counted, forEach, isEqual, table, type Verdicts } from './verdicts.js';

const COUNT = process.env['ZESTER_SECURITY'] === 'full' ? 2_000 : 100;
/** All of them take minutes on a busy machine. */
const LIMIT_MS = process.env['ZESTER_SECURITY'] === 'full' ? 600_000 : 60_000;
const random = seededRandom();
const user = generateKeyBundle('user');
const scopedKey = generateKeyBundle('account').publicKey;
const strangers = (['operator', 'account', 'user'] as const).map((role) => generateKeyBundle(role));
const now = () => Math.floor(Date.now() / 1000);
const ABSENT =
  'aud exp nbf nats.authorization.auth_users nats.authorization.allowed_accounts nats.authorization.xkey ' +
  'nats.limits.disallow_bearer nats.limits.tiered_limits nats.limits.max_bytes_required nats.exports.0.token_req ' +
  'nats.imports.0.to nats.imports.0.token nats.imports.0.share';

let server: OperatorServer;
let system: NatsConnection;

/** The server's answer to the push of an account JWT. */
async function isTaken(token: string): Promise<boolean> {
  const answer = await system.request('$SYS.REQ.CLAIMS.UPDATE', token, { timeout: 20_000 });
  return answer.json<{ data?: { code?: number } }>().data?.code === 200;
}

/** A mutation for an account that the server has not seen, and the verdicts on it. */
async function judged(of: Original, mutant: Verdicts['mutant'], lingerMs: number): Promise<Verdicts> {
  const account = generateKeyBundle('account');
  const token = mutant.make({ ...of.claims, sub: account.publicKey });
  const userJwt = createUserJwt(user, account, { name: 'u' });
  let zester: string | undefined;
  try {
    validateJwtChain(server.trust.operatorJwt, token, userJwt);
  } catch (error) {
    if (!(error instanceof JwtChainError)) throw error;
    zester = error.message;
  }
  const accepted = (await isTaken(token)) && (await admits(server.port, userJwt, user, lingerMs));
  return { mutant, zester, server: accepted };
}

describe('a mutated account JWT', () => {
  let of: Original;
  let other = '';
  beforeAll(async () => {
    server = await startOperatorServer();
    system = await server.systemConnection();
    atEnd(() => system.close());
    const { operatorSigner } = server.trust;
    const key = generateKeyBundle('account');
    const jwt = createAccountJwt(key, operatorSigner, {
      name: 'A',
      description: 'd',
      tags: ['a'],
      expiry: 100_000,
      notBefore: now() - 1000,
      signingKeys: [
        generateKeyBundle('account').publicKey,
        {
          publicKey: scopedKey,
          role: 'r',
          permissions: { publish: { allow: ['a'] }, subscribe: { deny: ['b'] } },
        },
      ],
      revocations: { [generateKeyBundle('user').publicKey]: 1 },
      defaultPermissions: { publish: { allow: ['>'] }, subscribe: { allow: ['>', 'a q'], deny: ['c'] } },
    });
    other = server.trust.account.jwt;
    const claims = partsOf(jwt).claims as Claims;
    Object.assign(claims.nats, {
      exports: [{ name: 'e', subject: 'shared.*', type: 'service', response_type: 'Singleton' }],
      imports: [{ name: 'i', subject: 'a.b', account: server.trust.account.key.publicKey, type: 'stream' }],
      mappings: {
        'from.a': [
          { subject: 'to.a', weight: 50 },
          { subject: 'to.b', weight: 50, cluster: 'c' },
        ],
      },
      authorization: {},
      trace: { dest: 'traces', sampling: 10 },
      cluster_traffic: 'owner',
      info_url: 'https://example.com',
    });
    of = {
      name: 'account',
      claims,
      signer: operatorSigner,
      absent: ABSENT.split(' ').map((path) => path.split('.')),
    };
  });

  it("gets the server's verdict from the chain", { timeout: LIMIT_MS }, async () => {
    const keys = [...strangers, server.trust.operator, server.trust.operatorSigner];
    const all = [...allMutants(of, { other, keys, now, random, randomCount: 100 })];
    const verdicts: Verdicts[] = [];
    await forEach(random.sample(all, COUNT), 16, async (mutant) => {
      let one: Verdicts;
      let tries = 0;
      do one = await judged(of, mutant, tries * 50);
      while (++tries < 3 && !isEqual(one));
      verdicts.push(one);
    });
    const { counts, unexplained } = counted(verdicts);
    process.stdout.write(`${table(`account JWTs, seed ${random.seed}`, counts)}\n`);
    expect(unexplained, `seed ${random.seed}`).toEqual([]);
    expect(verdicts.filter(({ server: accepted }) => accepted).length).toBeGreaterThan(10);
  });
});
