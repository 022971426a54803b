// Decides what a master does about a connection that it has judged.
import { expirySeconds } from '../../jwt/expiry.js';
import { userSubjectAsServersReadIt } from '../../jwt/decode.js';
import { adminOfUserName } from '../../permissions/admin-names.js';
import { isPeelId } from '../../permissions/peel-id.js';
import { fingerprint } from '../../protocol/fingerprint.js';
import type { Actor } from '../../protocol/records/actor.js';
import { keyOf, type PeelRecord } from '../../protocol/records/record.js';
import type { Decision } from '../registry/registry.js';
import type { JoinRequest, PolicyDecision } from '../requests/policy.js';
import type { Verdict } from './judge.js';
import type { UserConnection } from './system-events.js';

/** A verdict that a connection is refused. */
export type Refusal = Extract<Verdict, { is: 'refused' }>;

/** The maximum number of connections per peel: it needs one, and two while it rotates. */
export const MAX_CONNECTIONS = 64;
/** The maximum number of connections per added admin: each running command has one. */
const MAX_ADMIN_CONNECTIONS = 512;

/** The maximum number of concurrent connections with this name. */
export function maxConnections(name: string): number {
  return adminOfUserName(name) === undefined ? MAX_CONNECTIONS : MAX_ADMIN_CONNECTIONS;
}

/**
 * What a master does about a connection. `reread`: judge it again, with its record as read from the JetStream leader.
 */
export type Admission = { do: 'leave' | 'admit' | 'reread' } | { do: 'refuse'; refusal: Refusal };

/**
 * Decides about a connection. Never refuses one because of a record in memory only: another master may have issued
 * the key an instant ago. If the reason is in the connection itself, no record can change the verdict.
 *
 * @param isFresh whether the verdict is based on the record as read from JetStream
 */
export function admissionOf(connection: UserConnection, verdict: Verdict, isFresh: boolean): Admission {
  switch (verdict.is) {
    case 'other':
    case 'token':
    case 'known':
      return { do: 'leave' };
    case 'first':
    case 'new':
      return { do: 'admit' };
    case 'refused': {
      const isConclusive = verdict.publicKey !== undefined || !isPeelId(connection.name);
      return isFresh || isConclusive ? { do: 'refuse', refusal: verdict } : { do: 'reread' };
    }
  }
}

/**
 * The change that an admitted connection makes to its peel's record; undefined: none.
 *
 * @param verdict the verdict on the current record
 */
export function admissionDecision(
  connection: UserConnection,
  verdict: Verdict,
  by: Actor,
): Decision | undefined {
  const from = describeOrigin(connection);
  if (verdict.is === 'first')
    return { change: { kind: 'key.connected', publicKey: connection.publicKey }, by, from };
  if (verdict.is !== 'new') return undefined;
  const { sub, iss, iat } = verdict.claims;
  const expiresAt = expirySeconds(verdict.claims);
  const key = { publicKey: sub, issuer: iss, issuedAt: iat, ...(expiresAt !== undefined && { expiresAt }) };
  return { change: { kind: 'peel.appeared', key, origin: 'its own credentials' }, by, from };
}

/** The join request that the policy decides on, for a peel without a record. */
export function requestToJoin(
  connection: UserConnection,
  { trusted }: Pick<Extract<Verdict, { is: 'new' }>, 'trusted'>,
): JoinRequest {
  const { name: peelId, publicKey } = connection;
  return {
    peelId,
    publicKey,
    fingerprint: fingerprint(publicKey),
    how: 'connection',
    trusted,
    returning: false,
    from: describeOrigin(connection),
  };
}

/** The policy's decision on a peel without a record; undefined: wait for an admin. */
export function policyDecision(
  connection: UserConnection,
  decision: PolicyDecision,
  policy: string,
): Decision | undefined {
  if (decision === 'pending') return undefined;
  return {
    change: { kind: decision === 'accept' ? 'peel.accepted' : 'peel.rejected' },
    by: { kind: 'policy', name: policy },
    publicKey: connection.publicKey,
    from: describeOrigin(connection),
  };
}

/** Lookups for {@link refusalAction}. */
export interface RefusedKey {
  /** The peel whose live key this is. */
  liveOwnerOf(publicKey: string): string | undefined;
  /** All connections of a peel. */
  connectionsOf(peelId: string): readonly UserConnection[];
}

/**
 * How to refuse a connection: `hold` the revocation of its key until the breaker allows it, `revoke` at once, or
 * `cut` the connection only. The revocation of a live key in the registry waits for the breaker; any other key is
 * revoked at once. Otherwise, duplicates of some IDs, minted with a stolen signing key, would disable revocation.
 */
export function refusalAction(
  connection: UserConnection,
  refusal: Refusal,
  { liveOwnerOf, connectionsOf }: RefusedKey,
): { do: 'hold'; publicKey: string; peelId: string } | { do: 'revoke'; publicKey: string } | { do: 'cut' } {
  const publicKey = keyToRevoke(connection, refusal);
  const named = publicKey ?? connection.publicKey;
  const peelId = liveOwnerOf(named);
  // a key that is only claimed, while its peel is connected with it, is a false claim
  const isFalseClaim =
    publicKey === undefined && peelId !== undefined && isElsewhere(connection, connectionsOf(peelId));
  if (peelId !== undefined && !isFalseClaim) return { do: 'hold', publicKey: named, peelId };
  return publicKey === undefined ? { do: 'cut' } : { do: 'revoke', publicKey };
}

/**
 * The key that a refused connection's JWT is for; undefined: it names none. Never the user that the server reports:
 * the client wrote that, and may have named someone else's key.
 */
export function keyToRevoke({ jwt }: UserConnection, { publicKey }: Refusal): string | undefined {
  return publicKey ?? userSubjectAsServersReadIt(jwt);
}

/**
 * Whether the key that a connection names has another connection, with its own JWT. Only on the same server: what is
 * known of a restarted server may be stale.
 */
function isElsewhere({ publicKey, server, cid }: UserConnection, others: readonly UserConnection[]): boolean {
  return others.some(
    (other) =>
      other.server === server && other.cid !== cid && userSubjectAsServersReadIt(other.jwt) === publicKey,
  );
}

/** The peel whose live key this is; undefined: it is not live, or the peel is to be locked out. */
export function liveOwner(record: PeelRecord | undefined, publicKey: string): string | undefined {
  if (record === undefined || record.state === 'rejected' || record.state === 'revoked') return undefined;
  return keyOf(record, publicKey)?.state === 'live' ? record.id : undefined;
}

/** Describes the origin of a connection, for logs and the audit log. */
export function describeOrigin({ host, serverName, server }: UserConnection): string {
  return `${host ?? 'an unknown address'} at ${serverName ?? server}`;
}
