import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  adminUserJwtOptions,
  bootstrapPeelCreds,
  createAccountJwt,
  createOperatorJwt,
  createUserJwt,
  decodeAccountJwt,
  decodeOperatorJwt,
  decodeUserJwt,
  generateCredsFile,
  generateKeyBundle,
  loadKeyBundleFromFile,
  masterUserJwtOptions,
  parseCredsData,
  peelPermissionsTemplate,
  peelUserJwtOptions,
  publicKeyFromSeed,
  validateJwtChain,
} from '../../../src/index.js';
import { makeCredentials } from '../../creds/credentials.js';
import { credsEdits, credsVariants } from '../../creds/variants.js';
import { startOperatorServer, type OperatorServer } from '../../support/operator-server.js';
import { refusal } from '../../support/refusal.js';
import { tempDir } from '../../support/temp-dir.js';
import { buildGoProgram, goMissing, type GoProgram } from './go-program.js';

interface Decoded {
  error?: string;
  type?: string;
  claims?: unknown;
  blocking: string[];
  others: string[];
}

const title = `with Go's jwt/v2, nkeys and nats.go${goMissing === undefined ? '' : ` (skipped: ${goMissing})`}`;

describe.skipIf(goMissing !== undefined)(title, () => {
  let go: GoProgram;
  let server: OperatorServer;
  beforeAll(async () => {
    [go, server] = await Promise.all([buildGoProgram(), startOperatorServer()]);
  }, 300_000);

  const operator = generateKeyBundle('operator');
  const account = generateKeyBundle('account');
  const signer = generateKeyBundle('account');
  const user = generateKeyBundle('user');

  describe('our JWTs', () => {
    const tokens: [string, () => string][] = [
      ['a bare operator', () => createOperatorJwt(operator, { name: 'Acme' })],
      [
        'an operator with every option',
        () =>
          createOperatorJwt(operator, {
            name: 'Acme',
            signingKeys: [generateKeyBundle('operator').publicKey],
            strictSigningKeyUsage: true,
            systemAccount: account.publicKey,
            accountServerUrl: 'https://accounts.example/jwt/v1',
            operatorServiceUrls: ['nats://one.example:4222', 'tls://two.example:4222'],
            tags: ['prod'],
            expiry: 3600,
          }),
      ],
      ['a bare account', () => createAccountJwt(account, operator, { name: 'fleet' })],
      [
        'an account with every option',
        () =>
          createAccountJwt(account, operator, {
            name: 'fleet',
            description: 'of the fleet',
            expiry: 3600,
            tags: ['a'],
            limits: {
              connections: 10,
              leafNodes: 1,
              imports: 5,
              exports: 5,
              wildcardExports: true,
              subscriptions: 100,
              payload: 1000,
              data: 1_000_000,
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
            signingKeys: [
              signer.publicKey,
              {
                publicKey: generateKeyBundle('account').publicKey,
                role: 'peel',
                description: 'of peels',
                permissions: peelPermissionsTemplate(),
                subscriptions: 10,
              },
            ],
            defaultPermissions: {
              publish: { deny: ['secret.>'] },
              subscribe: { allow: ['>'] },
              responses: { max: 1, ttl: 5 },
            },
            revocations: { [user.publicKey]: 1_700_000_000, '*': 5 },
            exports: [{ name: 'e', subject: 'e.>', type: 'stream' }],
            imports: [{ name: 'i', subject: 'i.>', account: signer.publicKey, type: 'stream' }],
          }),
      ],
      ['a bare user', () => createUserJwt(user, account, { name: 'web-01' })],
      [
        'a user with every option',
        () =>
          createUserJwt(user, signer, {
            name: 'web-01',
            issuerAccount: account.publicKey,
            expiry: 3600,
            notBefore: 1_700_000_000,
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
          }),
      ],
      ['a peel', () => createUserJwt(user, account, peelUserJwtOptions('web-01', account.publicKey))],
      [
        'a scoped peel',
        () => createUserJwt(user, signer, peelUserJwtOptions('web-01', account.publicKey, { scoped: true })),
      ],
      ['a master', () => createUserJwt(user, account, masterUserJwtOptions(account.publicKey))],
      ['an admin', () => createUserJwt(user, account, adminUserJwtOptions(account.publicKey))],
    ];

    it('all decode and validate without one blocking issue', async () => {
      const results = await go<Decoded[]>(['decode'], tokens.map(([, make]) => `${make()}\n`).join(''));
      const verdicts = results.map(({ error, type, blocking }, i) => ({
        token: tokens[i]?.[0],
        error,
        type,
        blocking,
      }));
      expect(verdicts).toEqual(
        tokens.map(([token], i) => ({
          token,
          error: undefined,
          type: i < 2 ? 'operator' : i < 4 ? 'account' : 'user',
          blocking: [],
        })),
      );
    });

    it.each(tokens)('%s reads there as it was written here', async (_, make) => {
      const jwt = make();
      const [result] = await go<Decoded[]>(['decode'], `${jwt}\n`);
      const decode = { operator: decodeOperatorJwt, account: decodeAccountJwt, user: decodeUserJwt }[
        result?.type as 'user'
      ];
      const { nats, ...standard } = decode(jwt);
      const { nats: theirNats, ...theirStandard } = result?.claims as { nats: object };
      expect(theirStandard).toEqual(standard);
      // Go writes more: every field that it knows, with its zero value. It does not know a key's description yet, and
      // its signing keys are a map, in any order.
      const known = JSON.parse(JSON.stringify(nats).replace('"description":"of peels",', '')) as object;
      expect(withKeysInOrder(theirNats)).toMatchObject(withKeysInOrder(known));
    });

    it('with one character changed are refused there too', async () => {
      const jwt = createUserJwt(user, account, { name: 'web-01' });
      const [head = '', payload = '', signature = ''] = jwt.split('.');
      const changed = `${head}.${payload.slice(0, -2)}AA.${signature}`;
      const [result] = await go<Decoded[]>(['decode'], `${changed}\n`);
      expect(result?.error).toBeDefined();
    });
  });

  describe('files that Go writes', () => {
    interface Made {
      operatorJwt: string;
      accountJwt: string;
      creds: string;
      signedCreds: string;
      scopedCreds: string;
      revokedJwt: string;
      userKey: string;
      accountKey: string;
      accountFile: string;
    }
    let made: Made;
    beforeAll(async () => {
      made = await go<Made>(['make']);
    });

    it('decodes here: operator, account with signing keys, users', () => {
      expect(decodeOperatorJwt(made.operatorJwt)).toMatchObject({
        name: 'Acme',
        nats: { operator_service_urls: ['nats://one.example:4222'] },
      });
      const claims = decodeAccountJwt(made.accountJwt);
      expect(claims).toMatchObject({ name: 'fleet', sub: made.accountKey });
      expect(claims.nats.signing_keys).toHaveLength(2);
      expect(claims.nats.limits).toMatchObject({ streams: 5, mem_storage: -1 });
    });

    it('is a .creds file that Zester reads, with its own line ends and with \\r\\n', () => {
      for (const file of [made.creds, made.signedCreds, made.scopedCreds]) {
        for (const text of [file, file.replaceAll('\n', '\r\n'), file.trimEnd()]) {
          const creds = parseCredsData(text, 'made by Go');
          expect(creds.publicKey).toBe(made.userKey);
          expect(publicKeyFromSeed(creds.seed)).toBe(made.userKey);
          expect(creds.claims.name).toBe('web-01');
        }
      }
    });

    it('is a chain that holds here: by the account, its signing key and its scoped signing key', () => {
      for (const file of [made.creds, made.signedCreds, made.scopedCreds]) {
        validateJwtChain(made.operatorJwt, made.accountJwt, parseCredsData(file, 'made by Go').jwt);
      }
    });

    it('is a revocation that holds here', async () => {
      await refusal('ERR_CHAIN_USER_REVOKED', () =>
        validateJwtChain(made.operatorJwt, made.accountJwt, made.revokedJwt),
      );
    });

    it("is an account's seed that is loaded here", async () => {
      const path = join(await tempDir(), 'account.nk');
      await writeFile(path, made.accountFile, { mode: 0o600 });
      expect((await loadKeyBundleFromFile('account', path)).publicKey).toBe(made.accountKey);
    });
  });

  describe('our .creds files', () => {
    const good = makeCredentials();
    it('are read by ParseDecoratedJWT and ParseDecoratedUserNKey', async () => {
      const jwt = createUserJwt(user, account, { name: 'web-01' });
      const file = Buffer.from(generateCredsFile(jwt, user.seed)).toString();
      expect(await go(['creds'], file)).toEqual({
        jwt,
        seed: Buffer.from(user.seed).toString(),
        publicKey: user.publicKey,
      });
    });

    /** Forms that Zester reads and Go does not: it takes the first line of the first section for the JWT, and knows no \r. */
    const oursAlone = [
      'with \\r alone',
      'with blank lines around everything',
      'with spaces and tabs around the lines',
      'with the seed before the JWT',
      'with the seed on a line by itself, before the JWT',
      'with a note in a section of its own',
      'the lines in reverse',
      'the JWT and the seed exchanged',
      '"\\n\\r" for the line ends',
    ];

    it('are read there in each form that is read here, but for those listed', async () => {
      const unread: string[] = [];
      const edited = credsEdits(good).filter(([, content]) => isReadHere(content));
      expect(edited.length).toBeGreaterThan(10);
      for (const [form, content] of [...credsVariants(good), ...edited]) {
        const found = await go<object>(['creds'], Buffer.from(content).toString()).catch(() => ({}));
        const { jwt, seed } = found as { jwt?: string; seed?: string };
        if (jwt !== good.jwt || seed !== good.seed) unread.push(form);
      }
      expect(unread).toEqual(oursAlone);
    });

    function isReadHere(content: string): boolean {
      try {
        return parseCredsData(content, 'edited').jwt === good.jwt;
      } catch {
        return false;
      }
    }

    it.each([
      ['with its subjects in its JWT', false],
      ['scoped', true],
    ])('connect with nats.UserCredentials: a peel %s', async (_, scoped) => {
      const path = join(await tempDir(), 'peel.creds');
      const { trust } = server;
      await (scoped
        ? bootstrapPeelCreds(trust.peelSigner, 'web-01', path, {
            scoped,
            issuerAccount: trust.account.key.publicKey,
          })
        : bootstrapPeelCreds(trust.account.key, 'web-01', path));
      const listener = await server.connect(await server.user('listener'));
      const messages = listener.subscribe('zester.event.web-01.up', { max: 1 });
      await listener.flush();
      expect(await go(['connect', server.url, path, 'zester.event.web-01.up'])).toEqual({
        connected: expect.any(String) as string,
      });
      for await (const message of messages) expect(message.string()).toBe('from Go');
      expect(messages.getProcessed()).toBe(1);
    });

    it('of a stranger do not connect', async () => {
      const path = join(await tempDir(), 'stranger.creds');
      await bootstrapPeelCreds(generateKeyBundle('account'), 'web-01', path);
      const result = await go<{ error?: string }>(['connect', server.url, path, 'x']);
      expect(result.error).toContain('Authorization Violation');
    });
  });
});

function withKeysInOrder(nats: object): object {
  const { signing_keys: keys } = nats as { signing_keys?: unknown[] };
  if (keys === undefined) return nats;
  return {
    ...nats,
    signing_keys: keys
      .map((key) => JSON.stringify(key))
      .sort()
      .map((key) => JSON.parse(key) as unknown),
  };
}
