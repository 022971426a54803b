// The content of an invitation for a master: its format and its checks.
import * as v from 'valibot';
import { accountOf } from '../jwt/account-of.js';
import { TrustError, ZesterError } from '../errors.js';
import { decodeCreds } from '../creds/decode-creds.js';
import { validateJwtChain } from '../jwt/chain.js';
import { publicKeyFromSeed } from '../nkeys/key-bundle.js';
import { isMasterName } from '../permissions/master-label.js';
import { MASTER_ANSWERS_NAME, MASTER_NAME, SYSTEM_NAME } from '../permissions/names.js';
import { endorsedKey } from '../trust/keys/endorsements.js';
import { checkJwts } from '../trust/open.js';
import { trustPaths } from '../trust/paths.js';
import { parseSettings, type TrustSettings } from '../trust/settings.js';

/** The format version that is written, and the newest that can be read. */
export const INVITE_VERSION = 1;

/** Larger than any invitation: a foreign file must not exhaust memory. */
export const MAX_INVITE_BYTES = 16 * 1024 * 1024;

/** The only files in an invitation. */
export const INVITE_FILES = [
  'zester.json',
  'jwt/operator.jwt',
  'jwt/system.jwt',
  'jwt/account.jwt',
  'keys/operator-signing.seed',
  'keys/peel-signing.seed',
  'keys/join-signing.seed',
  'keys/system-signing.seed',
  'creds/master.creds',
  'creds/master-answers.creds',
  'creds/system.creds',
] as const;

/** The seeds of the keys that renew the master's credentials, if the fleet's expire. */
export const INVITE_RENEWAL_FILES = ['keys/master-signing.seed', 'keys/answers-signing.seed'] as const;

/** A certificate authority is not secret, and a host needs it to connect. */
export const INVITE_CA = 'tls/ca.pem';

const schema = v.object({
  format: v.literal('zester-master-invite'),
  version: v.number(),
  name: v.pipe(v.string(), v.check(isMasterName, 'is not a name of a master')),
  /** ISO 8601. */
  createdAt: v.pipe(v.string(), v.isoTimestamp()),
  /** ISO 8601: it cannot be installed afterwards. */
  expiresAt: v.pipe(v.string(), v.isoTimestamp()),
  files: v.strictObject({
    ...v.entriesFromList(INVITE_FILES, v.string()),
    ...v.entriesFromList(INVITE_RENEWAL_FILES, v.optional(v.string())),
    [INVITE_CA]: v.optional(v.string()),
  }),
});

/** A decrypted invitation. */
export type Invite = v.InferOutput<typeof schema>;

/**
 * Reads a decrypted invitation, and checks that it is the complete home of one master: settings, JWTs, the seeds of the
 * named keys, credentials signed by the account, and no identity seed.
 *
 * @param path the file, for the error
 * @param now milliseconds since 1970
 * @throws TrustError `ERR_TRUST_INVITE`, `ERR_TRUST_INVITE_EXPIRED`
 */
export function readInvite(
  path: string,
  content: Uint8Array,
  now: number,
): { invite: Invite; settings: TrustSettings } {
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(content).toString('utf8'));
  } catch {
    // the parser's message may quote a seed
    throw unusable(path, 'it is not a master invitation');
  }
  const { version } = (json ?? {}) as { version?: unknown };
  if (typeof version === 'number' && version > INVITE_VERSION)
    throw unusable(path, `a newer zester made it (format ${version}): install that version`);
  const parsed = v.safeParse(schema, json);
  if (!parsed.success)
    throw unusable(path, `it is not a master invitation (at "${v.getDotPath(parsed.issues[0]) ?? '(top)'}")`);
  const invite = parsed.output;
  if (Date.parse(invite.expiresAt) <= now) {
    throw new TrustError(
      'ERR_TRUST_INVITE_EXPIRED',
      path,
      `${path} expired at ${invite.expiresAt}: run "zester master remove ${invite.name} --now" and ` +
        '"zester master invite" again on a master\'s host; nothing was written',
    );
  }
  return { invite, settings: checkFiles(path, invite, now) };
}

function checkFiles(path: string, { name, files }: Invite, now: number): TrustSettings {
  try {
    const settings = parseSettings('zester.json', Buffer.from(files['zester.json']));
    if (settings.master?.name !== name) throw unusable(path, 'its settings belong to another master');
    const jwts = {
      operatorJwt: files['jwt/operator.jwt'].trim(),
      systemAccountJwt: files['jwt/system.jwt'].trim(),
      accountJwt: files['jwt/account.jwt'].trim(),
    };
    checkJwts(trustPaths('/'), settings, jwts);
    const { operator, systemAccount, account, master, renewal } = settings;
    const identities = [operator.publicKey, systemAccount.publicKey, account.publicKey];
    for (const [file, wanted] of [
      ['keys/operator-signing.seed', operator.signingKey],
      ['keys/peel-signing.seed', account.peelSigningKey],
      ['keys/join-signing.seed', account.joinSigningKey],
      ['keys/system-signing.seed', master.systemSigningKey],
      ['keys/master-signing.seed', renewal?.masterSigningKey],
      ['keys/answers-signing.seed', renewal?.answersSigningKey],
    ] as const) {
      const text = files[file];
      if (text === undefined && wanted === undefined) continue;
      const publicKey = publicKeyFromSeed((text ?? '').trim());
      if (publicKey !== wanted) throw unusable(path, `its ${file} is the seed of a different key`);
      if (identities.includes(publicKey)) throw unusable(path, `its ${file} is the seed of an identity`);
    }
    if (
      renewal !== undefined &&
      endorsedKey(account.publicKey, renewal.endorsements) !== renewal.masterSigningKey
    )
      throw unusable(path, 'the key that signs its master is not endorsed by the account');
    for (const [file, user, of, accountJwt] of [
      ['creds/master.creds', MASTER_NAME, account.publicKey, jwts.accountJwt],
      ['creds/master-answers.creds', MASTER_ANSWERS_NAME, account.publicKey, jwts.accountJwt],
      ['creds/system.creds', SYSTEM_NAME, systemAccount.publicKey, jwts.systemAccountJwt],
    ] as const) {
      const creds = decodeCreds(Buffer.from(files[file]), file);
      creds.wipe();
      if (creds.claims.name !== user || accountOf(creds.claims) !== of)
        throw unusable(path, `its ${file} belongs to another user`);
      validateJwtChain(jwts.operatorJwt, accountJwt, creds.jwt, { now: () => now });
    }
    return settings;
  } catch (cause) {
    if (cause instanceof TrustError && cause.code === 'ERR_TRUST_INVITE') throw cause;
    if (!(cause instanceof ZesterError)) throw cause;
    throw unusable(path, `its content cannot be used (${cause.message})`, cause);
  }
}

/** The error for a file that is not a usable invitation. */
export function unusable(path: string, why: string, cause?: unknown): TrustError {
  return new TrustError(
    'ERR_TRUST_INVITE',
    path,
    `${path} cannot be installed: ${why}; nothing was written`,
    { cause },
  );
}
