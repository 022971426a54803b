// Decides what a master does about a connection that it has judged.
import { expirySeconds } from '../../jwt/expiry.js';
import { userSubjectAsServersReadIt } from '../../jwt/decode.js';
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

/** Connections that one peel may have: it needs one, and two while it moves. */
export const MAX_CONNECTIONS = 64;

/** What a master does about a connection. `reread`: judge it again by its record as JetStream has it. */
export type Admission = { do: 'leave' | 'admit' | 'reread' } | { do: 'refuse'; refusal: Refusal };

/**
 * What to do about a connection.
 *
 * No connection is refused by a record in memory only: another master may have issued the key an instant ago. Where the
 * connection itself is the reason, no record changes that.
 *
 * @param isFresh whether the verdict rests on the record as JetStream has it
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
      const isItself = verdict.publicKey !== undefined || !isPeelId(connection.name);
      return isFresh || isItself ? { do: 'refuse', refusal: verdict } : { do: 'reread' };
    }
  }
}

/**
 * What a connection that is admitted changes in its peel's record; undefined: nothing.
 *
 * @param verdict on the record as it stands when it is changed
 */
export function admissionDecision(
  connection: UserConnection,
  verdict: Verdict,
  by: Actor,
): Decision | undefined {
  const from = whereFrom(connection);
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
    from: whereFrom(connection),
  };
}

/** The policy's decision on a peel without a record; undefined: it waits for an admin. */
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
    from: whereFrom(connection),
  };
}

/** Looks up what {@link refusalAction} needs to know. */
export interface RefusedKey {
  /** The peel whose live key it is. */
  liveOwnerOf(publicKey: string): string | undefined;
  /** All connections of a peel. */
  connectionsOf(peelId: string): readonly UserConnection[];
}

/**
 * How a connection is refused: `hold` its key's revocation until the breaker allows it, `revoke` at once, or `cut` the
 * connection only.
 *
 * A key that the registry knows as live is revoked when the breaker lets it; any other at once: or else duplicates of some
 * IDs, minted with a stolen signing key, would switch revocation off.
 */
export function refusalAction(
  connection: UserConnection,
  refusal: Refusal,
  { liveOwnerOf, connectionsOf }: RefusedKey,
): { do: 'hold'; publicKey: string; peelId: string } | { do: 'revoke'; publicKey: string } | { do: 'cut' } {
  const publicKey = keyToRevoke(connection, refusal);
  const named = publicKey ?? connection.publicKey;
  const peelId = liveOwnerOf(named);
  // a key that is merely named, while its peel is connected with it, is named by somebody else
  const isImpostor =
    publicKey === undefined && peelId !== undefined && isElsewhere(connection, connectionsOf(peelId));
  if (peelId !== undefined && !isImpostor) return { do: 'hold', publicKey: named, peelId };
  return publicKey === undefined ? { do: 'cut' } : { do: 'revoke', publicKey };
}

/**
 * The key that a refused connection's JWT is for; undefined: it names none. Never the user that the server names: the client
 * wrote it, and may have named somebody else's key.
 */
export function keyToRevoke({ jwt }: UserConnection, { publicKey }: Refusal): string | undefined {
  return publicKey ?? userSubjectAsServersReadIt(jwt);
}

/**
 * Whether the key that a connection names has another connection, with a JWT of its own. On the same server only: what is
 * known of one that has just been restarted may be old.
 */
function isElsewhere({ publicKey, server, cid }: UserConnection, others: readonly UserConnection[]): boolean {
  return others.some(
    (other) =>
      other.server === server && other.cid !== cid && userSubjectAsServersReadIt(other.jwt) === publicKey,
  );
}

/** The peel whose live key this is; undefined: it is not live, or it was decided to lock the peel out. */
export function liveOwner(record: PeelRecord | undefined, publicKey: string): string | undefined {
  if (record === undefined || record.state === 'rejected' || record.state === 'revoked') return undefined;
  return keyOf(record, publicKey)?.state === 'live' ? record.id : undefined;
}

/** Describes the origin of a connection, for logs and the audit log. */
export function whereFrom({ host, serverName, server }: UserConnection): string {
  return `${host ?? 'an unknown address'} at ${serverName ?? server}`;
}
