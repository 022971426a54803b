// A client that names the key of another user in its CONNECT.
import { connect, jwtAuthenticator, type JwtAuth, type NatsConnection } from '@nats-io/transport-node';
import { loadCredsFile } from '../../src/creds/parse.js';
import { userKeyOf } from '../../src/creds/user-key.js';
import { atEnd } from './cleanup.js';

/** Connects with a credentials file, and names another key (`U…`), which the server then reports. */
export async function connectNaming(nkey: string, path: string, url: string): Promise<NatsConnection> {
  const creds = await loadCredsFile(path);
  const authenticate = jwtAuthenticator(creds.jwt, userKeyOf(creds).seed);
  const nc = await connect({
    servers: url,
    authenticator: (nonce) => ({ ...(authenticate(nonce) as JwtAuth), nkey }),
    reconnect: false,
  });
  atEnd(() => nc.close());
  return nc;
}
