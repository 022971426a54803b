// Finds connected users whose own JWTs are less safe than new ones.
import type { NatsConnection } from '@nats-io/transport-node';
import { JwtError } from '../errors.js';
import { decodeUserJwt } from '../jwt/decode.js';
import { ADMIN_NAME, MASTER_ANSWERS_NAME, MASTER_NAME } from '../permissions/names.js';
import { weaknessesOf } from '../trust/migration.js';
import { connectedUsers } from '../system-account/connected-users.js';

/** A user whose own JWT is less safe than a new one. */
export interface WeakUser {
  /** The name in its JWT: a peel's ID. */
  name: string;
  /** `U…`. */
  publicKey: string;
  why: string[];
}

/** The home's own users: checked by their files, not their connections. */
const OWN: ReadonlySet<string> = new Set([MASTER_NAME, ADMIN_NAME, MASTER_ANSWERS_NAME]);

/**
 * The connected users of an account, on all servers, whose JWT has grants that no new one has.
 *
 * @param nc a connection of the system account
 * @param account the public key (`A…`)
 * @throws NatsServerError as `listServers`
 */
export async function weakUsers(nc: NatsConnection, account: string): Promise<WeakUser[]> {
  const { users } = await connectedUsers(nc, account);
  const weak = new Map<string, WeakUser>();
  for (const { jwt, name, publicKey } of users) {
    if (jwt === undefined || OWN.has(name)) continue;
    const why = weaknessesIn(jwt);
    if (why.length > 0) weak.set(publicKey, { name, publicKey, why });
  }
  return [...weak.values()];
}

function weaknessesIn(jwt: string): string[] {
  try {
    return weaknessesOf(decodeUserJwt(jwt));
  } catch (error) {
    if (!(error instanceof JwtError)) throw error;
    return [`cannot be read (${error.code})`];
  }
}
