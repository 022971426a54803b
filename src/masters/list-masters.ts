// Lists the masters of a fleet: their keys, whether they run, and when their credentials expire.
import { Kvm } from '@nats-io/kv';
import { withConnectedHome, type ChangeOptions } from '../account/change-account.js';
import { withState } from '../backup/connect-state.js';
import { loadCredsFile } from '../creds/parse.js';
import { ZesterError } from '../errors.js';
import { expiryTime } from '../jwt/expiry.js';
import type { UserClaims } from '../jwt/claims.js';
import { decodeUserJwt } from '../jwt/decode.js';
import { CHALLENGES_BUCKET } from '../permissions/names.js';
import { parseJson } from '../protocol/messages.js';
import { WATCH_LEASE_KEY } from '../master/store/lease.js';
import { connectedUsers } from '../system-account/connected-users.js';
import type { TrustDomain } from '../trust/domain.js';
import { readRoster } from './read-roster.js';
import type { RosterEntry } from './roster.js';

/** A master in the result of {@link listMasters}. */
export interface ListedMaster extends RosterEntry {
  /** Whether it is this home's master. */
  here: boolean;
  /** The connections of its processes: address and start (ISO 8601); empty: it does not run; undefined: unknown. */
  connections: { host: string | undefined; since: string | undefined }[] | undefined;
  /** When the credentials of its main user expire, in milliseconds since 1970; null: never; undefined: unknown. */
  expiresAt: number | null | undefined;
  /** Whether it follows the servers' events; undefined: unknown. */
  watching: boolean | undefined;
}

/**
 * Lists the masters. A home that was copied by hand is not listed separately.
 *
 * Cost: one list of all connections.
 *
 * @param options.offline read the home only
 * @throws TrustError, NatsServerError
 */
export async function listMasters(
  home: string,
  options: ChangeOptions & { servers: readonly string[]; offline?: boolean },
): Promise<ListedMaster[]> {
  const { offline = false, ...rest } = options;
  return withConnectedHome(home, offline ? { ...rest, servers: false } : rest, async (open) => {
    const { domain, connected } = open;
    const roster = await readRoster(open);
    const watching = offline ? undefined : await watchingMaster(domain, rest);
    // a server looks one user up by the key that its client named, which a thief chooses
    const users = connected && (await connectedUsers(connected.nc, domain.publicKeys.account)).users;
    const listed: ListedMaster[] = [];
    for (const entry of roster) {
      const here = entry.name === domain.masterName;
      const [main] = entry.users;
      const found = main === undefined ? undefined : users?.filter(({ publicKey }) => publicKey === main);
      const jwts = (found ?? []).flatMap(({ jwt }) => jwt ?? []);
      const claims = newestOf(jwts) ?? (here ? await claimsIn(domain.paths.masterCreds) : undefined);
      listed.push({
        ...entry,
        here,
        connections: found?.map(({ host, since }) => ({ host, since })),
        expiresAt: claims === undefined ? undefined : (expiryTime(claims) ?? null),
        watching: watching === undefined ? undefined : watching === entry.name,
      });
    }
    return listed;
  });
}

/** The name of the master that holds the lease; empty: none, or a master of an earlier version; undefined: unknown. */
async function watchingMaster(
  domain: TrustDomain,
  options: Parameters<typeof withState>[1],
): Promise<string | undefined> {
  try {
    return await withState(domain, options, async (_nc, { js }) => {
      const bucket = await new Kvm(js).open(CHALLENGES_BUCKET);
      const entry = await bucket.get(WATCH_LEASE_KEY);
      const { name } = (parseJson(entry?.value ?? new Uint8Array()) ?? {}) as { name?: unknown };
      return typeof name === 'string' ? name : '';
    });
  } catch {
    // no master has run on these servers yet, or JetStream has no leader: list the rest all the same
    return undefined;
  }
}

function newestOf(jwts: readonly string[]): UserClaims | undefined {
  const all = jwts.flatMap((jwt) => {
    try {
      return [decodeUserJwt(jwt)];
    } catch (error) {
      if (!(error instanceof ZesterError)) throw error;
      return [];
    }
  });
  return all.sort((a, b) => b.iat - a.iat)[0];
}

async function claimsIn(path: string): Promise<UserClaims> {
  const creds = await loadCredsFile(path);
  creds.wipe();
  return creds.claims;
}
