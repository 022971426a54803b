// pushAccountJwt: pushes an account JWT from a program, without a home.
import { NatsServerError } from '../errors.js';
import { isoTime } from '../jwt/time.js';
import { bag, checkOptions, flag, type Entries } from '../options/check-options.js';
import { isNone, describeLosses, mergeAccountClaims } from '../trust/account-jwt/merge-account.js';
import {
  ACCOUNT_SERVERS_ENTRIES,
  ACCOUNT_SERVERS_REQUIRED,
  targetAccount,
  withAccountServers,
  type AccountServers,
} from './account-servers.js';
import { push } from './change-account.js';
import { heldAccountJwts, type HeldJwt } from './held-account.js';
import { isComplete, requireComplete, type PushReport } from './push-account.js';
import { serverOptionsError } from './server-options-error.js';

/** The options of {@link pushAccountJwt}. */
export interface PushAccountOptions extends AccountServers {
  /**
   * Push it even if the servers have signing keys or revocations that it lacks; false by default. Use it after
   * `unrevoke`, or after removing a signing key.
   */
  allowRemovals?: boolean | undefined;
}

/** The result of a push. */
export interface PushedAccount extends PushReport {
  /** Whether every server of the cluster has it. */
  complete: boolean;
}

const PUSH = bag({ ...ACCOUNT_SERVERS_ENTRIES, allowRemovals: flag } satisfies Entries<PushAccountOptions>, {
  required: ACCOUNT_SERVERS_REQUIRED,
});

/**
 * Pushes an account JWT to every server; each confirms by name whether it is in force there. The servers need a
 * resolver of the type `full` (`zester server config` writes one). Refused if the servers have a newer account JWT,
 * or one with signing keys or revocations that this one lacks: someone else has changed the account since.
 * `fetchAccountJwt` returns theirs, to be revised instead.
 *
 * @returns which servers confirmed. Store the JWT even when `complete` is false: it is in force on some, and the others
 *   take it from them when they return
 * @throws NatsServerError `ERR_NATS_SERVER_PUSH_REFUSED` when it was not pushed or no server accepted it: nothing has
 *   changed; `ERR_NATS_SERVER_PUSH_INCOMPLETE` when none answered in time: try again; `ERR_NATS_SERVER_RESOLVER`,
 *   `ERR_NATS_SERVER_UNREACHABLE`, `ERR_NATS_SERVER_REFUSED`,
 *   `ERR_NATS_SERVER_NOT_SYSTEM`; JwtError, JwtChainError when no key of the operator signed it; CredsError, FileError,
 *   ConnectError
 * @example
 * import {
 *   decodeAccountJwt,
 *   fetchAccountJwt,
 *   loadJwtFile,
 *   loadKeyBundleFromFile,
 *   pushAccountJwt,
 *   reviseAccountJwt,
 * } from 'zester';
 *
 * const current = await loadJwtFile('account.jwt');
 * const options = {
 *   operatorJwt: await loadJwtFile('operator.jwt'),
 *   servers: process.env.NATS_URL ?? 'nats://127.0.0.1:4222',
 *   systemCredentials: 'system.creds',
 * };
 * // the servers' copy may be newer than the file
 * const newest = (await fetchAccountJwt(decodeAccountJwt(current).sub, options)) ?? current;
 * const operator = await loadKeyBundleFromFile('operator', 'operator-signing.seed');
 * const revised = reviseAccountJwt(newest, operator, { limits: { connections: 10_000 } });
 * const { complete, failed, notReached } = await pushAccountJwt(revised, options);
 * console.log(complete, failed.length, notReached.length); // true 0 0
 */
export async function pushAccountJwt(
  accountJwt: string,
  options: PushAccountOptions,
): Promise<PushedAccount> {
  checkOptions('pushAccountJwt', options, PUSH, serverOptionsError);
  const target = targetAccount(accountJwt, options.operatorJwt);
  return withAccountServers(options, async (connected) => {
    const { nc, up } = connected;
    const held = await heldAccountJwts(nc, target, target.publicKeys.account, up);
    const own = { jwt: accountJwt, claims: target.accountClaims };
    refuseStale(
      own,
      held.filter(({ jwt }) => jwt !== accountJwt),
      options.allowRemovals ?? false,
    );
    const report = await push(connected, target, accountJwt);
    if (report.confirmed.length === 0) requireComplete(report, 'the account JWT');
    return { ...report, complete: isComplete(report) };
  });
}

function refuseStale(own: HeldJwt, held: readonly HeldJwt[], allowRemovals: boolean): void {
  const newer = held.find(({ claims }) => claims.iat >= own.claims.iat);
  if (newer !== undefined) {
    throw refused(
      `the servers have one issued at ${isoTime(newer.claims.iat)}, and this one was issued at ${isoTime(own.claims.iat)}`,
    );
  }
  if (allowRemovals) return;
  const { restored } = mergeAccountClaims([own.claims, ...held.map(({ claims }) => claims)]);
  if (isNone(restored)) return;
  throw refused(
    `it lacks what the servers have: ${describeLosses(restored).join(', ')} (allowRemovals pushes it anyway)`,
  );
}

function refused(why: string): NatsServerError {
  return new NatsServerError(
    'ERR_NATS_SERVER_PUSH_REFUSED',
    `the account JWT was not pushed: ${why}: revise the one that fetchAccountJwt returns, and push that`,
  );
}
