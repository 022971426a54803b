// Changes the fleet's account: locks the home, takes the newest JWT, signs it, pushes it.
import type { NatsConnection } from '@nats-io/transport-node';
import { writeSecretFile } from '../files/write-secret-file.js';
import { TrustError } from '../errors.js';
import type { AccountClaims } from '../jwt/claims.js';
import { decodeAccountJwt } from '../jwt/decode.js';
import { resignDecodedAccount } from '../jwt/resign.js';
import { nowSeconds, type Clock } from '../jwt/time.js';
import type { KeyBundle } from '../nkeys/key-bundle.js';
import {
  comesAfter,
  historyOf,
  withHistory,
  withRemoved,
  withSequence,
  widerClearance,
} from '../trust/account-jwt/account-history.js';
import type { TrustDomain } from '../trust/domain.js';
import type { KeyRemoval } from '../trust/keys/key-removal.js';
import { withHomeLock, type HomeLockOptions } from '../trust/lock.js';
import {
  isNone,
  mergeAccountClaims,
  mergedHistory,
  NOTHING_LOST,
  removedBy,
  type AccountLosses,
} from '../trust/account-jwt/merge-account.js';
import { openTrustDomain } from '../trust/open.js';
import { keepReplaced } from '../trust/account-jwt/replaced-accounts.js';
import { heldAccountJwts, type HeldJwt } from './held-account.js';
import { pushToServers, type PushReport } from './push-account.js';
import { downServers, listServers, type ServerInfo } from '../system-account/servers.js';
import { connectSystem, type SystemConnectionOptions } from '../system-account/system-connection.js';
import { unreachableUrls } from '../system-account/unreachable-urls.js';

/** How the account of a home is changed. */
export interface ChangeOptions extends Omit<SystemConnectionOptions, 'servers'>, HomeLockOptions {
  /** The servers to push to. `false`: none; only the home is changed, and `pushAccount` pushes it later. */
  servers: readonly string[] | false;
  now?: Clock;
  /** Called before the push with what the servers' account JWT had lost and is restored. */
  onRestored?: (restored: AccountLosses) => void;
  /** Takes what the newest account JWT lacks as taken away on purpose, signing keys that were judged only. */
  acceptRemovals?: KeyRemoval;
  /** Account JWTs that neither the home nor a server may hold any more, such as a backup's: no revocation of theirs is lost. */
  alsoHeld?: readonly HeldJwt[];
}

/** What came of a change. */
export interface AccountChange {
  domain: TrustDomain;
  /** The account JWT now, and its claims. */
  jwt: string;
  claims: AccountClaims;
  /** undefined: it was not pushed. */
  report: PushReport | undefined;
  /** What the newest account JWT had lost, because another tool signed an older state, and has again. */
  restored: AccountLosses;
  /** Whether the servers had a newer one than the home. */
  tookOver: boolean;
}

/** A connection of the system account. */
export interface Connected {
  nc: NatsConnection;
  /** The servers that answer. */
  up: readonly ServerInfo[];
  /** Names and URLs of servers of the cluster that did not. It may take some seconds to find them. */
  down(): Promise<string[]>;
}

/** A home that is locked, open and connected to its servers, for as long as a command works on it. */
export interface OpenHome {
  domain: TrustDomain;
  /** undefined: without servers. */
  connected: Connected | undefined;
  onRestored?: ((restored: AccountLosses) => void) | undefined;
  acceptRemovals?: KeyRemoval | undefined;
  alsoHeld?: readonly HeldJwt[] | undefined;
}

/**
 * Opens a home for a change: locked, and connected to its servers unless told otherwise.
 *
 * @param what what is done, such as `zester revoke`
 * @throws TrustError; NatsServerError as `connectSystem` and `listServers`
 */
export function withOpenHome<T>(
  home: string,
  what: string,
  options: ChangeOptions,
  fn: (open: OpenHome) => Promise<T>,
): Promise<T> {
  return withHomeLock(home, what, () => withConnectedHome(home, options, fn), options);
}

/** As {@link withOpenHome}, without the lock: to look and not to change. */
export async function withConnectedHome<T>(
  home: string,
  options: ChangeOptions,
  fn: (open: OpenHome) => Promise<T>,
): Promise<T> {
  const domain = await openTrustDomain(home);
  const { servers: urls, onRestored, acceptRemovals, alsoHeld } = options;
  if (urls === false) return fn({ domain, connected: undefined, onRestored, acceptRemovals, alsoHeld });
  const standing = await connectedByStanding(options, urls);
  if (standing !== undefined) {
    return fn({ domain, connected: standing, onRestored, acceptRemovals, alsoHeld });
  }
  const nc = await connectSystem(domain, { ...options, servers: urls });
  try {
    return await fn({ domain, connected: await connectedTo(nc, urls), onRestored, acceptRemovals, alsoHeld });
  } finally {
    await nc.close();
  }
}

/** undefined: there is none, or no server answers over it, such as one that was stopped. */
async function connectedByStanding(
  { standing }: ChangeOptions,
  urls: readonly string[],
): Promise<Connected | undefined> {
  const nc = standing?.();
  if (nc === undefined) return undefined;
  try {
    return await connectedTo(nc, urls);
  } catch {
    return undefined;
  }
}

/** What a connection of the system account reaches. @throws as `listServers` */
export async function connectedTo(nc: NatsConnection, urls: readonly string[]): Promise<Connected> {
  const up = await listServers(nc);
  let known: Promise<string[]> | undefined;
  const down = () =>
    (known ??= Promise.all([downServers(nc, up), unreachableUrls(nc, urls, up)]).then((all) => all.flat()));
  return { nc, up, down };
}

/** An account, in a home or not. */
export interface AccountInHand {
  operatorJwt: string;
  accountJwt: string;
  accountClaims: AccountClaims;
  publicKeys: Readonly<{ account: string }>;
  /** The home, or what stands for it in errors. */
  home: string;
}

/** An account, its servers, and who signs it. */
export interface OpenAccount {
  domain: AccountInHand;
  connected: Connected | undefined;
  onRestored?: ((restored: AccountLosses) => void) | undefined;
  acceptRemovals?: KeyRemoval | undefined;
  alsoHeld?: readonly HeldJwt[] | undefined;
  /** The operator's signing key, for one signature. */
  withSigner(sign: (signer: KeyBundle) => string): Promise<string>;
}

/** What {@link changeOpenAccount} did. */
export interface SignedChange extends Omit<AccountChange, 'domain'> {
  /** The account JWT that the new one was made from, the newest of all. */
  base: HeldJwt;
}

/**
 * Changes the account JWT: signs it again, and pushes it to every server. What others changed on the servers in the meantime is
 * kept: the newest of what is in hand and what the servers hold is what is changed. What that one lost is restored: see
 * `mergeAccountClaims`.
 *
 * @param change gives the new claims, or the same object when there is nothing to change; then nothing is signed
 * @returns which servers confirmed: see `requireComplete`
 * @throws TrustError, NatsServerError, JwtError
 */
export async function changeOpenAccount(
  open: OpenAccount,
  change: (claims: AccountClaims) => AccountClaims,
  now: Clock | undefined,
): Promise<SignedChange> {
  const { domain, connected } = open;
  const { base, all, merged, restored } = await newest(open, now);
  const wanted = change(merged);
  if (!isNone(restored)) open.onRestored?.(restored);
  // one that was signed for the home only is signed for all when it is pushed
  const isFinal = connected === undefined || !historyOf(base.claims).unpushed;
  const isSigned = wanted === base.claims && isFinal;
  const signed = () => withLineage(wanted, base, all, open, now);
  const jwt = isSigned
    ? base.jwt
    : await open.withSigner((signer) =>
        resignDecodedAccount(base.jwt, base.claims, signer, signed, now === undefined ? {} : { now }),
      );
  const claims = isSigned ? base.claims : decodeAccountJwt(jwt);
  const report = connected && (await push(connected, domain, jwt));
  return { jwt, claims, base, report, restored, tookOver: base.jwt !== domain.accountJwt };
}

/**
 * Changes the account JWT of a home, as {@link changeOpenAccount}, and writes it into the home once a server has it.
 *
 * If the new JWT is not derived from the home's JWT, the latter is kept as a copy.
 *
 * @throws TrustError, NatsServerError, JwtError; then the home is as it was
 */
export async function changeAccount(
  open: OpenHome,
  change: (claims: AccountClaims) => AccountClaims,
  options: { now?: Clock | undefined } = {},
): Promise<AccountChange> {
  const { domain } = open;
  const withSigner = (sign: (signer: KeyBundle) => string) => withOperatorSigner(domain, sign);
  const { base, ...changed } = await changeOpenAccount({ ...open, withSigner }, change, options.now);
  const { jwt, claims, report, restored } = changed;
  // where no server took it, the home stays as it was
  if ((report === undefined || report.confirmed.length > 0) && jwt !== domain.accountJwt) {
    const replaced = [
      ...(comesAfter(base.claims, domain.accountClaims) ? [] : [domain.accountJwt]),
      ...(isNone(restored) ? [] : [base.jwt]),
      ...(isNone(removedBy(claims, domain.accountClaims)) ? [] : [domain.accountJwt]),
    ];
    await keepReplaced(domain.paths, replaced);
    await writeSecretFile(domain.paths.accountJwt, Buffer.from(`${jwt}\n`));
  }
  return { domain, ...changed };
}

/**
 * Changes the JWT of the system account of a home, as {@link changeAccount} does that of the fleet's account.
 *
 * @param change gives the new claims, or the same object when there is nothing to change
 * @throws TrustError, NatsServerError, JwtError; then the home is as it was
 */
export async function changeSystemAccount(
  { domain, connected }: Pick<OpenHome, 'domain' | 'connected'>,
  change: (claims: AccountClaims) => AccountClaims,
  now: Clock | undefined,
): Promise<SignedChange> {
  const account = systemAccountOf(domain);
  const withSigner = (sign: (signer: KeyBundle) => string) => withOperatorSigner(domain, sign);
  const changed = await changeOpenAccount({ domain: account, connected, withSigner }, change, now);
  const { report, jwt } = changed;
  if ((report === undefined || report.confirmed.length > 0) && jwt !== domain.systemAccountJwt)
    await writeSecretFile(domain.paths.systemAccountJwt, Buffer.from(`${jwt}\n`));
  return changed;
}

/** The system account of a home, to be changed. */
export function systemAccountOf({
  home,
  operatorJwt,
  systemAccountJwt,
  publicKeys,
}: TrustDomain): AccountInHand {
  return {
    home,
    operatorJwt,
    accountJwt: systemAccountJwt,
    accountClaims: decodeAccountJwt(systemAccountJwt),
    publicKeys: { account: publicKeys.systemAccount },
  };
}

/** The claims of the system account as the newest of home and servers have them. */
export async function newestSystemClaims({
  domain,
  connected,
}: Pick<OpenHome, 'domain' | 'connected'>): Promise<AccountClaims> {
  return (await newest({ domain: systemAccountOf(domain), connected }, undefined)).merged;
}

/** The account's claims as the newest of home and servers have them, with what was lost. */
export async function newestClaims(open: OpenHome): Promise<AccountClaims> {
  return (await newest(open, undefined)).merged;
}

interface Newest {
  base: HeldJwt;
  /** The home's, and those of the servers. */
  all: HeldJwt[];
  /** The same object as the base's claims where nothing was lost. */
  merged: AccountClaims;
  restored: AccountLosses;
}

async function newest(open: Omit<OpenAccount, 'withSigner'>, now: Clock | undefined): Promise<Newest> {
  const { domain, connected, acceptRemovals, alsoHeld = [] } = open;
  const own: HeldJwt = { jwt: domain.accountJwt, claims: domain.accountClaims };
  const held =
    connected === undefined
      ? []
      : await heldAccountJwts(connected.nc, domain, domain.publicKeys.account, connected.up);
  const all = [own, ...[...held, ...alsoHeld].filter(({ jwt }) => jwt !== own.jwt)];
  const { base, claims, restored } = mergeAccountClaims(all.map((one) => one.claims));
  const of = all.find((one) => one.claims === base) ?? own;
  if (acceptRemovals === undefined || isNone(restored)) return { base: of, all, merged: claims, restored };
  acceptRemovals.require(domain.home, restored.signingKeys);
  const gone = [...restored.signingKeys, ...restored.revocations.slice(0, MANY)];
  return { base: of, all, merged: withRemoved(claims, base, gone, nowSeconds(now)), restored: NOTHING_LOST };
}

/** More than so many need no note each: that the new JWT comes after the old is enough. */
const MANY = 32;

/** The new JWT comes after all that it was made of. */
function withLineage(
  wanted: AccountClaims,
  base: HeldJwt,
  all: readonly HeldJwt[],
  { connected }: Pick<OpenAccount, 'connected'>,
  now: Clock | undefined,
): AccountClaims {
  const history = mergedHistory(
    base.claims,
    all.map(({ claims }) => claims),
  );
  const noted = historyOf(wanted);
  const next = {
    ...history,
    removed: new Map([...history.removed, ...noted.removed]),
    cleared: widerClearance(noted.cleared, history.cleared),
    unpushed: connected === undefined,
  };
  return withHistory(wanted, withSequence(next, history.sequence), nowSeconds(now));
}

async function withOperatorSigner(domain: TrustDomain, sign: (signer: KeyBundle) => string): Promise<string> {
  const signer = await domain.operatorSigningKey();
  try {
    return sign(signer);
  } finally {
    signer.wipe();
  }
}

/** @throws TrustError `ERR_TRUST_ACCOUNT_TOO_LARGE`; NatsServerError */
export async function push(
  { nc, up, down }: Connected,
  { home }: Pick<AccountInHand, 'home'>,
  jwt: string,
): Promise<PushReport> {
  const most = nc.info?.max_payload ?? Infinity;
  if (jwt.length > most) {
    throw new TrustError(
      'ERR_TRUST_ACCOUNT_TOO_LARGE',
      home,
      `the account JWT would have ${jwt.length} bytes, but the servers accept ${most} (max_payload): clear old revocations ` +
        '("zester revocations clear --before TIME"), since those of expired credentials are not needed; ' +
        'nothing was changed',
    );
  }
  const report = await pushToServers(nc, jwt, up);
  return { ...report, notReached: await down() };
}
