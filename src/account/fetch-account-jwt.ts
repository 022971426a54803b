// fetchAccountJwt: reads the newest account JWT from the servers.
import { bag, checkOptions } from '../options/check-options.js';
import { validatePublicKey } from '../nkeys/validate.js';
import {
  ACCOUNT_SERVERS_ENTRIES,
  ACCOUNT_SERVERS_REQUIRED,
  withAccountServers,
  type AccountServers,
} from './account-servers.js';
import { heldAccountJwts } from './held-account.js';
import { serverOptionsError } from './server-options-error.js';

const FETCH = bag(ACCOUNT_SERVERS_ENTRIES, { required: ACCOUNT_SERVERS_REQUIRED });

/**
 * The newest account JWT on the servers that a key of the operator signed.
 *
 * @param account the account's public key (`A…`)
 * @returns undefined when no server has one
 * @throws KeyError; NatsServerError, ConnectError, CredsError, FileError as `pushAccountJwt`
 * @example
 * import { decodeAccountJwt, fetchAccountJwt, loadJwtFile } from 'zester';
 *
 * const { sub } = decodeAccountJwt(await loadJwtFile('account.jwt'));
 * const accountJwt = await fetchAccountJwt(sub, {
 *   operatorJwt: await loadJwtFile('operator.jwt'),
 *   servers: process.env.NATS_URL ?? 'nats://127.0.0.1:4222',
 *   systemCredentials: 'system.creds',
 * });
 * console.log(accountJwt === undefined); // false
 */
export async function fetchAccountJwt(account: string, options: AccountServers): Promise<string | undefined> {
  checkOptions('fetchAccountJwt', options, FETCH, serverOptionsError);
  validatePublicKey(account, 'account');
  return withAccountServers(options, async ({ nc, up }) => {
    const held = await heldAccountJwts(nc, { operatorJwt: options.operatorJwt }, account, up);
    return held.sort((a, b) => b.claims.iat - a.claims.iat)[0]?.jwt;
  });
}
