import type { NatsConnection } from '@nats-io/transport-node';
import { writeSecretFile } from '../files/write-secret-file.js';
import { TrustError } from '../errors.js';
import type { AccountClaims } from '../jwt/claims.js';
import { decodeAccountJwt } from '../jwt/decode.js';
import { resignDecodedAccount } from '../jwt/resign.js';
import type { Clock } from '../jwt/time.js';
import type { TrustDomain } from '../trust/domain.js';
import { withHomeLock, type HomeLockOptions } from '../trust/lock.js';
import { openTrustDomain } from '../trust/open.js';
import { mergeRevocations } from '../trust/revocations.js';
import { heldAccountJwts, type HeldJwt } from './held-account.js';
import { pushAccountJwt, type PushReport } from './push-account.js';
import { downServers, listServers, type ServerInfo } from './servers.js';
import { connectSystem, type SystemConnectionOptions } from './system-connection.js';
import { unreachableUrls } from './unreachable-urls.js';

/** How the account of a home is changed. */
export interface ChangeOptions extends Omit<SystemConnectionOptions, 'servers'>, HomeLockOptions {
  /** The servers to push to. `false`: none; only the home is changed, and `pushAccount` pushes it later. */
  servers: readonly string[] | false;
  now?: Clock;
}

/** What came of a change. */
export interface AccountChange {
  domain: TrustDomain;
  /** The account JWT now, and its claims. */
  jwt: string;
  claims: AccountClaims;
  /** undefined: it was not pushed. */
  report: PushReport | undefined;
}

/** A connection of the system account. */
export interface Connected {
  nc: NatsConnection;
  /** The servers that answer. */
  up: readonly ServerInfo[];
  /** Names, and URLs, of those that belong to the cluster and do not. It may take some seconds to know them. */
  down(): Promise<string[]>;
}

/** A home that is locked, open and connected to its servers, for as long as a command works on it. */
export interface OpenHome {
  domain: TrustDomain;
  /** undefined: without servers. */
  connected: Connected | undefined;
}

/**
 * Opens a home for a change: locked, and connected to its servers unless it is to be without.
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
  const { servers: urls } = options;
  if (urls === false) return fn({ domain, connected: undefined });
  const nc = await connectSystem(domain, { ...options, servers: urls });
  try {
    const up = await listServers(nc);
    let known: Promise<string[]> | undefined;
    const down = () =>
      (known ??= Promise.all([downServers(nc, up), unreachableUrls(nc, urls, up)]).then((all) => all.flat()));
    return await fn({ domain, connected: { nc, up, down } });
  } finally {
    await nc.close();
  }
}

/**
 * Changes the account JWT: signs it anew with the operator's signing key, pushes it to every server, and writes it into the
 * home once a server has it. What another home or master changed on the servers in the meantime is kept: the newest of
 * what the home and the servers hold is what is changed.
 *
 * @param change gives the new claims, or the same object when there is nothing to change; then nothing is signed
 * @returns which servers confirmed: see `requireComplete`
 * @throws TrustError, NatsServerError, JwtError; then the home is as it was
 */
export async function changeAccount(
  { domain, connected }: OpenHome,
  change: (claims: AccountClaims) => AccountClaims,
  options: { now?: Clock | undefined } = {},
): Promise<AccountChange> {
  const { base, merged } = await newest({ domain, connected });
  const wanted = change(merged);
  const jwt = wanted === base.claims ? base.jwt : await sign(domain, base, wanted, options.now);
  const report = connected && (await push(connected, domain, jwt));
  // where no server took it, the home stays as it was
  if (report === undefined || report.confirmed.length > 0) {
    if (jwt !== domain.accountJwt) await writeSecretFile(domain.paths.accountJwt, Buffer.from(`${jwt}\n`));
  }
  return { domain, jwt, claims: decodeAccountJwt(jwt), report };
}

/** The account's claims as the newest of home and servers have them. */
export async function newestClaims(open: OpenHome): Promise<AccountClaims> {
  return (await newest(open)).merged;
}

async function newest({ domain, connected }: OpenHome): Promise<{ base: HeldJwt; merged: AccountClaims }> {
  const own: HeldJwt = { jwt: domain.accountJwt, claims: domain.accountClaims };
  const held =
    connected === undefined
      ? []
      : await heldAccountJwts(connected.nc, domain, domain.publicKeys.account, connected.up);
  const base = [own, ...held].reduce((best, next) => (next.claims.iat > best.claims.iat ? next : best));
  return { base, merged: mergeDiverged(base, [own, ...held]) };
}

async function sign(
  domain: TrustDomain,
  base: HeldJwt,
  wanted: AccountClaims,
  now: Clock | undefined,
): Promise<string> {
  const signer = await domain.operatorSigningKey();
  try {
    return resignDecodedAccount(
      base.jwt,
      base.claims,
      signer,
      () => wanted,
      now === undefined ? {} : { now },
    );
  } finally {
    signer.wipe();
  }
}

/** @throws TrustError `ERR_TRUST_ACCOUNT_TOO_LARGE`; NatsServerError */
export async function push(
  { nc, up, down }: Connected,
  domain: TrustDomain,
  jwt: string,
): Promise<PushReport> {
  const most = nc.info?.max_payload ?? Infinity;
  if (jwt.length > most) {
    throw new TrustError(
      'ERR_TRUST_ACCOUNT_TOO_LARGE',
      domain.home,
      `the account JWT would have ${jwt.length} bytes, and the servers take ${most} (max_payload): clear old revocations ` +
        '("zester revocations clear --before TIME"), as those of credentials that have expired since are not needed; ' +
        'nothing was changed',
    );
  }
  const report = await pushAccountJwt(nc, jwt, up);
  return { ...report, notReached: await down() };
}

/** Two that were signed at the same time from the same one before: neither's revocations may be lost. */
function mergeDiverged(base: HeldJwt, all: readonly HeldJwt[]): AccountClaims {
  const others = all.filter(({ jwt, claims }) => jwt !== base.jwt && claims.iat === base.claims.iat);
  if (others.length === 0) return base.claims;
  return others.reduce(
    (claims, other) => mergeRevocations(claims, other.claims.nats.revocations ?? {}),
    base.claims,
  );
}
