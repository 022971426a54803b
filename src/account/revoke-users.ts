// revokeUsers: revokes users from a program, without a home.
import { decodeOperatorJwt } from '../jwt/decode.js';
import { checkAccountIssuer } from '../jwt/chain.js';
import { revocationTimes } from '../jwt/revise-account.js';
import type { Clock } from '../jwt/time.js';
import type { KeyBundle } from '../nkeys/key-bundle.js';
import { anything, bag, callback, checkOptions, text, type Entries } from '../options/check-options.js';
import {
  ACCOUNT_SERVERS_ENTRIES,
  ACCOUNT_SERVERS_REQUIRED,
  targetAccount,
  withAccountServers,
  type AccountServers,
} from './account-servers.js';
import { changeOpenAccount } from './change-account.js';
import { isComplete, requireComplete, type PushReport } from './push-account.js';
import { revokeWith } from './revoke-keys.js';
import { serverOptionsError } from './server-options-error.js';

/** The account, and its servers. */
export interface RevokeUsersOptions extends AccountServers {
  /** Your copy of the account JWT. If the servers have a newer one, that one is changed. */
  accountJwt: string;
  /** The operator's key, or one of its signing keys. */
  signer: KeyBundle;
  /** The clock; `Date.now` by default. */
  now?: Clock | undefined;
}

/** The result of {@link revokeUsers}. */
export interface RevokedUsers extends PushReport {
  /** The account JWT that is in force now: store it in place of yours. */
  accountJwt: string;
  /** The time that each is revoked up to, in seconds since 1970. */
  upTo: Readonly<Record<string, number>>;
  /** Whether every server of the cluster has the revocation, and no revoked user is connected. */
  complete: boolean;
}

const REVOKE = bag(
  {
    ...ACCOUNT_SERVERS_ENTRIES,
    accountJwt: text,
    signer: anything,
    now: callback,
  } satisfies Entries<RevokeUsersOptions>,
  { required: [...ACCOUNT_SERVERS_REQUIRED, 'accountJwt', 'signer'] },
);

/**
 * Revokes users of an account on all its servers: signs the newest account JWT with the revocations, pushes it to
 * every server, cuts the users' connections, and verifies that they are gone. Keeps concurrent changes of the
 * account by others, and writes nothing to disk. In a home (`zester init`), use `zester revoke`, which also updates
 * the home's account JWT.
 *
 * Costs one request to every server per user, or one for all connections beyond 32 users.
 *
 * @param users public keys (`U…`, or `*` for all): a list revokes them permanently, including future JWTs, and `*` up
 *   to now; a record has the time up to which issued JWTs are revoked, in seconds since 1970
 * @throws JwtError `ERR_JWT_OPTIONS` for an invalid user; JwtChainError when the operator does not allow the signer to
 *   sign accounts; NatsServerError `ERR_NATS_SERVER_PUSH_REFUSED` when no server accepted it: nothing has changed;
 *   otherwise as `pushAccountJwt`
 * @example
 * import { loadCredsFile, loadJwtFile, loadKeyBundleFromFile, revokeUsers } from 'zester';
 *
 * const { publicKey } = await loadCredsFile('web-04.creds'); // or from the audit log, or its JWT
 * const { accountJwt, complete } = await revokeUsers([publicKey], {
 *   operatorJwt: await loadJwtFile('operator.jwt'),
 *   accountJwt: await loadJwtFile('account.jwt'),
 *   signer: await loadKeyBundleFromFile('operator', 'operator-signing.seed'),
 *   servers: process.env.NATS_URL ?? 'nats://127.0.0.1:4222',
 *   systemCredentials: 'system.creds',
 * });
 * console.log(complete); // true
 */
export async function revokeUsers(
  users: readonly string[] | Readonly<Record<string, number>>,
  options: RevokeUsersOptions,
): Promise<RevokedUsers> {
  checkOptions('revokeUsers', options, REVOKE, serverOptionsError);
  const { operatorJwt, signer, now } = options;
  const revocations = new Map(Object.entries(revocationTimes(users, now)));
  const domain = targetAccount(options.accountJwt, operatorJwt);
  checkAccountIssuer(decodeOperatorJwt(operatorJwt), {
    sub: domain.accountClaims.sub,
    iss: signer.publicKey,
  });
  return withAccountServers(options, async (connected) => {
    const open = {
      domain,
      connected,
      withSigner: (sign: (key: KeyBundle) => string) => Promise.resolve(sign(signer)),
    };
    const revoked = await revokeWith(open, revocations, now, async (withAll, ban) => {
      const change = await changeOpenAccount(open, withAll, now, ban);
      const { report = { confirmed: [], failed: [], notReached: [] } } = change;
      if (report.confirmed.length === 0) requireComplete(report, 'the account JWT with the revocations');
      return { jwt: change.jwt, report };
    });
    const { jwt, upTo, report } = revoked;
    return { accountJwt: jwt, upTo: Object.fromEntries(upTo), complete: isComplete(report), ...report };
  });
}
