import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  answerCommand,
  bootstrapPeelCreds,
  connectFleet,
  connectMaster,
  connectPeel,
  createUserJwt,
  CredsFile,
  decodeUserJwt,
  fetchAccountJwt,
  generateCredsFile,
  generateCurveKey,
  generateFullHierarchy,
  generateKeyBundle,
  issuePeelCredentials,
  loadCredsFile,
  loadJwtFile,
  loadKeyBundleFromFile,
  MemoryCredentials,
  natsOptionsForPeel,
  parseCredsData,
  peelUserJwtOptions,
  pushAccountJwt,
  requestPeel,
  reviseUserJwt,
  revokeUsers,
  subjectCovers,
  validateJwtChain,
  withReconnectBuffer,
  writeCredsFile,
} from '../../src/index.js';
import { AdminClient, MessageSigner, startMaster } from '../../src/master/index.js';
import { joinFleet, startPeel } from '../../src/peel/index.js';
import { startSilentServer } from '../support/silent-server.js';
import { refusal } from '../support/refusal.js';
import { tempDir } from '../support/temp-dir.js';

const account = generateKeyBundle('account');
const {
  operator,
  operatorJwt,
  accountJwt,
  account: owner,
  user,
  userJwt,
} = generateFullHierarchy({
  operatorName: 'acme',
  accountName: 'fleet',
  userName: 'web-01',
});
let dir: string;
beforeAll(async () => {
  dir = await tempDir();
});
const urlOf = (name: string) => pathToFileURL(join(dir, name));

describe('a file: URL', () => {
  it('is accepted where a path is, to write and to read', async () => {
    await bootstrapPeelCreds(account, 'web-01', urlOf('a b.creds'));
    expect((await stat(join(dir, 'a b.creds'))).mode & 0o777).toBe(0o600);
    const creds = await loadCredsFile(urlOf('a b.creds'));
    expect(creds.path).toBe(join(dir, 'a b.creds'));
    expect(await loadJwtFile(urlOf('a b.creds'))).toBe(creds.jwt);
    await writeCredsFile(urlOf('copy.creds'), creds.jwt, creds.seed);
    expect((await loadCredsFile(join(dir, 'copy.creds'))).publicKey).toBe(creds.publicKey);
    await account.saveSeedToFile(urlOf('account.seed'));
    expect((await loadKeyBundleFromFile('account', urlOf('account.seed'))).publicKey).toBe(account.publicKey);
  });

  it('is accepted for the files of TLS', async () => {
    const credentials = join(dir, 'a b.creds');
    const servers = 'tls://127.0.0.1:1';
    const error = await refusal('ERR_CONNECT_TLS_FILE', () =>
      connectMaster({ servers, credentials, tls: { caFile: urlOf('no ca.crt') } }),
    );
    expect(error.message).toContain(join(dir, 'no ca.crt'));
    const notFile = new URL('https://user:secret@example.com/ca.crt');
    const refused = await refusal('ERR_CONNECT_TLS_FILE', () =>
      connectMaster({ servers, credentials, tls: { caFile: notFile } }),
    );
    expect(refused.message).not.toContain('secret');
  });

  const other = new URL('https://user:secret@example.com/web-01.creds');
  it.each<[string, string, () => unknown]>([
    ['loadCredsFile', 'ERR_FILE_NOT_FOUND', () => loadCredsFile(other)],
    ['loadJwtFile', 'ERR_FILE_NOT_FOUND', () => loadJwtFile(other)],
    ['loadKeyBundleFromFile', 'ERR_FILE_NOT_FOUND', () => loadKeyBundleFromFile('user', other)],
    ['bootstrapPeelCreds', 'ERR_FILE_NOT_FOUND', () => bootstrapPeelCreds(account, 'web-01', other)],
    ['startMaster', 'ERR_FILE_NOT_FOUND', () => startMaster({ home: other })],
    ['joinFleet', 'ERR_CONNECT_OPTIONS', () => joinFleet({ token: other, peelId: 'a', out: 'b' })],
    ['connectPeel', 'ERR_CONNECT_OPTIONS', () => connectPeel({ credentials: other, peelId: 'web-01' })],
    ['startPeel', 'ERR_CONNECT_OPTIONS', () => startPeel({ credentials: other })],
  ])('of another scheme is refused by %s, and not shown', async (_name, code, call) => {
    const error = await refusal(code, call);
    expect(error.message).toContain('https:');
    expect(error.message).not.toContain('secret');
  });
});

describe('arguments that can be swapped', () => {
  it('may be given by name', async () => {
    validateJwtChain({ operatorJwt, accountJwt, userJwt });
    const path = join(dir, 'named.creds');
    const made = await bootstrapPeelCreds({ account, peelId: 'web-02', path, expirySeconds: 60 });
    expect(decodeUserJwt(made.jwt)).toMatchObject({ name: 'web-02', sub: made.user.publicKey });
    expect((await loadCredsFile(path)).jwt).toBe(made.jwt);
    await refusal('ERR_FILE_EXISTS', () =>
      bootstrapPeelCreds({ account, peelId: 'web-02', path, ifAbsent: true }),
    );
  });

  it.each<[string, () => unknown, string]>([
    [
      'validateJwtChain',
      () => validateJwtChain({ operatorJwt, accountJwt, usrJwt: userJwt } as never),
      'usrJwt',
    ],
    ['validateJwtChain', () => validateJwtChain({ operatorJwt, accountJwt } as never), 'lacks "userJwt"'],
    ['bootstrapPeelCreds', () => bootstrapPeelCreds({ account, id: 'x', path: 'y' } as never), '"id"'],
    ['generateFullHierarchy', () => generateFullHierarchy({ operatorName: 'o' } as never), 'lacks'],
  ])('and is refused by %s under another name', async (_name, call, words) => {
    const error = await refusal('ERR_JWT_OPTIONS', call);
    expect(error.message).toContain(words);
  });

  it('may be given by name to every function with several string arguments', async () => {
    const { seed } = user;
    const content = generateCredsFile({ jwt: userJwt, seed });
    expect(content).toEqual(generateCredsFile(userJwt, seed));
    expect(parseCredsData({ data: content, name: 'the secret' }).path).toBe('the secret');
    const path = urlOf('by-name.creds');
    await writeCredsFile({ path, jwt: userJwt, seed, ifAbsent: true });
    expect((await loadCredsFile(path)).jwt).toBe(userJwt);
    await refusal('ERR_FILE_EXISTS', () => writeCredsFile({ path, jwt: userJwt, seed, ifAbsent: true }));
    expect(natsOptionsForPeel({ peelId: 'web-01', credentials: path }).name).toBe('zester-peel-web-01');
    const memory = new MemoryCredentials({ initial: content, name: 'memory' });
    expect(await natsOptionsForPeel({ peelId: 'web-01', credentials: memory })).toHaveProperty(
      'authenticator',
    );
    memory[Symbol.dispose]();
    expect(memory.current.wiped).toBe(true);
    const named = { peelId: 'web-01', accountPublicKey: account.publicKey, expirySeconds: 5 };
    expect(peelUserJwtOptions(named)).toEqual(
      peelUserJwtOptions('web-01', account.publicKey, { expirySeconds: 5 }),
    );
    expect(subjectCovers({ outer: 'a.>', inner: 'a.b' })).toBe(true);
    expect(subjectCovers({ outer: 'a.b', inner: 'a.>' })).toBe(false);
  });

  it.each<[string, string, () => unknown]>([
    ['generateCredsFile', 'ERR_CREDS_INPUT', () => generateCredsFile({ jwt: userJwt, sed: '' } as never)],
    ['writeCredsFile', 'ERR_CREDS_INPUT', () => writeCredsFile({ path: 'x', jwt: userJwt } as never)],
    ['peelUserJwtOptions', 'ERR_JWT_OPTIONS', () => peelUserJwtOptions({ peelId: 'web-01' } as never)],
    ['natsOptionsForPeel', 'ERR_CONNECT_OPTIONS', () => natsOptionsForPeel({ peelId: 'web-01' } as never)],
    ['requestPeel', 'ERR_FLEET_REQUEST', () => requestPeel({} as never, { peelId: 'a', dta: '' } as never)],
    ['answerCommand', 'ERR_FLEET_REQUEST', () => answerCommand({} as never, { peelId: 'a', x: 1 } as never)],
  ])('and names are checked by %s', async (_name, code, call) => {
    await refusal(code, call);
  });

  it('are refused by the chain if swapped anyway', async () => {
    await refusal('ERR_CHAIN_OPERATOR_INVALID', () =>
      validateJwtChain({ operatorJwt: userJwt, accountJwt, userJwt: operatorJwt }),
    );
  });
});

describe('an option that has a unit in its name now', () => {
  const servers = 'nats://127.0.0.1:1';
  it.each<[string, string, (options: object) => unknown]>([
    ['drainTimeout', 'ERR_CONNECT_OPTIONS', (o) => connectMaster({ servers, credentials: 'x', ...o })],
    ['handoverTimeout', 'ERR_CONNECT_OPTIONS', (o) => connectMaster({ servers, credentials: 'x', ...o })],
    ['drainTimeout', 'ERR_CONNECT_OPTIONS', (o) => withReconnectBuffer({} as never, o)],
    [
      'handoverTimeout',
      'ERR_CONNECT_OPTIONS',
      (o) => startPeel({ servers, credentials: join(dir, 'a b.creds'), ...o }),
    ],
    ['lifetime', 'ERR_FLEET_CONFIG', (o) => startMaster({ home: dir, ...o })],
  ])('is checked under its name before, too, and not given twice: %s', async (before, code, call) => {
    const present = before === 'lifetime' ? 'lifetimeSeconds' : `${before}Ms`;
    for (const name of [before, present]) {
      const error = await refusal(code, () => call({ [name]: -1 }));
      expect(error.message).toContain(`${present} is -1`);
    }
    const error = await refusal(code, () => call({ [before]: 1, [present]: 1 }));
    expect(error.message).toContain(`give ${present} only`);
  });

  it('is taken for responses, too', async () => {
    const issue = (responses: object) =>
      createUserJwt(user, owner, {
        name: 'u',
        permissions: { subscribe: { allow: ['a'] }, responses: responses as never },
      });
    expect(decodeUserJwt(issue({ max: 1, ttlSeconds: 2 })).nats.resp).toEqual({ max: 1, ttl: 2e9 });
    expect(decodeUserJwt(issue({ max: 1, ttl: 2 })).nats.resp).toEqual({ max: 1, ttl: 2e9 });
    await refusal('ERR_JWT_OPTIONS', () => issue({ max: 1, ttl: 2, ttlSeconds: 2 }));
  });
});

describe('expirySeconds', () => {
  it('is the name with its unit, wherever expiry is taken', async () => {
    const now = () => 1_900_000_000_000;
    const given = { expirySeconds: 90, now };
    const lifetime = (jwt: string) => (decodeUserJwt(jwt).exp ?? 0) - now() / 1_000;
    expect(lifetime(createUserJwt(user, owner, { name: 'u', ...given }))).toBe(90);
    expect(lifetime(reviseUserJwt(userJwt, owner, given))).toBe(90);
    const { jwt } = await bootstrapPeelCreds(account, 'web-03', join(dir, 'short.creds'), given);
    expect(lifetime(jwt)).toBe(90);
    for await (const issued of issuePeelCredentials(['web-04'], { signer: account, ...given }))
      expect(lifetime(issued.jwt)).toBe(90);
  });

  it('is not given together with expiry', async () => {
    const both = { expirySeconds: 90, expiry: 90 };
    await refusal('ERR_JWT_OPTIONS', () => createUserJwt(user, owner, { name: 'u', ...both }));
    await refusal('ERR_JWT_OPTIONS', () => reviseUserJwt(userJwt, owner, both));
  });
});

describe('an object with a seed', () => {
  it('wipes it on disposal', () => {
    const creds = parseCredsData(generateCredsFile(userJwt, user.seed), 'x');
    const signer = new MessageSigner(creds);
    const made = generateFullHierarchy('o', 'a', 'u');
    for (const held of [creds, signer, generateCurveKey(), generateKeyBundle('user'), made])
      held[Symbol.dispose]();
    expect(creds).toBeInstanceOf(CredsFile);
    expect(creds.wiped).toBe(true);
    expect(() => signer.sign('x', new Uint8Array())).toThrow(/wiped/);
    expect([made.operator.wiped, made.account.wiped, made.user.wiped]).toEqual([true, true, true]);
  });
});

describe('a signal', () => {
  const reason = new Error('enough');
  const aborted = AbortSignal.abort(reason);

  it('that is already aborted ends everything that waits, before it starts', async () => {
    const credsPath = join(dir, 'web-05.creds');
    await bootstrapPeelCreds(account, 'web-05', credsPath);
    const servers = 'nats://127.0.0.1:1';
    const at = { operatorJwt, servers, systemCredentials: credsPath, signal: aborted };
    const admin = { servers, credentials: credsPath, signal: aborted };
    const signer = new MessageSigner(await loadCredsFile(credsPath));
    const client = new AdminClient({} as never, signer);
    const calls: (() => Promise<unknown>)[] = [
      () => connectPeel({ ...admin, peelId: 'web-05' }),
      () => connectMaster(admin),
      () => connectFleet(admin),
      () => startPeel(admin),
      () => fetchAccountJwt(owner.publicKey, at),
      () => pushAccountJwt(accountJwt, at),
      () => revokeUsers([user.publicKey], { ...at, accountJwt, signer: operator }),
      () => requestPeel({} as never, 'web-05', '', { signal: aborted }),
      () => client.ask('status', {}, { signal: aborted }),
      () => client.stream('peel.list', {}, { signal: aborted }).next(),
      () => issuePeelCredentials(['web-06'], { signer: account, signal: aborted }).next(),
    ];
    for (const call of calls) await expect(call(), String(call)).rejects.toBe(reason);
  });

  it('ends the wait for a server that does not answer', async () => {
    const { url, connected } = await startSilentServer();
    const credsPath = join(dir, 'web-07.creds');
    await bootstrapPeelCreds(account, 'web-07', credsPath);
    const waiting = new AbortController();
    const { signal } = waiting;
    const options = { servers: url, credentials: credsPath, timeout: 60_000, signal };
    const calls = [
      connectPeel({ ...options, peelId: 'web-07' }),
      connectMaster(options),
      connectFleet(options),
      startPeel(options),
    ].map((call) => expect(call).rejects.toBe(reason));
    await connected(4);
    waiting.abort(reason);
    await Promise.all(calls);
  });

  it('stops issuing between two credentials', async () => {
    const waiting = new AbortController();
    const issued: string[] = [];
    const ids = Array.from({ length: 500 }, (_, i) => `web-${i}`);
    const issuing = (async () => {
      for await (const { peelId } of issuePeelCredentials(ids, { signer: account, signal: waiting.signal })) {
        issued.push(peelId);
        if (issued.length === 3) waiting.abort(reason);
      }
    })();
    await expect(issuing).rejects.toBe(reason);
    expect(issued).toEqual(['web-0', 'web-1', 'web-2']);
  });
});
