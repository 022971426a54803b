// Adds the signing keys that renew a home's own credentials, which expire from then on.
import {
  changeAccount,
  changeSystemAccount,
  connectedTo,
  withOpenHome,
  type ChangeOptions,
  type OpenHome,
} from '../account/change-account.js';
import { requireIdentityKey } from '../account/identity-key.js';
import { revokeReplaced, waitUntilUnused } from '../account/migrate.js';
import { joinReports } from '../account/join-reports.js';
import { requireComplete, type PushReport } from '../account/push-account.js';
import { loadKeyBundleFromFile } from '../creds/load-key-bundle.js';
import { loadCredsFile } from '../creds/parse.js';
import { TrustError } from '../errors.js';
import { signingKeyClaim } from '../jwt/account.js';
import { mergeRevocations } from '../jwt/revocations.js';
import { generateKeyBundle, type KeyBundle } from '../nkeys/key-bundle.js';
import { masterSigningKeys } from '../permissions/master-roles.js';
import { connectSystem } from '../system-account/system-connection.js';
import { CREDENTIAL_CHANGE_TIMEOUT_MS, OWN_CREDENTIALS_LIFETIME_SECONDS } from '../timing.js';
import { signingKeyOf } from '../trust/create/adopt.js';
import type { TrustDomain } from '../trust/domain.js';
import { withSigningKeys } from '../trust/keys/signing-keys.js';
import { withSystemKey } from '../trust/keys/system-key.js';
import { openTrustDomain } from '../trust/open.js';
import { ownCreds, renew, type RenewedCreds } from '../trust/own-creds.js';
import { ownRenewal, type OwnKeys } from '../trust/own-renewal.js';
import { checkSecretFile, pathExists } from '../trust/private-files.js';
import { readSettings, writeSettings } from '../trust/settings.js';
import { ownUsers } from '../trust/own-users.js';

/** The options of {@link addMasterKeys}. */
export interface AddMasterKeysOptions extends ChangeOptions {
  servers: readonly string[];
  /** The file of the account's identity seed, if it is not in the home. */
  accountSeed?: string | undefined;
  /** Credential lifetime in seconds; 90 days by default. */
  lifetime?: number | undefined;
  /** Maximum wait for masters to use their new credentials, in milliseconds; 20,000 by default. */
  masterWaitMs?: number;
}

/** The result of {@link addMasterKeys}. */
export interface AddedMasterKeys {
  /** The keys that sign the home's credentials from now on (`A…`). */
  keys: OwnKeys;
  renewed: RenewedCreds[];
  report: PushReport;
  /** Public keys of credentials whose old JWT is still in use, and so not revoked yet. */
  stillUsed: string[];
}

type Keys = Record<'master-signing' | 'answers-signing' | 'system-signing', KeyBundle> & {
  'admin-signing': KeyBundle | undefined;
};

/**
 * Adds the signing keys of the home's own master and admin, which the account's identity key endorses once, pushes
 * them, and signs the home's credentials with them: these expire from then on, and renew themselves while in use. The
 * previous JWTs are revoked once unused. If interrupted, call it again to complete it.
 *
 * Peels of an earlier version do not trust a master with such credentials: upgrade them all first.
 *
 * @throws TrustError `ERR_TRUST_SIGNING_KEY` when the home has such keys, `ERR_TRUST_KEY_OFFLINE` without the identity
 *   seed; NatsServerError when a server did not confirm: the old credentials stay
 */
export async function addMasterKeys(home: string, options: AddMasterKeysOptions): Promise<AddedMasterKeys> {
  return withOpenHome(home, 'zester keys add', options, async (open) => {
    const { domain } = open;
    if (domain.settings.renewal !== undefined)
      throw new TrustError(
        'ERR_TRUST_SIGNING_KEY',
        home,
        'this home has signing keys for its own credentials already: see "zester keys list"; "zester creds renew" renews the credentials',
      );
    const identity = await requireIdentityKey(
      domain,
      options.accountSeed,
      'it endorses the key that signs masters',
    );
    const keys = await seedsOf(domain).catch((error: unknown) => {
      identity.wipe();
      throw error;
    });
    try {
      const report = await pushKeys(open, keys, options);
      requireComplete(report, "the signing keys of the home's credentials");
      await switchOver(domain, keys, identity, options);
      const next = await openTrustDomain(home);
      const renewed: RenewedCreds[] = [];
      for (const one of ownCreds(next)) renewed.push(await renew(next, one, options.now ?? Date.now));
      const stillUsed = [
        ...(await revokeReplaced({ ...open, domain: next }, options)),
        ...(await revokeSystem({ ...open, domain: next }, renewed, options)),
      ];
      return { keys: publicKeysOf(keys), renewed, report, stillUsed };
    } finally {
      identity.wipe();
      for (const key of Object.values(keys)) key?.wipe();
    }
  });
}

/** The keys that an interrupted call left behind, or new ones. */
async function seedsOf({ paths }: TrustDomain): Promise<Keys> {
  const key = async (path: string): Promise<KeyBundle> => {
    if (checkSecretFile(path)) return loadKeyBundleFromFile('account', path);
    const made = generateKeyBundle('account');
    await made.saveSeedToFile(path);
    return made;
  };
  return {
    'master-signing': await key(paths.masterSigningSeed),
    'answers-signing': await key(paths.answersSigningSeed),
    'system-signing': await key(paths.systemSigningSeed),
    'admin-signing': pathExists(paths.adminCreds) ? await key(paths.adminSigningSeed) : undefined,
  };
}

function publicKeysOf(keys: Keys): OwnKeys {
  const admin = keys['admin-signing']?.publicKey;
  return {
    'master-signing': keys['master-signing'].publicKey,
    'answers-signing': keys['answers-signing'].publicKey,
    'system-signing': keys['system-signing'].publicKey,
    ...(admin !== undefined && { 'admin-signing': admin }),
  };
}

async function pushKeys(open: OpenHome, keys: Keys, { now }: ChangeOptions): Promise<PushReport> {
  const { domain } = open;
  const label = { name: domain.masterName, users: await ownUsers(domain.paths) };
  const ofAccount = await changeAccount(
    open,
    (claims) => {
      const added = masterSigningKeys(publicKeysOf(keys), label).filter(
        ({ publicKey }) => signingKeyOf(claims, publicKey) === undefined,
      );
      return added.length === 0 ? claims : withSigningKeys(claims, added.map(signingKeyClaim));
    },
    { now },
  );
  const system = keys['system-signing'].publicKey;
  const ofSystem = await changeSystemAccount(
    open,
    (claims) => (signingKeyOf(claims, system) === undefined ? withSystemKey(claims, system, label) : claims),
    now,
  );
  return joinReports(ofAccount.report, ofSystem.report);
}

/**
 * Records the keys and the JWTs to revoke in the settings before the JWTs are replaced; recording early is harmless.
 */
async function switchOver(
  { paths, publicKeys }: TrustDomain,
  keys: Keys,
  identity: KeyBundle,
  { lifetime = OWN_CREDENTIALS_LIFETIME_SECONDS }: AddMasterKeysOptions,
): Promise<void> {
  const settings = await readSettings(paths.settings);
  const replacedJwts = { ...settings.replacedJwts };
  for (const path of [paths.masterCreds, paths.masterAnswersCreds, paths.adminCreds]) {
    if (!pathExists(path)) continue;
    const creds = await loadCredsFile(path);
    creds.wipe();
    replacedJwts[creds.publicKey] = creds.claims.iat;
  }
  await writeSettings(paths.settings, {
    ...settings,
    replacedJwts,
    renewal: ownRenewal(publicKeysOf(keys), { identity, account: publicKeys.account, lifetime }),
  });
}

/**
 * Revokes the old JWT of the home's system account user, once only this command uses it.
 *
 * @returns the user's key if the old JWT is still in use
 */
async function revokeSystem(
  { domain, connected }: OpenHome,
  renewed: readonly RenewedCreds[],
  { servers, tls, requireTls, now, masterWaitMs = CREDENTIAL_CHANGE_TIMEOUT_MS }: AddMasterKeysOptions,
): Promise<string[]> {
  const system = renewed.find(({ user }) => user === 'system');
  if (system?.replaced === undefined) return [];
  const { publicKey, replaced } = system;
  const { systemAccount } = domain.publicKeys;
  const unused = await waitUntilUnused(connected, systemAccount, [[publicKey, replaced]], masterWaitMs);
  if (!unused.has(publicKey)) return [publicKey];
  // connect as its new user: the push cuts the current connection
  const nc = await connectSystem(domain, { servers, tls, requireTls });
  try {
    const again = await connectedTo(nc, servers);
    await changeSystemAccount(
      { domain, connected: again },
      (claims) => mergeRevocations(claims, { [publicKey]: replaced }),
      now,
    );
  } finally {
    await nc.close();
  }
  return [];
}
