// Creates an invitation: an encrypted file with everything that a second master's host needs, except identity seeds.
import {
  changeAccount,
  changeSystemAccount,
  newestClaims,
  newestSystemClaims,
  withOpenHome,
  type ChangeOptions,
  type OpenHome,
} from '../account/change-account.js';
import { identityKey, masterSigner } from '../account/identity-key.js';
import { loadKeyBundleFromFile } from '../creds/load-key-bundle.js';
import { masterSigningKey } from '../permissions/master-roles.js';
import { endorse } from '../trust/keys/endorsements.js';
import { OWN_CREDENTIALS_LIFETIME_SECONDS } from '../timing.js';
import { joinReports } from '../account/join-reports.js';
import { requireComplete, type PushReport } from '../account/push-account.js';
import { formatCreds } from '../creds/format.js';
import { TrustError, UsageError } from '../errors.js';
import { readSmallFile } from '../files/read-small-file.js';
import { createUserJwt, type UserJwtOptions } from '../jwt/user.js';
import type { AccountClaims } from '../jwt/claims.js';
import { signingKeyClaim } from '../jwt/account.js';
import { nowSeconds } from '../jwt/time.js';
import { generateKeyBundle, type KeyBundle } from '../nkeys/key-bundle.js';
import { FIRST_MASTER, isMasterName, withLabel, type MasterLabel } from '../permissions/master-label.js';
import { SYSTEM_NAME } from '../permissions/names.js';
import { masterAnswersUserJwtOptions, masterUserJwtOptions } from '../permissions/roles.js';
import { encrypterFor } from '../provision/sinks/encrypter.js';
import { fileTarget } from '../files/byte-target.js';
import type { TrustDomain } from '../trust/domain.js';
import { joinSigningKey, scopedKeyOf, withSigningKeys } from '../trust/keys/signing-keys.js';
import { withSystemKey } from '../trust/keys/system-key.js';
import type { TrustSettings } from '../trust/settings.js';
import { INVITE_CA, INVITE_VERSION, type Invite } from './invite.js';
import { rosterOf } from './roster.js';
import { ownUsers } from '../trust/own-users.js';
import { excerpt } from '../text/excerpt.js';
import { withoutKeys } from './without-keys.js';

const MAX_CA_BYTES = 1024 * 1024;

/** The options of {@link createInvite}. */
export interface CreateInviteOptions extends ChangeOptions {
  servers: readonly string[];
  /** The new master's name. */
  name: string;
  /** `age1…` keys that can install it, at least one. */
  recipients: readonly string[];
  /** Validity of the invitation, in milliseconds. */
  validMs: number;
  /** The file of the account's identity seed, if it is not in the home. */
  accountSeed?: string | undefined;
}

/** A created invitation. */
export interface CreatedInvite {
  name: string;
  /** ISO 8601. */
  expiresAt: string;
  /** The new master's own signing keys (`A…`). */
  keys: { peelSigning: string; joinSigning: string; systemSigning: string };
  /** Whether it has its own peel signing key; otherwise it shares this home's, since the account's key has no role. */
  ownPeelKey: boolean;
  /** The servers that have its keys. */
  report: PushReport;
}

/** The keys of an invited master. */
interface NewKeys {
  /** undefined: a copy of this home's. */
  peel: KeyBundle | undefined;
  join: KeyBundle;
  system: KeyBundle;
  /** The keys that renew its own credentials; undefined: these do not expire. */
  own: { master: KeyBundle; answers: KeyBundle } | undefined;
  users: { master: KeyBundle; answers: KeyBundle; system: KeyBundle };
}

/**
 * Creates an invitation for a master on another host: creates and pushes the new master's signing keys and users, and
 * writes them with the JWTs and the operator's signing key to a file that is encrypted to the recipients. The file
 * contains no identity seeds.
 *
 * @returns the new keys, and the servers that have them: the file is written only if all servers do
 * @throws UsageError for an invalid name or recipient; TrustError `ERR_TRUST_MASTER` for a name that is taken,
 *   `ERR_TRUST_KEY_OFFLINE` without the key that signs masters; NatsServerError, FileError: no file is written then,
 *   and the new keys are removed from the account again
 */
export async function createInvite(
  home: string,
  path: string,
  options: CreateInviteOptions,
): Promise<CreatedInvite> {
  const { name, recipients, now = Date.now } = options;
  if (!isMasterName(name) || name === FIRST_MASTER)
    throw new UsageError(
      `"${excerpt(name)}" is not a name for a master: use up to 40 lower-case letters, digits and hyphens; "${FIRST_MASTER}" is taken`,
    );
  const encrypter = encrypterFor(recipients);
  return withOpenHome(home, 'zester master invite', options, async (open) => {
    refuseIdentitySigner(open.domain);
    const claims = await newestClaims(open);
    refuseTaken(open.domain, claims, await newestSystemClaims(open), name);
    const signer = await signerOf(open.domain, options.accountSeed);
    const own = scopedKeyOf(home, claims, open.domain.publicKeys.peelSigning);
    const keys = newKeys((own.role ?? '') !== '', open.domain.settings.renewal !== undefined);
    try {
      const target = await fileTarget(path);
      try {
        const label = { name, users: Object.values(keys.users).map(({ publicKey }) => publicKey) };
        const pushed = await addKeys(open, keys, label, options);
        try {
          requireComplete(pushed.report, 'the signing keys of the new master');
          const invite = await inviteOf(open.domain, keys, signer, pushed, options);
          await target.write(await encrypter.encrypt(JSON.stringify(invite)));
          await target.finish();
          return {
            name,
            expiresAt: invite.expiresAt,
            keys: {
              peelSigning: keys.peel?.publicKey ?? own.key,
              joinSigning: keys.join.publicKey,
              systemSigning: keys.system.publicKey,
            },
            ownPeelKey: keys.peel !== undefined,
            report: pushed.report,
          };
        } catch (error) {
          await takeBack(open, keys, now).catch(() => undefined);
          throw error;
        }
      } catch (error) {
        await target.abort();
        throw error;
      }
    } finally {
      wipe(keys);
      signer.key.wipe();
    }
  });
}

/**
 * The key that vouches for a new master: it signs the master's users or, if credentials expire, endorses the key that
 * does.
 */
interface Signer {
  key: KeyBundle;
  /** Its endorsements; undefined: it is the account's identity. */
  endorsements: string | undefined;
}

/** The account's identity if available; otherwise, if credentials expire, the key that signs this home's master. */
async function signerOf(domain: TrustDomain, accountSeed: string | undefined): Promise<Signer> {
  const { renewal } = domain.settings;
  if (renewal === undefined) return { key: await masterSigner(domain, accountSeed), endorsements: undefined };
  const identity = await identityKey(domain, accountSeed);
  if (identity !== undefined) return { key: identity, endorsements: undefined };
  const key = await loadKeyBundleFromFile('account', domain.paths.masterSigningSeed);
  return { key, endorsements: renewal.endorsements };
}

function refuseTaken(
  { home, publicKeys, masterName }: TrustDomain,
  claims: AccountClaims,
  system: AccountClaims,
  name: string,
): void {
  const taken = rosterOf(claims, system, publicKeys.peelSigning).some((entry) => entry.name === name);
  if (!taken && name !== masterName) return;
  throw new TrustError(
    'ERR_TRUST_MASTER',
    home,
    `a master "${name}" already exists: choose another name, or remove it first ("zester master remove ${name}")`,
  );
}

/** An adopted operator may sign with its identity key, which never leaves this home. */
function refuseIdentitySigner({ home, publicKeys }: TrustDomain): void {
  if (publicKeys.operatorSigning !== publicKeys.operator) return;
  throw new TrustError(
    'ERR_TRUST_MASTER',
    home,
    'the operator of this home signs with its identity key, which an invitation never carries: add a signing key first ("zester keys add operator-signing", then "zester keys use")',
  );
}

function newKeys(hasRole: boolean, renews: boolean): NewKeys {
  return {
    own: renews ? { master: generateKeyBundle('account'), answers: generateKeyBundle('account') } : undefined,
    // without a role, other masters would not recognize the key as a peel signing key
    peel: hasRole ? generateKeyBundle('account') : undefined,
    join: generateKeyBundle('account'),
    system: generateKeyBundle('account'),
    users: {
      master: generateKeyBundle('user'),
      answers: generateKeyBundle('user'),
      system: generateKeyBundle('user'),
    },
  };
}

function wipe({ peel, join, system, own, users }: NewKeys): void {
  for (const key of [peel, join, system, own?.master, own?.answers, ...Object.values(users)]) key?.wipe();
}

interface Pushed {
  accountJwt: string;
  systemAccountJwt: string;
  report: PushReport;
}

async function addKeys(
  open: OpenHome,
  { peel, join, system, own }: NewKeys,
  label: MasterLabel,
  { now }: ChangeOptions,
): Promise<Pushed> {
  const { home, publicKeys } = open.domain;
  const account = await changeAccount(
    open,
    (claims) => {
      const like = scopedKeyOf(home, claims, publicKeys.peelSigning);
      const joining = joinSigningKey(join.publicKey);
      const added = [
        ...(peel === undefined
          ? []
          : [{ ...like, key: peel.publicKey, description: withLabel(like.description ?? '', label) }]),
        signingKeyClaim({ ...joining, description: withLabel(joining.description ?? '', label) }),
        ...(own === undefined
          ? []
          : [
              signingKeyClaim(masterSigningKey('master-signing', own.master.publicKey, label)),
              signingKeyClaim(masterSigningKey('answers-signing', own.answers.publicKey, label)),
            ]),
      ];
      return withSigningKeys(claims, added);
    },
    { now },
  );
  const ofSystem = await changeSystemAccount(
    open,
    (claims) => withSystemKey(claims, system.publicKey, label),
    now,
  );
  return {
    accountJwt: account.jwt,
    systemAccountJwt: ofSystem.jwt,
    report: joinReports(account.report, ofSystem.report),
  };
}

async function takeBack(
  open: OpenHome,
  { peel, join, system, own }: NewKeys,
  now: () => number,
): Promise<void> {
  const at = nowSeconds(now);
  const ofAccount = [peel, join, own?.master, own?.answers].flatMap((key) => key?.publicKey ?? []);
  await changeAccount(open, (claims) => withoutKeys(claims, ofAccount, at), { now });
  await changeSystemAccount(open, (claims) => withoutKeys(claims, [system.publicKey], at), now);
}

async function inviteOf(
  domain: TrustDomain,
  keys: NewKeys,
  signer: Signer,
  { accountJwt, systemAccountJwt }: Pushed,
  options: CreateInviteOptions,
): Promise<Invite> {
  const { name, validMs, now = Date.now } = options;
  const { account, systemAccount } = domain.publicKeys;
  const { own } = keys;
  const lifetime = domain.settings.renewal?.lifetime;
  const time = { now, ...(lifetime !== undefined && { expiry: lifetime }) };
  const ofAccount = own === undefined ? time : { ...time, scoped: true };
  const createdAt = now();
  const ca = domain.tls?.caFile;
  return {
    format: 'zester-master-invite',
    version: INVITE_VERSION,
    name,
    createdAt: new Date(createdAt).toISOString(),
    expiresAt: new Date(createdAt + validMs).toISOString(),
    files: {
      'zester.json': `${JSON.stringify(await settingsOf(domain, keys, signer, options), null, 2)}\n`,
      'jwt/operator.jwt': `${domain.operatorJwt}\n`,
      'jwt/system.jwt': `${systemAccountJwt}\n`,
      'jwt/account.jwt': `${accountJwt}\n`,
      'keys/operator-signing.seed': await seedOf(domain.operatorSigningKey()),
      'keys/peel-signing.seed': await seedOf(keys.peel ?? domain.peelSigner()),
      'keys/join-signing.seed': await seedOf(keys.join),
      'keys/system-signing.seed': await seedOf(keys.system),
      ...(own !== undefined && {
        'keys/master-signing.seed': await seedOf(own.master),
        'keys/answers-signing.seed': await seedOf(own.answers),
      }),
      'creds/master.creds': credsOf(
        keys.users.master,
        own?.master ?? signer.key,
        masterUserJwtOptions(account, ofAccount),
      ),
      'creds/master-answers.creds': credsOf(
        keys.users.answers,
        own?.answers ?? signer.key,
        masterAnswersUserJwtOptions(account, ofAccount),
      ),
      'creds/system.creds': credsOf(keys.users.system, keys.system, {
        name: SYSTEM_NAME,
        issuerAccount: systemAccount,
        scoped: true,
        ...time,
      }),
      ...(ca !== undefined && {
        [INVITE_CA]: Buffer.from(await readSmallFile(ca, MAX_CA_BYTES)).toString('utf8'),
      }),
    },
  };
}

async function settingsOf(
  domain: TrustDomain,
  { peel, join, system, own }: NewKeys,
  signer: Signer,
  { name, servers, requireTls, now = Date.now }: CreateInviteOptions,
): Promise<TrustSettings> {
  const { version, operator, systemAccount, account, knownMasters, ...rest } = domain.settings;
  return {
    version,
    createdAt: new Date(now()).toISOString(),
    operator,
    systemAccount,
    account: {
      name: account.name,
      publicKey: account.publicKey,
      peelSigningKey: peel?.publicKey ?? account.peelSigningKey,
      joinSigningKey: join.publicKey,
    },
    servers: [...servers],
    // a client's certificate and key belong to each host
    ...(rest.tls?.caFile !== undefined && { tls: { caFile: INVITE_CA } }),
    requireTls: requireTls ?? domain.requireTls,
    ...(own !== undefined && {
      renewal: {
        masterSigningKey: own.master.publicKey,
        answersSigningKey: own.answers.publicKey,
        systemSigningKey: system.publicKey,
        endorsements: endorse(signer.key, account.publicKey, own.master.publicKey, signer.endorsements),
        lifetime: domain.settings.renewal?.lifetime ?? OWN_CREDENTIALS_LIFETIME_SECONDS,
      },
    }),
    master: { name, systemSigningKey: system.publicKey, untold: true },
    knownMasters: { ...knownMasters, [domain.masterName]: await ownUsers(domain.paths) },
  };
}

/** The text of a seed, as in a file of the home. */
async function seedOf(given: KeyBundle | Promise<KeyBundle>): Promise<string> {
  const key = await given;
  const seed = key.seed;
  const text = `${Buffer.from(seed).toString('latin1')}\n`;
  seed.fill(0);
  // a seed that was loaded for this is no longer needed
  if (given instanceof Promise) key.wipe();
  return text;
}

function credsOf(user: KeyBundle, signer: KeyBundle, options: UserJwtOptions): string {
  const seed = user.seed;
  const content = formatCreds(createUserJwt(user, signer, options), seed);
  try {
    return Buffer.from(content).toString('utf8');
  } finally {
    seed.fill(0);
    content.fill(0);
  }
}
