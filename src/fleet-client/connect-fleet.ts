// connectFleet: connects an admin program to a fleet.
import { connectWithInbox, type ConnectSettings } from '../connection/connect.js';
import { CONNECT_ENTRIES, connectOptionsError, INSTEAD } from '../connection/option-names.js';
import { givenUserCredentials, type UserCredentials } from '../creds/credentials-option.js';
import { FleetError } from '../errors.js';
import { accountOf } from '../jwt/account-of.js';
import { anything, bag, checkOptions } from '../options/check-options.js';
import { adminInboxPrefix } from '../permissions/names.js';
import { AdminClient } from '../protocol/admin-client.js';
import { MessageSigner } from '../protocol/signed.js';
import { Fleet } from './fleet.js';

/** The options of {@link connectFleet}. Connection options that are not listed here are those of `connectMaster`. */
export interface ConnectFleetOptions extends ConnectSettings {
  /**
   * An admin's credentials: the path or the `file:` URL of a `.creds` file, parsed credentials, or a provider. They
   * may be replaced at any time, as for `connectMaster`; requests are signed with the key of the current connection.
   */
  credentials: UserCredentials;
  /** Timeout of a request in milliseconds; 5,000 by default, and longer for requests that servers must confirm. */
  timeoutMs?: number | undefined;
  /** When aborted, closes the fleet's connection; pending calls fail with its reason. */
  signal?: AbortSignal | undefined;
}

const entries = Object.fromEntries(Object.entries(CONNECT_ENTRIES).filter(([name]) => name !== 'credsPath'));
const CONNECT_FLEET = bag(
  { ...entries, timeoutMs: anything, signal: anything },
  { required: ['credentials'], instead: { ...INSTEAD, credsPath: 'give it as credentials' } },
);

/**
 * Connects to a fleet as an admin: to list, accept, revoke and command peels, to create join tokens and to read the
 * audit log. The servers and the masters decide what the credentials allow. The connection survives outages.
 *
 * @throws ConnectError `ERR_CONNECT_OPTIONS` for unknown options; CredsError, FileError when the credentials cannot
 *   be used; ConnectError when no server accepts the connection; the signal's reason
 * @example
 * import { connectFleet } from 'zester';
 *
 * const fleet = await connectFleet({ servers: process.env.NATS_URL, credentials: 'admin.creds' });
 * for await (const { record } of fleet.peels.list({ state: 'pending' }))
 *   console.log(record.id, record.createdAt);
 * await fleet.close(); // or, with TypeScript: await using fleet = await connectFleet(…)
 */
export async function connectFleet(options: ConnectFleetOptions): Promise<Fleet> {
  checkOptions('connectFleet', options, CONNECT_FLEET, connectOptionsError);
  const { credentials: admin, timeoutMs, signal, ...settings } = options;
  const given = givenUserCredentials({ credentials: admin });
  signal?.throwIfAborted();
  const { connection: nc, credentials } = await connectWithInbox(
    (claims) => adminInboxPrefix(claims?.name),
    { ...settings, signal, name: settings.name ?? 'zester-admin' },
    given,
  );
  let signer = new MessageSigner(credentials.current);
  try {
    const client = new AdminClient(
      nc,
      () => {
        if (nc.isClosed())
          throw new FleetError('ERR_FLEET_NOT_CONNECTED', 'the connection to the fleet is closed');
        return signer;
      },
      { timeoutMs },
    );
    void (async () => {
      // sign requests with the key of the current connection
      for await (const { type } of nc.events()) {
        if (type !== 'rotated') continue;
        signer.wipe();
        signer = new MessageSigner(credentials.current);
      }
    })();
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
    await nc.close();
    throw error;
  }
}
