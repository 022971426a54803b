// Adds, switches and removes the signing keys of the operator and the account.
import { unlink } from 'node:fs/promises';
import { loadKeyBundleFromFile } from '../creds/load-key-bundle.js';
import { NatsServerError, TrustError } from '../errors.js';
import { writeSecretFile } from '../files/write-secret-file.js';
import type { AccountClaims } from '../jwt/claims.js';
import { nowSeconds, type Clock } from '../jwt/time.js';
import { decodeAccountJwt, decodeOperatorJwt } from '../jwt/decode.js';
import { revisedAccount } from '../jwt/revise-account.js';
import { reviseOperatorJwt } from '../jwt/revise-operator.js';
import type { ScopedSigningKey } from '../jwt/account.js';
import { generateKeyBundle } from '../nkeys/key-bundle.js';
import { labelOf, withLabel } from '../permissions/master-label.js';
import { historyOf, withRemoved } from '../trust/account-jwt/account-history.js';
import { signingKeyOf } from '../trust/create/adopt.js';
import type { TrustDomain } from '../trust/domain.js';
import { holdsSeedOf } from '../trust/keys/key-list.js';
import type { KeyRemoval } from '../trust/keys/key-removal.js';
import { withHomeLock } from '../trust/lock.js';
import { openTrustDomain } from '../trust/open.js';
import { addedSeedPath, type AccountKeyKind, type SigningKeyKind } from '../trust/paths.js';
import { checkSecretFile } from '../trust/private-files.js';
import { writeSettings, type TrustSettings } from '../trust/settings.js';
import { signingSeedPath } from '../trust/keys/signing-seed.js';
import {
  isJoinIssuer,
  joinSigningKey,
  kindOfSigningKey,
  withoutAccountSigningKey,
  withSigningKeyLike,
} from '../trust/keys/signing-keys.js';
import { requestAll, jsonOf } from '../system-account/request-all.js';
import {
  changeAccount,
  changeSystemAccount,
  withOpenHome,
  type AccountChange,
  type ChangeOptions,
  type Connected,
  type OpenHome,
} from './change-account.js';
import { signingKeyBan } from './ban.js';
import { lockOut } from './lock-out.js';
import { joinReports } from './join-reports.js';
import { isComplete, withFailed } from './push-account.js';
import { excerpt } from '../text/excerpt.js';
import { SERVER_STATE_STALL_MS, SERVER_STATE_TIMEOUT_MS } from '../timing.js';

/** A signing key that was added to the account. */
export interface AddedSigningKey extends AccountChange {
  /** `A…`. */
  publicKey: string;
  /** Whether it signs from now on; not while a server has not confirmed. */
  inUse: boolean;
}

/**
 * Adds a signing key for peels or join tokens, keeps the old ones, and pushes it: for peels with the same template,
 * for join tokens with the standard one. Once every server has confirmed, it signs new credentials; those that the
 * old key signed stay valid until {@link removeAccountSigningKey}.
 *
 * @throws as `changeAccount`
 */
export async function addAccountSigningKey(
  home: string,
  kind: AccountKeyKind,
  options: ChangeOptions,
): Promise<AddedSigningKey> {
  return withOpenHome(home, 'zester keys add', options, async (open) => {
    const { domain } = open;
    if (kind === 'join-signing' && domain.publicKeys.joinSigning === undefined) {
      return addFirstJoinKey(open, options.now);
    }
    const key = generateKeyBundle('account');
    const { publicKey } = key;
    const seedPath = addedSeedPath(domain.paths, kind, publicKey);
    try {
      await key.saveSeedToFile(seedPath);
      let change: AccountChange;
      try {
        change = await changeAccount(
          open,
          (claims) =>
            kind === 'join-signing'
              ? revisedAccount(claims, { signingKeys: { add: [ownJoinKey(domain, claims, publicKey)] } })
              : withSigningKeyLike(home, claims, domain.publicKeys.peelSigning, publicKey),
          { now: options.now },
        );
      } catch (error) {
        await unlink(seedPath).catch(() => undefined);
        throw error;
      }
      if (change.report?.confirmed.length === 0) {
        await unlink(seedPath);
        return { ...change, publicKey, inUse: false };
      }
      const inUse = change.report === undefined || isComplete(change.report);
      await saveSettings(domain, options.now, publicKey, (settings) =>
        inUse ? signingWith(settings, kind, publicKey) : settings,
      );
      return { ...change, publicKey, inUse };
    } finally {
      key.wipe();
    }
  });
}

/** A signing key for join tokens, with the label of the one that it replaces. */
function ownJoinKey({ publicKeys }: TrustDomain, claims: AccountClaims, publicKey: string): ScopedSigningKey {
  const key = joinSigningKey(publicKey);
  const before = signingKeyOf(claims, publicKeys.joinSigning ?? '');
  const label = typeof before === 'object' ? labelOf(before.description) : undefined;
  return label === undefined ? key : { ...key, description: withLabel(key.description ?? '', label) };
}

/**
 * Gives a home that predates join tokens a signing key for them: the seed, the key in the account, pushed, and
 * `zester.json`, in this order. If it is interrupted at any point, or a server did not answer, the next call
 * completes it with the same key.
 */
async function addFirstJoinKey(open: OpenHome, now: Clock | undefined): Promise<AddedSigningKey> {
  const { domain } = open;
  refuseJoinRole(domain, domain.accountClaims);
  const publicKey = await firstJoinSeed(domain);
  const change = await changeAccount(
    open,
    (claims) => {
      refuseJoinRole(domain, claims); // the servers' may be newer if an earlier call was interrupted after the push
      return isJoinIssuer(claims, publicKey)
        ? claims
        : revisedAccount(claims, { signingKeys: { add: [joinSigningKey(publicKey)] } });
    },
    { now },
  );
  // a server that does not know it yet gets it from the others; a token that it refuses is retried
  const inUse = change.report === undefined || change.report.confirmed.length > 0;
  if (inUse) {
    await saveSettings(domain, now, publicKey, (settings) =>
      signingWith(settings, 'join-signing', publicKey),
    );
  }
  return { ...change, domain: await openTrustDomain(domain.home), publicKey, inUse };
}

/** The seed that an interrupted call left, or a new one. @returns the public key */
async function firstJoinSeed({ paths }: TrustDomain): Promise<string> {
  const exists = checkSecretFile(paths.joinSigningSeed);
  const key = exists
    ? await loadKeyBundleFromFile('account', paths.joinSigningSeed)
    : generateKeyBundle('account');
  try {
    if (!exists) await key.saveSeedToFile(paths.joinSigningSeed);
    return key.publicKey;
  } finally {
    key.wipe();
  }
}

/** Roles distinguish peels from join tokens, and an adopted account may have used this name for its peels. */
function refuseJoinRole({ home, publicKeys }: TrustDomain, claims: AccountClaims): void {
  if (!isJoinIssuer(claims, publicKeys.peelSigning)) return;
  throw new TrustError(
    'ERR_TRUST_SIGNING_KEY',
    home,
    `the signing key of the peels ${publicKeys.peelSigning} has the role that is reserved for signing keys of join tokens: ` +
      'give it the role "peel" with the tool that created the account, and push it',
  );
}

/**
 * Uses an added signing key for new peels or new join tokens.
 *
 * @returns what it signs
 * @throws TrustError `ERR_TRUST_SIGNING_KEY`, `ERR_TRUST_KEY_OFFLINE` when its seed is not in the home
 */
export async function useAccountSigningKey(home: string, publicKey: string): Promise<AccountKeyKind> {
  return withHomeLock(home, 'zester keys use', async () => {
    const domain = await openTrustDomain(home);
    const kind = kindOfSigningKey(domain.accountClaims, publicKey, domain.publicKeys.peelSigning);
    if (kind === undefined) throw noSuchKey(home, publicKey);
    const path = signingSeedPath(domain.paths, kind, publicKey);
    if (!(await holdsSeedOf(path, 'account', publicKey))) {
      throw new TrustError(
        'ERR_TRUST_KEY_OFFLINE',
        path,
        `${publicKey} cannot sign here: its seed is not in the home; put it at ${addedSeedPath(domain.paths, kind, publicKey)}`,
      );
    }
    await saveSettings(domain, undefined, undefined, (settings) => signingWith(settings, kind, publicKey));
    return kind;
  });
}

/**
 * Removes a signing key for peels or join tokens from the account, and pushes. Users that it signed are cut off;
 * connections that a server leaves open are kicked. Deletes the seed once every server has confirmed. Called again,
 * it resumes.
 *
 * @param removal the permission to remove it: see `KeyRemoval`
 * @returns which servers confirmed, and have no connected user that the key signed: see `requireComplete`
 * @throws TrustError `ERR_TRUST_SIGNING_KEY` also for one in use; as `changeAccount`
 */
export async function removeAccountSigningKey(
  home: string,
  publicKey: string,
  removal: KeyRemoval,
  options: ChangeOptions,
): Promise<AccountChange> {
  removal.require(home, [publicKey]);
  return withOpenHome(home, 'zester keys remove', options, async (open) => {
    const { domain, connected } = open;
    refuseInUse(domain, publicKey);
    const change = await changeAccount(
      open,
      (claims) => {
        // already removed by an earlier call that did not reach every server
        if (signingKeyOf(claims, publicKey) === undefined && historyOf(claims).removed.has(publicKey)) {
          return claims;
        }
        const without = withoutAccountSigningKey(home, claims, publicKey);
        return withRemoved(claims, without, [publicKey], nowSeconds(options.now));
      },
      { now: options.now },
    );
    const done = await lockOutUsersOf(connected, domain, [publicKey], change);
    if (done.report === undefined || isComplete(done.report)) await removeAccountSeed(domain, publicKey);
    return done;
  });
}

/**
 * Locks out the users that removed signing keys signed.
 *
 * @returns the change; servers where such a user is still connected count as failed
 */
export async function lockOutUsersOf<T extends Pick<AccountChange, 'report' | 'jwt'>>(
  connected: Connected | undefined,
  domain: TrustDomain,
  publicKeys: readonly string[],
  change: T,
): Promise<T> {
  const { report, jwt } = change;
  if (connected === undefined || report === undefined || publicKeys.length === 0) return change;
  const pushed = { jwt, confirmed: report.confirmed };
  const { lacking, occupied } = await lockOut(connected, domain, signingKeyBan(publicKeys), pushed);
  return { ...change, report: withFailed(report, [...lacking, ...occupied]) };
}

/** @throws TrustError `ERR_TRUST_SIGNING_KEY` when the key signs new credentials */
export function refuseInUse({ home, publicKeys }: TrustDomain, publicKey: string): void {
  const { peelSigning, joinSigning } = publicKeys;
  if (publicKey === peelSigning) throw stillInUse(home, publicKey, 'zester keys add peel-signing');
  if (publicKey === joinSigning) throw stillInUse(home, publicKey, 'zester keys add join-signing');
}

function signingWith(settings: TrustSettings, kind: AccountKeyKind, publicKey: string): TrustSettings {
  const name = kind === 'peel-signing' ? 'peelSigningKey' : 'joinSigningKey';
  return { ...settings, account: { ...settings.account, [name]: publicKey } };
}

/**
 * Adds a signing key to the operator, and keeps the old ones. Servers know it once they run with the new operator
 * JWT; until then, {@link useOperatorSigningKey} refuses. Needs the operator's identity seed.
 *
 * @returns the public key (`O…`)
 * @throws TrustError `ERR_TRUST_KEY_OFFLINE`; FileError
 */
export async function addOperatorSigningKey(home: string, options: { now?: Clock } = {}): Promise<string> {
  return withHomeLock(home, 'zester keys add', async () => {
    const domain = await openTrustDomain(home);
    const identity = await domain.operatorKey();
    const key = generateKeyBundle('operator');
    try {
      await key.saveSeedToFile(addedSeedPath(domain.paths, 'operator-signing', key.publicKey));
      const jwt = reviseOperatorJwt(domain.operatorJwt, identity, {
        signingKeys: { add: [key.publicKey] },
        ...options,
      });
      await saveSettings(domain, options.now, key.publicKey, (settings) => settings);
      await writeSecretFile(domain.paths.operatorJwt, Buffer.from(`${jwt}\n`));
      return key.publicKey;
    } finally {
      key.wipe();
      identity.wipe();
    }
  });
}

/**
 * Signs the accounts with another signing key of the operator, pushes them, and uses it from then on.
 *
 * @throws NatsServerError `ERR_NATS_SERVER_OPERATOR_OUTDATED` when a server does not know the key yet; TrustError
 *   `ERR_TRUST_SIGNING_KEY`; as `changeAccount`
 */
export async function useOperatorSigningKey(
  home: string,
  publicKey: string,
  options: ChangeOptions,
): Promise<AccountChange> {
  return withOpenHome(home, 'zester keys use', options, async (open) => {
    const { domain, connected } = open;
    if (!(decodeOperatorJwt(domain.operatorJwt).nats.signing_keys ?? []).includes(publicKey)) {
      throw noSuchKey(home, publicKey);
    }
    if (connected !== undefined) await requireOperatorKey(connected, domain, publicKey);
    return signAccountsWith(open, publicKey, options.now);
  });
}

async function signAccountsWith(
  open: OpenHome,
  publicKey: string,
  now: Clock | undefined,
): Promise<AccountChange> {
  const { domain } = open;
  const next = domain.withOperatorSigningKey(publicKey);
  const { report: pushed } = await changeSystemAccount(
    { ...open, domain: next },
    (claims) => ({ ...claims }),
    now,
  );
  // a copy of the claims counts as a change: the same object would not be signed again
  const change = await changeAccount({ ...open, domain: next }, (claims) => ({ ...claims }), { now });
  if (change.report === undefined || change.report.confirmed.length > 0) {
    await saveSettings(domain, now, undefined, (settings) => ({
      ...settings,
      operator: { ...settings.operator, signingKey: publicKey },
    }));
  }
  return { ...change, report: change.report && joinReports(change.report, pushed) };
}

/**
 * Removes a signing key from the operator. Servers trust it until they run with the new operator JWT. Needs the
 * operator's identity seed.
 *
 * @throws TrustError `ERR_TRUST_SIGNING_KEY` also for the one in use, `ERR_TRUST_KEY_OFFLINE`
 */
export async function removeOperatorSigningKey(
  home: string,
  publicKey: string,
  options: { now?: Clock } = {},
): Promise<void> {
  await withHomeLock(home, 'zester keys remove', async () => {
    const domain = await openTrustDomain(home);
    const signs = [domain.accountJwt, domain.systemAccountJwt].map((jwt) => decodeAccountJwt(jwt).iss);
    if (publicKey === domain.publicKeys.operatorSigning || signs.includes(publicKey)) {
      throw stillInUse(home, publicKey, 'zester keys use O…');
    }
    if (!(decodeOperatorJwt(domain.operatorJwt).nats.signing_keys ?? []).includes(publicKey)) {
      throw noSuchKey(home, publicKey);
    }
    const identity = await domain.operatorKey();
    try {
      const jwt = reviseOperatorJwt(domain.operatorJwt, identity, {
        signingKeys: { remove: [publicKey] },
        ...options,
      });
      await writeSecretFile(domain.paths.operatorJwt, Buffer.from(`${jwt}\n`));
    } finally {
      identity.wipe();
    }
    await removeSeed(domain, 'operator-signing', publicKey);
  });
}

/**
 * Checks that every responding server runs with an operator JWT that names this signing key.
 *
 * @throws NatsServerError `ERR_NATS_SERVER_OPERATOR_OUTDATED`, which names those that do not
 */
async function requireOperatorKey(
  { nc, up, down }: Connected,
  domain: TrustDomain,
  publicKey: string,
): Promise<void> {
  const answers = await requestAll(nc, '$SYS.REQ.SERVER.PING.VARZ', '', (all) => all.length >= up.length, {
    maxWait: SERVER_STATE_TIMEOUT_MS,
    stall: SERVER_STATE_STALL_MS,
  });
  const known = new Map(
    answers.map((answer) => {
      const { server, data } =
        jsonOf<{ server?: { id?: string }; data?: { trusted_operators_jwt?: string[] } }>(answer) ?? {};
      return [server?.id, (data?.trusted_operators_jwt ?? []).some((jwt) => names(jwt, publicKey))];
    }),
  );
  const outdated = [
    ...up.filter(({ id }) => known.get(id) !== true).map(({ name }) => name),
    ...(await down()),
  ];
  if (outdated.length === 0) return;
  throw new NatsServerError(
    'ERR_NATS_SERVER_OPERATOR_OUTDATED',
    `${outdated.join(', ')} ${outdated.length === 1 ? 'does' : 'do'} not know the signing key ${publicKey} yet, or cannot be ` +
      `queried: give each server the operator JWT in ${domain.paths.operatorJwt} ("zester server config" prints the ` +
      'configuration), restart one after the other, and try again',
  );
}

function names(operatorJwt: string, publicKey: string): boolean {
  try {
    return (decodeOperatorJwt(operatorJwt).nats.signing_keys ?? []).includes(publicKey);
  } catch {
    return false;
  }
}

async function saveSettings(
  domain: TrustDomain,
  now: Clock = Date.now,
  added: string | undefined,
  change: (settings: TrustSettings) => TrustSettings,
): Promise<void> {
  const { settings } = domain;
  const keysAdded =
    added === undefined
      ? settings.keysAdded
      : { ...settings.keysAdded, [added]: new Date(now()).toISOString() };
  await writeSettings(domain.paths.settings, change({ ...settings, ...(keysAdded && { keysAdded }) }));
}

/** Deletes a seed if it is in the home: its file may be missing, or contain another key. */
async function removeSeed(domain: TrustDomain, kind: SigningKeyKind, publicKey: string): Promise<void> {
  const path = signingSeedPath(domain.paths, kind, publicKey);
  if (await holdsSeedOf(path, kind === 'operator-signing' ? 'operator' : 'account', publicKey))
    await unlink(path);
}

async function removeAccountSeed(domain: TrustDomain, publicKey: string): Promise<void> {
  await removeSeed(domain, 'peel-signing', publicKey);
  await removeSeed(domain, 'join-signing', publicKey);
}

function noSuchKey(home: string, publicKey: string): TrustError {
  return new TrustError(
    'ERR_TRUST_SIGNING_KEY',
    home,
    `${excerpt(publicKey)} is not a signing key of this home: see "zester keys list"`,
  );
}

function stillInUse(home: string, publicKey: string, how: string): TrustError {
  return new TrustError(
    'ERR_TRUST_SIGNING_KEY',
    home,
    `${publicKey} is in use: switch to another key first ("${how}")`,
  );
}
