// Whether a server accepts credentials.
import { connect } from '@nats-io/transport-node';
import { loadCredsFile } from '../../../src/creds/parse.js';

/**
 * Connects once with a `.creds` file.
 *
 * @param refusals the errors that count as a refusal by the server; any other error is thrown
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
