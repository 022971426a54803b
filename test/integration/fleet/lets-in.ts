// Whether a server takes credentials.
import { connect } from '@nats-io/transport-node';
import { loadCredsFile } from '../../../src/creds/parse.js';

/**
 * Connects once with a `.creds` file.
 *
 * @param refusals the errors that say that the server refuses them; any other is thrown
 */
export async function letsIn(
  path: string,
  servers: string,
  refusals = /authorization|revoked/i,
): Promise<boolean> {
  const creds = await loadCredsFile(path);
  const authenticator = (nonce?: string) => creds.authenticate(nonce);
  try {
    const nc = await connect({ servers, authenticator, reconnect: false, ignoreAuthErrorAbort: false });
    await nc.close();
    return true;
  } catch (error) {
    if (refusals.test(String(error))) return false;
    throw error;
  }
}
