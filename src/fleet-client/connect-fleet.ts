// connectFleet: connects an admin program to a fleet.
import { fileURLToPath } from 'node:url';
import { connectWithInbox, type ConnectOptions } from '../connection/connect.js';
import type { CredsFile } from '../creds/creds-file.js';
import { loadCredsFile } from '../creds/parse.js';
import { FleetError } from '../errors.js';
import { accountOf } from '../jwt/account-of.js';
import { ADMIN_INBOX_PREFIX } from '../permissions/names.js';
import { AdminClient } from '../protocol/ask.js';
import { MessageSigner } from '../protocol/signed.js';
import { Fleet } from './fleet.js';

/** What {@link connectFleet} takes. Options of a connection that are not named here are those of `connectMaster`. */
export interface ConnectFleetOptions extends Omit<ConnectOptions, 'credsPath' | 'creds' | 'seed'> {
  /**
   * An admin's credentials: the path or the `file:` URL of a `.creds` file, which is followed when it is replaced, or
   * parsed credentials, which are not.
   */
  credentials: string | URL | CredsFile;
  /** How long a master may take to answer, in milliseconds; 5,000 by default, and longer for what servers must confirm. */
  timeoutMs?: number | undefined;
  /** Closes the fleet's connection when it is aborted; what is under way fails with its reason. */
  signal?: AbortSignal | undefined;
}

/**
 * Connects to a fleet as an admin: to list, accept, revoke and command peels, to make join tokens and to read the audit.
 * What the credentials allow is decided by the servers and the masters. The connection survives outages.
 *
 * @throws CredsError, FileError when the credentials cannot be used; ConnectError when no server takes the connection; the
 *   signal's reason
 * @example
 *   await using fleet = await connectFleet({ servers: 'nats://127.0.0.1:4222', credentials: 'admin.creds' });
 *   for await (const { record } of fleet.peels.list({ state: 'pending' })) console.log(record.id);
 */
export async function connectFleet(options: ConnectFleetOptions): Promise<Fleet> {
  const { credentials, timeoutMs, signal, ...connection } = options;
  signal?.throwIfAborted();
  const path = credentials instanceof URL ? fileURLToPath(credentials) : credentials;
  let signer = typeof path === 'string' ? await signerOfFile(path) : new MessageSigner(path);
  try {
    const nc = await connectWithInbox(ADMIN_INBOX_PREFIX, {
      name: 'zester-admin',
      ...connection,
      ...(typeof path === 'string' ? { credsPath: path } : { creds: path }),
    });
    const client = new AdminClient(
      nc,
      () => {
        if (nc.isClosed())
          throw new FleetError('ERR_FLEET_NOT_CONNECTED', 'the connection to the fleet is closed');
        return signer;
      },
      { timeoutMs },
    );
    if (typeof path === 'string') {
      void (async () => {
        // requests are signed with the key that the connection uses
        for await (const { type } of nc.events()) {
          if (type !== 'rotated') continue;
          const next = await signerOfFile(path).catch(() => undefined);
          if (next === undefined) continue;
          signer.wipe();
          signer = next;
        }
      })();
    }
    void nc.closed().then(() => signer.wipe());
    const fleet = new Fleet(nc, client, accountOf(signer.claims), signal);
    const close = () => void fleet.close();
    if (signal?.aborted === true) await fleet.close();
    signal?.throwIfAborted();
    signal?.addEventListener('abort', close, { once: true });
    void nc.closed().then(() => signal?.removeEventListener('abort', close));
    return fleet;
  } catch (error) {
    signer.wipe();
    throw error;
  }
}

async function signerOfFile(path: string): Promise<MessageSigner> {
  const creds = await loadCredsFile(path);
  try {
    return new MessageSigner(creds);
  } finally {
    creds.wipe();
  }
}
