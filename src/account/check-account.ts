// Pushes the account JWT of a home, and compares the JWTs of the servers with it.
import { signingKeyIds } from '../jwt/signing-key-ids.js';
import type { AccountClaims } from '../jwt/claims.js';
import { decodeAccountJwt } from '../jwt/decode.js';
import { TrustError } from '../errors.js';
import {
  changeAccount,
  changeSystemAccount,
  withConnectedHome,
  withOpenHome,
  type AccountChange,
  type ChangeOptions,
} from './change-account.js';
import { accountInForce, heldAccountJwts } from './held-account.js';
import { lockOutUsersOf } from './rotate-keys.js';
import { signingKeyOf } from '../trust/create/adopt.js';
import { mergeAccountClaims, type AccountLosses } from '../trust/account-jwt/merge-account.js';
import { joinReports } from './join-reports.js';
import type { PushReport } from './push-account.js';

/**
 * Pushes the account JWT of a home, and the system account's, to every server. If the servers hold a newer one,
 * because another home or a master changed the account, the home adopts it first. Revocations and signing keys that
 * it lost are restored, unless `acceptRemovals` says that they were removed on purpose.
 *
 * @returns which servers confirmed: see `requireComplete`; `tookOver` when the home was behind
 * @throws TrustError, NatsServerError
 */
export async function pushAccount(
  home: string,
  options: ChangeOptions & { servers: readonly string[] },
): Promise<AccountChange & { report: PushReport }> {
  return withOpenHome(home, 'zester account push', options, async (open) => {
    const { connected, domain } = open;
    if (connected === undefined) throw new TypeError('servers: give at least one to push to');
    const system = await changeSystemAccount(open, (claims) => claims, options.now);
    const change = await changeAccount(open, (claims) => claims, { now: options.now });
    const accepted = [...(options.acceptRemovals?.uses.keys() ?? [])];
    // a key that has reappeared stays
    const removed = accepted.filter((key) => signingKeyOf(change.claims, key) === undefined);
    const account = await lockOutUsersOf(connected, domain, removed, change);
    return { ...change, report: joinReports(account.report, system.report) };
  });
}

/** A summary of an account JWT. */
export interface AccountVersion {
  /** `jti`: equal for equal JWTs. */
  id: string;
  /** Seconds since 1970. */
  issuedAt: number;
  /** `O…`. */
  issuer: string;
  revocations: number;
  signingKeys: string[];
}

/** The account JWTs of the home and the servers. */
export interface AccountView {
  account: { name: string; publicKey: string };
  home: AccountVersion;
  servers: {
    server: string;
    /** undefined: unknown, since the account is not loaded there, and the servers hold different JWTs. */
    version: AccountVersion | undefined;
    /** Whether it is the home's. */
    same: boolean | undefined;
  }[];
  /** Names and URLs of servers that belong to the cluster and do not answer. */
  notReached: string[];
  /** Whether every server has the home's account JWT. */
  inSync: boolean;
  /** The losses of the newest account JWT, which an older one has: another tool signed an even older state. */
  lost: AccountLosses & { by: 'servers' | 'home' };
}

/**
 * Compares the account JWTs of the servers and the home. Changes nothing.
 *
 * @throws TrustError, NatsServerError
 */
export async function showAccount(
  home: string,
  options: ChangeOptions & { servers: readonly string[] },
): Promise<AccountView> {
  return withConnectedHome(home, options, async ({ domain, connected }) => {
    if (connected === undefined) throw new TypeError('servers: give at least one to query');
    const { nc, up } = connected;
    const account = domain.publicKeys.account;
    const own = decodeAccountJwt(domain.accountJwt);
    const [held, inForce, down] = await Promise.all([
      heldAccountJwts(nc, domain, account, up),
      accountInForce(nc, account, up),
      connected.down(),
    ]);
    const { base, restored } = mergeAccountClaims([own, ...held.map(({ claims }) => claims)]);
    const [only, ...others] = held;
    const same = others.length === 0 ? only?.claims : undefined;
    const views = inForce.map(({ server, jwt }) => {
      // a server that has loaded the account reports its JWT by name; otherwise, only that all are equal is known
      const claims =
        jwt === undefined ? same : (held.find((one) => one.jwt === jwt)?.claims ?? decode(domain.home, jwt));
      const version = claims && versionOf(claims);
      return { server, version, same: version && version.id === own.jti };
    });
    return {
      account: { name: domain.names.account, publicKey: account },
      home: versionOf(own),
      servers: views,
      notReached: down,
      inSync: down.length === 0 && views.every((view) => view.same === true) && held.length <= 1,
      lost: { ...restored, by: base === own ? 'home' : 'servers' },
    };
  });
}

function decode(home: string, jwt: string): AccountClaims {
  try {
    return decodeAccountJwt(jwt);
  } catch (cause) {
    throw new TrustError('ERR_TRUST_DAMAGED', home, 'a server has an unreadable account JWT', {
      cause,
    });
  }
}

function versionOf(claims: AccountClaims): AccountVersion {
  return {
    id: claims.jti ?? '',
    issuedAt: claims.iat,
    issuer: claims.iss,
    revocations: Object.keys(claims.nats.revocations ?? {}).length,
    signingKeys: signingKeyIds(claims),
  };
}
