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
import type { Ban } from './ban.js';
import { heldAccountJwts, type HeldJwt } from './held-account.js';
import { pushToServers, type PushReport } from './push-account.js';
import { DirectConnections, type ConnectOne } from '../system-account/direct-connections.js';
import { downServers, listServers, type ServerInfo } from '../system-account/servers.js';
import { connectSystem, type SystemConnectionOptions } from '../system-account/system-connection.js';
import { unreachableUrls } from '../system-account/unreachable-urls.js';

/** The options of a change to a home's account. */
export interface ChangeOptions extends Omit<SystemConnectionOptions, 'servers'>, HomeLockOptions {
  /** The servers to push to. `false`: none; only the home is changed, and `pushAccount` pushes it later. */
  servers: readonly string[] | false;
  now?: Clock;
  /** Called before the push with the losses of the servers' account JWT, which are restored. */
  onRestored?: (restored: AccountLosses) => void;
  /**
   * Treats everything that the newest account JWT lacks as removed on purpose, but only signing keys that were
   * checked.
   */
  acceptRemovals?: KeyRemoval;
  /**
   * Account JWTs that the home and the servers may no longer have, such as a backup's: their revocations are kept.
   */
  alsoHeld?: readonly HeldJwt[];
}

/** The result of a change. */
export interface AccountChange {
  domain: TrustDomain;
  /** The current account JWT, and its claims. */
  jwt: string;
  claims: AccountClaims;
  /** undefined: it was not pushed. */
  report: PushReport | undefined;
  /** The losses of the newest account JWT, because another tool signed an older state; they were restored. */
  restored: AccountLosses;
  /** Whether the servers had a newer one than the home. */
  tookOver: boolean;
}

/** A connection of the system account. */
export interface Connected {
  nc: NatsConnection;
  /** The servers that answer. */
  up: readonly ServerInfo[];
  /** Names and URLs of servers of the cluster that did not. Finding them may take some seconds. */
  down(): Promise<string[]>;
  /** For requests while a server applies a pushed account JWT, and reads nothing from `nc`. */
  direct: DirectConnections;
  /** Existing connections to push over. */
  pushing?: DirectConnections | undefined;
}

/** A home that is locked, open and connected to its servers while a command works on it. */
export interface OpenHome {
  domain: TrustDomain;
  /** undefined: without servers. */
  connected: Connected | undefined;
  onRestored?: ((restored: AccountLosses) => void) | undefined;
  acceptRemovals?: KeyRemoval | undefined;
  alsoHeld?: readonly HeldJwt[] | undefined;
}

/**
 * Opens a home for a change: locked, and connected to its servers, unless `servers` is false.
 *
 * @param what the operation, such as `zester revoke`
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

/** Like {@link withOpenHome}, without the lock: for reading only. */
export async function withConnectedHome<T>(
  home: string,
  options: ChangeOptions,
  fn: (open: OpenHome) => Promise<T>,
): Promise<T> {
  const { servers: urls, direct, onRestored, acceptRemovals, alsoHeld } = options;
  // at the same time as the home is opened: a master that revokes may be busy
  const early =
    urls === false || direct === undefined ? undefined : overExistingConnection(options, urls, direct);
  const domain = await openTrustDomain(home);
  if (urls === false) return fn({ domain, connected: undefined, onRestored, acceptRemovals, alsoHeld });
  const act = (connected: Connected) => fn({ domain, connected, onRestored, acceptRemovals, alsoHeld });
  const connectOne = (only: string) => connectSystem(domain, { ...options, servers: urls, only });
  const reused = await (early ?? overExistingConnection(options, urls, connectOne));
  if (reused !== undefined) return withDirectConnections(reused, () => act(reused));
  const nc = await connectSystem(domain, { ...options, servers: urls });
  try {
    const connected = await connectedTo(nc, urls, direct ?? connectOne);
    return await withDirectConnections(connected, () => act(connected));
  } finally {
    await nc.close();
  }
}

/** Runs an action, and closes the direct connections that it opened, but not existing ones. */
export async function withDirectConnections<T>(
  { direct, pushing }: Connected,
  act: () => Promise<T>,
): Promise<T> {
  try {
    return await act();
  } finally {
    if (pushing === undefined) await direct.close();
  }
}

/** Uses the existing connection; undefined: there is none, or no server answers over it. */
async function overExistingConnection(
  { existing }: ChangeOptions,
  urls: readonly string[],
  direct: ConnectOne | SystemConnectionOptions['direct'],
): Promise<Connected | undefined> {
  const nc = existing?.();
  if (nc === undefined) return undefined;
  try {
    return await connectedTo(nc, urls, direct);
  } catch {
    return undefined;
  }
}

/**
 * The servers that a system account connection reaches.
 *
 * @param direct connections to each server, or how to connect to one. Close those with {@link withDirectConnections}
 * @throws as `listServers`
 */
export async function connectedTo(
  nc: NatsConnection,
  urls: readonly string[],
  direct?: ConnectOne | SystemConnectionOptions['direct'],
): Promise<Connected> {
  const up = await listServers(nc);
  let known: Promise<string[]> | undefined;
  const down = () =>
    (known ??= Promise.all([downServers(nc, up), unreachableUrls(nc, urls, up)]).then((all) => all.flat()));
  if (typeof direct === 'object') return { nc, up, down, direct: direct.querying, pushing: direct.pushing };
  return { nc, up, down, direct: new DirectConnections(nc, urls, direct) };
}

/** An account, in a home or not. */
export interface TargetAccount {
  operatorJwt: string;
  accountJwt: string;
  accountClaims: AccountClaims;
  publicKeys: Readonly<{ account: string }>;
  /** The home, or its stand-in in errors. */
  home: string;
}

/** An account, its servers, and its signer. */
export interface OpenAccount {
  domain: TargetAccount;
  connected: Connected | undefined;
  onRestored?: ((restored: AccountLosses) => void) | undefined;
  acceptRemovals?: KeyRemoval | undefined;
  alsoHeld?: readonly HeldJwt[] | undefined;
  /** The operator's signing key, for one signature. */
  withSigner(sign: (signer: KeyBundle) => string): Promise<string>;
}

/** The result of {@link changeOpenAccount}. */
export interface SignedChange extends Omit<AccountChange, 'domain'> {
  /** The newest account JWT, which the new one was made from. */
  base: HeldJwt;
}

/**
 * Changes the account JWT: signs a new one, and pushes it to every server. Keeps concurrent changes by
 * others: the change applies to the newest of the given JWT and the servers'. Restores its losses: see
 * `mergeAccountClaims`.
 *
 * @param change returns the new claims, or the same object if nothing changes; then nothing is signed
 * @param ban the purpose of the change: see `pushToServers`
 * @returns which servers confirmed: see `requireComplete`
 * @throws TrustError, NatsServerError, JwtError
 */
export async function changeOpenAccount(
  open: OpenAccount,
  change: (claims: AccountClaims) => AccountClaims,
  now: Clock | undefined,
  ban?: Ban | undefined,
): Promise<SignedChange> {
  const { domain, connected } = open;
  const { base, all, merged, restored } = await newest(open, now);
  const wanted = change(merged);
  if (!isNone(restored)) open.onRestored?.(restored);
  // a JWT signed for the home only (`--no-push`) is signed again when it is pushed
  const isFinal = connected === undefined || !historyOf(base.claims).unpushed;
  const isSigned = wanted === base.claims && isFinal;
  const signed = () => withLineage(wanted, base, all, open, now);
  const jwt = isSigned
    ? base.jwt
    : await open.withSigner((signer) =>
        resignDecodedAccount(base.jwt, base.claims, signer, signed, now === undefined ? {} : { now }),
      );
  const claims = isSigned ? base.claims : decodeAccountJwt(jwt);
  const report = connected && (await push(connected, domain, jwt, ban));
  return { jwt, claims, base, report, restored, tookOver: base.jwt !== domain.accountJwt };
}

/**
 * Changes the account JWT of a home, like {@link changeOpenAccount}, and writes it into the home once a server has
 * it. If the new JWT is not derived from the home's JWT, keeps a copy of the latter.
 *
 * @throws TrustError, NatsServerError, JwtError; then the home is as it was
 */
export async function changeAccount(
  open: OpenHome,
  change: (claims: AccountClaims) => AccountClaims,
  options: { now?: Clock | undefined; ban?: Ban | undefined } = {},
): Promise<AccountChange> {
  const { domain } = open;
  const withSigner = (sign: (signer: KeyBundle) => string) => withOperatorSigner(domain, sign);
  const { base, ...changed } = await changeOpenAccount(
    { ...open, withSigner },
    change,
    options.now,
    options.ban,
  );
  const { jwt, claims, report, restored } = changed;
  // if no server accepted it, the home stays as it was
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
 * Changes the JWT of the home's system account, as {@link changeAccount} does for the fleet's account.
 *
 * @param change returns the new claims, or the same object if nothing changes
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

/** The system account of a home, for a change. */
export function systemAccountOf({
  home,
  operatorJwt,
  systemAccountJwt,
  publicKeys,
}: TrustDomain): TargetAccount {
  return {
    home,
    operatorJwt,
    accountJwt: systemAccountJwt,
    accountClaims: decodeAccountJwt(systemAccountJwt),
    publicKeys: { account: publicKeys.systemAccount },
  };
}

/** The claims of the system account, from the newest JWT of the home and the servers. */
export async function newestSystemClaims({
  domain,
  connected,
}: Pick<OpenHome, 'domain' | 'connected'>): Promise<AccountClaims> {
  return (await newest({ domain: systemAccountOf(domain), connected }, undefined)).merged;
}

/** The account's claims, from the newest JWT of the home and the servers, with what was lost. */
export async function newestClaims(open: OpenHome): Promise<AccountClaims> {
  return (await newest(open, undefined)).merged;
}

interface Newest {
  base: HeldJwt;
  /** The home's JWT, and the servers'. */
  all: HeldJwt[];
  /** The same object as the base's claims if nothing was lost. */
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

/** Beyond this number, no tombstones are needed: it is enough that the new JWT derives from the old one. */
const MANY = 32;

/** The new JWT derives from all its sources. */
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
  const recorded = historyOf(wanted);
  const next = {
    ...history,
    removed: new Map([...history.removed, ...recorded.removed]),
    cleared: widerClearance(recorded.cleared, history.cleared),
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
  connected: Connected,
  { home, publicKeys: { account } }: Pick<TargetAccount, 'home' | 'publicKeys'>,
  jwt: string,
  ban?: Ban | undefined,
): Promise<PushReport> {
  const { nc, down } = connected;
  const maxBytes = nc.info?.max_payload ?? Infinity;
  if (jwt.length > maxBytes) {
    throw new TrustError(
      'ERR_TRUST_ACCOUNT_TOO_LARGE',
      home,
      `the account JWT would have ${jwt.length} bytes, but the servers accept ${maxBytes} (max_payload): clear old revocations ` +
        '("zester revocations clear --before TIME"), since those of expired credentials are not needed; ' +
        'nothing was changed',
    );
  }
  // concurrently: each may take a second on overloaded servers, and a revocation waits for both. The push comes last,
  // since a server reads nothing else while it applies it
  const [notReached, report] = await Promise.all([down(), pushToServers(connected, { jwt, account, ban })]);
  return { ...report, notReached };
}
