// Reads the account JWTs that the home and the servers hold, and picks the one in force.
import type { NatsConnection } from '@nats-io/transport-node';
import { ZesterError } from '../errors.js';
import { decodeAccountJwt, decodeOperatorJwt } from '../jwt/decode.js';
import type { AccountClaims } from '../jwt/claims.js';
import { askServer } from '../system-account/ask-server.js';
import { requestAll, jsonOf } from '../system-account/request-all.js';
import type { ServerInfo } from '../system-account/servers.js';
import { HELD_ACCOUNT_STALL_MS, HELD_ACCOUNT_TIMEOUT_MS } from '../timing.js';

/** An account JWT and its claims. */
export interface HeldJwt {
  jwt: string;
  claims: AccountClaims;
}

/** The current account JWT, and the operator that vouches for it. */
export interface KnownAccount {
  operatorJwt: string;
  accountJwt?: string;
  accountClaims?: AccountClaims;
}

/**
 * The distinct account JWTs in the servers' resolvers. Ignores those that do not decode, belong to another account,
 * or are not signed by a key of this operator.
 *
 * @param nc a connection of the system account
 * @param account the public key (`A…`)
 */
export async function heldAccountJwts(
  nc: NatsConnection,
  domain: KnownAccount,
  account: string,
  up: readonly ServerInfo[],
): Promise<HeldJwt[]> {
  const answers = await requestAll(
    nc,
    `$SYS.REQ.ACCOUNT.${account}.CLAIMS.LOOKUP`,
    '',
    (all) => all.length >= up.length,
    { maxWait: HELD_ACCOUNT_TIMEOUT_MS, stall: HELD_ACCOUNT_STALL_MS },
  );
  return accountsOf(
    domain,
    account,
    answers.map((answer) => answer.string()),
  );
}

/** The distinct JWTs of this account and this operator. */
export function accountsOf(domain: KnownAccount, account: string, jwts: readonly string[]): HeldJwt[] {
  return [...new Set(jwts)].flatMap((jwt) => {
    const claims = jwt === domain.accountJwt ? domain.accountClaims : decodeOwn(domain, account, jwt);
    return claims === undefined ? [] : [{ jwt, claims }];
  });
}

function decodeOwn(
  domain: Pick<KnownAccount, 'operatorJwt'>,
  account: string,
  jwt: string,
): AccountClaims | undefined {
  try {
    const claims = decodeAccountJwt(jwt);
    const operator = decodeOperatorJwt(domain.operatorJwt);
    const signers = [operator.sub, ...(operator.nats.signing_keys ?? [])];
    return claims.sub === account && signers.includes(claims.iss) ? claims : undefined;
  } catch (error) {
    if (error instanceof ZesterError) return undefined;
    throw error;
  }
}

/**
 * The revocations that one server enforces, by key, in seconds since 1970. It does so before the account JWT that
 * contains them counts as in force (docs/nats-facts.md, 40).
 *
 * Source: `$SYS.REQ.SERVER.<id>.ACCOUNTZ` of the system account.
 *
 * @param server its ID (`N…`)
 * @returns undefined: no valid answer in time, or the account is not loaded there
 */
export async function revocationsInForce(
  nc: NatsConnection,
  server: string,
  account: string,
): Promise<Record<string, number> | undefined> {
  let answer;
  try {
    answer = await askServer(nc, server, 'ACCOUNTZ', { account }, HELD_ACCOUNT_TIMEOUT_MS);
  } catch {
    // the connection was closed, or the server is too busy
    return undefined;
  }
  const parsed = jsonOf<{ data?: { account_detail?: { revoked_user?: Record<string, unknown> } } }>(answer);
  const detail = parsed?.data?.account_detail;
  if (detail === undefined) return undefined;
  const times = Object.entries(detail.revoked_user ?? {}).map(
    ([key, time]) => [key, typeof time === 'string' ? Math.floor(Date.parse(time) / 1000) : NaN] as const,
  );
  return Object.fromEntries(times.filter(([, time]) => Number.isFinite(time)));
}

/** The account JWT in force on one server. */
export interface InForce {
  server: string;
  /** undefined: the account is not used there, and so not loaded. */
  jwt: string | undefined;
}

/**
 * The account JWT in force on each server, by server name.
 *
 * @param nc a connection of the system account
 */
export async function accountInForce(
  nc: NatsConnection,
  account: string,
  up: readonly ServerInfo[],
): Promise<InForce[]> {
  const answers = await requestAll(
    nc,
    '$SYS.REQ.SERVER.PING.ACCOUNTZ',
    JSON.stringify({ account }),
    (all) => all.length >= up.length,
    { maxWait: HELD_ACCOUNT_TIMEOUT_MS, stall: HELD_ACCOUNT_STALL_MS },
  );
  const parsed = answers.map((answer) =>
    jsonOf<{ server?: { id?: string }; data?: { account_detail?: { jwt?: string } } | null }>(answer),
  );
  const byId = new Map(parsed.map((answer) => [answer?.server?.id, answer?.data?.account_detail?.jwt]));
  return up.map(({ id, name }) => ({ server: name, jwt: byId.get(id) }));
}
