// Changes streams of the fleet, as a short-lived user, since no role may.
import { jetstreamManager, type StreamConfig } from '@nats-io/jetstream';
import { jwtAuthenticator, type NatsConnection } from '@nats-io/transport-node';
import { dial } from '../connection/dial.js';
import type { Clock } from '../jwt/time.js';
import { createUserJwt } from '../jwt/user.js';
import { generateKeyBundle, type KeyBundle } from '../nkeys/key-bundle.js';
import { PEEL_CONNECTION_TYPES } from '../permissions/roles.js';
import { tlsOf, type SystemConnectionOptions } from '../system-account/system-connection.js';
import { errorMessage } from '../text/error-message.js';
import {
  CONNECT_ONCE_TIMEOUT_MS,
  STREAM_CHANGE_TIMEOUT_MS,
  STREAM_GUARD_LIFETIME_SECONDS,
} from '../timing.js';
import type { TrustDomain } from '../trust/domain.js';

/** The name of the user that changes the streams. Its key and JWT are never written to disk. */
const NAME = 'zester-migrate';
const INBOX_PREFIX = `_INBOX._${NAME}`;

/** The result for one stream: the configuration that the server answered with, or the reason why it was not changed. */
export type ChangedStream = { name: string; config: StreamConfig } | { name: string; why: string };

/**
 * Changes the configuration of streams. No role may, so this signs a user for two minutes, which may read and change
 * only these streams.
 *
 * @param signer the account's identity key
 * @param names the streams
 * @returns the result of each; a failed stream does not delay the others
 */
export async function changeStreams(
  domain: TrustDomain,
  signer: KeyBundle,
  names: readonly string[],
  change: Partial<StreamConfig>,
  options: SystemConnectionOptions & { now?: Clock | undefined },
): Promise<ChangedStream[]> {
  if (names.length === 0) return [];
  let nc: NatsConnection;
  try {
    nc = await connectOnce(domain, signer, names, options);
  } catch (error) {
    return names.map((name) => ({ name, why: errorMessage(error) }));
  }
  const changed: ChangedStream[] = [];
  try {
    // the check requests the API's INFO, which this user may not
    const jsm = await jetstreamManager(nc, { timeout: STREAM_CHANGE_TIMEOUT_MS, checkAPI: false });
    for (const name of names) {
      try {
        const { config } = await jsm.streams.update(name, change);
        changed.push({ name, config });
      } catch (error) {
        changed.push({ name, why: errorMessage(error) });
      }
    }
  } finally {
    await nc.close();
  }
  return changed;
}

async function connectOnce(
  domain: TrustDomain,
  signer: KeyBundle,
  names: readonly string[],
  options: SystemConnectionOptions & { now?: Clock | undefined },
): Promise<NatsConnection> {
  const user = generateKeyBundle('user');
  try {
    const jwt = createUserJwt(user, signer, {
      name: NAME,
      expiry: STREAM_GUARD_LIFETIME_SECONDS,
      ...(options.now !== undefined && { now: options.now }),
      permissions: {
        publish: {
          allow: names.flatMap((name) => [`$JS.API.STREAM.INFO.${name}`, `$JS.API.STREAM.UPDATE.${name}`]),
        },
        subscribe: { allow: [`${INBOX_PREFIX}.>`] },
      },
      allowedConnectionTypes: PEEL_CONNECTION_TYPES,
    });
    return await dial({
      ...tlsOf(domain, options),
      servers: [...options.servers],
      authenticator: jwtAuthenticator(jwt, user.seed),
      name: NAME,
      inboxPrefix: INBOX_PREFIX,
      reconnect: false,
      timeout: options.timeoutMs ?? CONNECT_ONCE_TIMEOUT_MS,
    });
  } finally {
    user.wipe();
  }
}
