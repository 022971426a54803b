import { inspect } from 'node:util';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import * as zester from '../../src/index.js';
import { tempDir } from '../support/temp-dir.js';
import { SEED } from '../support/refusal.js';

const account = zester.generateKeyBundle('account');
const user = zester.generateKeyBundle('user');
const jwt = zester.createUserJwt(user, account, { name: 'web-01' });
const content = zester.generateCredsFile(jwt, user.seed);

async function firstOf<T>(all: AsyncIterable<T>): Promise<T> {
  for await (const one of all) return one;
  throw new Error('there is none');
}

async function credsPath(): Promise<string> {
  const path = `${await tempDir()}/web-01.creds`;
  await zester.writeCredsFile(path, jwt, user.seed);
  return path;
}

async function seedPath(): Promise<string> {
  const path = `${await tempDir()}/user.nk`;
  await user.saveSeedToFile(path);
  return path;
}

/** Objects of the library that hold a seed or were created with one. */
const MAKERS: Partial<Record<keyof typeof zester, () => unknown>> = {
  generateKeyBundle: () => zester.generateKeyBundle('user'),
  loadKeyBundle: () => zester.loadKeyBundle('user', user.seed),
  loadKeyBundleFromFile: async () => zester.loadKeyBundleFromFile('user', await seedPath()),
  publicKeyFromSeed: () => zester.publicKeyFromSeed(user.seed),
  generateCurveKey: () => zester.generateCurveKey(),
  loadCurveKey: () => zester.loadCurveKey(zester.generateCurveKey().seed),
  generateFullHierarchy: () => zester.generateFullHierarchy('o', 'a', 'u'),
  createUserJwt: () => jwt,
  parseCredsData: () => zester.parseCredsData(content, 'web-01'),
  loadCredsFile: async () => zester.loadCredsFile(await credsPath()),
  bootstrapPeelCreds: async () => zester.bootstrapPeelCreds(account, 'web-01', `${await tempDir()}/p.creds`),
  issuePeelCredentials: () =>
    firstOf(zester.issuePeelCredentials(['web-01'], { signer: account, workers: 0 })),
  MemoryCredentials: () => new zester.MemoryCredentials(content),
  fromEnv: () => zester.fromEnv('MINE', { MINE: Buffer.from(content).toString() }),
  defaultCredentials: () =>
    zester.defaultCredentials({ env: { ZESTER_CREDS_CONTENT: Buffer.from(content).toString() } }),
  natsOptionFromSeed: () => zester.natsOptionFromSeed(user.seed),
  natsOptionsForPeel: async () => zester.natsOptionsForPeel(await credsPath(), 'web-01'),
  natsOptionsForMaster: async () => zester.natsOptionsForMaster(await credsPath()),
};

/** Exports that return the bytes of the file, or nothing created with a seed. */
const OTHERS = new Set<string>(
  [
    'KeyBundle CurveKey CredsFile generateCredsFile writeCredsFile loadJwtFile',
    'ROLES MAX_USER_JWT_BYTES MAX_CREDS_BYTES PEEL_CONNECTION_TYPES validatePublicKey isPeelId validatePeelId',
    'createOperatorJwt createAccountJwt createUserJwtForPublicKey decodeOperatorJwt decodeAccountJwt decodeUserJwt',
    'reviseAccountJwt reviseOperatorJwt reviseUserJwt pushAccountJwt fetchAccountJwt revokeUsers',
    'consumerRead kvRead kvWrite objectStoreRead objectStoreWrite streamPublish streamRead extendPermissions',
    'isZesterError isRevoked validateJwtChain subjectCovers validateSubject answerBelow judgeReply answerCommand requestPeel',
    'ADMIN_INBOX_PREFIX MASTER_INBOX_PREFIX adminPermissions adminUserJwtOptions masterPermissions masterUserJwtOptions peelInboxPrefix peelLimits',
    'peelPermissions peelPermissionsTemplate peelUserJwtOptions connectMaster connectPeel connectFleet withReconnectBuffer redactSeeds holdsSeed DIAGNOSTICS_CHANNELS',
  ].flatMap((line) => line.split(' ')),
);

/** A seed as the numbers of its bytes: in JSON, and as inspect shows a Uint8Array. */
const SEED_BYTES = /\b83"?, ?("\d+": ?)?(65|79|85|88), ?(("\d+": ?)?\d\d, ?){40}/;

function pinoLine(value: unknown): string {
  let line = '';
  pino({}, { write: (text: string) => void (line += text) }).info({ value }, 'x');
  return line;
}

const all = {
  depth: Infinity,
  maxArrayLength: Infinity,
  maxStringLength: Infinity,
  breakLength: Infinity,
} as const;
const WAYS: Record<string, (value: unknown) => string> = {
  'util.inspect': (value) => inspect(value, all),
  'util.inspect with all that is hidden': (value) =>
    inspect(value, { ...all, showHidden: true, getters: true }),
  'util.inspect without what the object says': (value) =>
    inspect(value, { ...all, showHidden: true, customInspect: false }),
  'JSON.stringify': (value) => JSON.stringify(value),
  String: (value) => `${value as string}`,
  'a spread': (value) => inspect({ ...(value as object) }, all),
  'a log line': pinoLine,
};

describe('no object of the library shows a seed', () => {
  it('knows a seed in every form', () => {
    for (const bytes of [user.seed, Buffer.from(user.seed)]) {
      const text = JSON.stringify({ bytes });
      expect(SEED_BYTES.test(text) || SEED_BYTES.test(inspect(bytes, all)), text).toBe(true);
    }
    expect(inspect(Buffer.from(user.seed).toString())).toMatch(SEED);
  });

  it('covers every export', () => {
    const errors = Object.entries(zester).flatMap(([name, value]) =>
      typeof value === 'function' && value.prototype instanceof Error ? [name] : [],
    );
    const known = new Set([...Object.keys(MAKERS), ...OTHERS, ...errors]);
    expect(Object.keys(zester).filter((name) => !known.has(name))).toEqual([]);
  });

  it.each(Object.entries(MAKERS))('%s', async (_, make) => {
    const value = await make();
    for (const [way, show] of Object.entries(WAYS)) {
      const shown = show(value);
      expect(shown, way).not.toMatch(SEED);
      expect(shown, way).not.toMatch(SEED_BYTES);
    }
    if (
      typeof value === 'object' &&
      value !== null &&
      !Object.values(value).some((v) => typeof v === 'function')
    ) {
      expect(inspect(structuredClone(value), { ...all, showHidden: true }), 'a clone').not.toMatch(SEED);
      expect(JSON.stringify(structuredClone(value)), 'a clone').not.toMatch(SEED_BYTES);
    }
  });
});
