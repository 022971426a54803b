// Finds the dependents of a peel signing key that is being replaced. Pure.
import { isAccepted } from '../protocol/records/record.js';
import { dependentPeels, type KnownCredentials } from './key-use.js';

/** A peel with a valid JWT that the key signed. */
export interface SignedPeel {
  peelId: string;
  /**
   * - `connected`: it can be notified to renew.
   * - `replaced`: it has renewed; its old key is revoked within seconds.
   * - `offline`: it renews when it reconnects, if the key still exists.
   */
  is: 'connected' | 'replaced' | 'offline';
  /** Issue time of its last JWT signed by the key, in seconds since 1970. */
  issuedAt: number;
  /** Expiry of the last of them, in seconds since 1970; undefined: never. */
  expiresAt: number | undefined;
}

/** A user connected with a JWT signed by the key, although no master accepted it. */
export interface Stranger {
  /** From its JWT: untrusted text. */
  name: string;
  /** `U…`. */
  publicKey: string;
}

/** The dependents of the key. */
export interface SignedBy {
  peels: SignedPeel[];
  strangers: Stranger[];
}

/**
 * The peels whose valid JWT a key signed, ordered by ID, and other users connected with one.
 *
 * @param nowMs milliseconds since 1970
 */
export function signedBy(signer: string, known: KnownCredentials, nowMs: number): SignedBy {
  const connected = known.connected.filter(({ issuer }) => issuer === signer);
  const here = new Set(connected.map(({ publicKey }) => publicKey));
  const peels = new Map<string, SignedPeel>();
  const keys = new Set<string>();
  // an unaccepted peel may be a thief's
  const accepted = { ...known, records: known.records.filter(isAccepted) };
  for (const one of dependentPeels(signer, accepted, nowMs / 1000)) {
    keys.add(one.publicKey);
    const before = peels.get(one.peelId);
    peels.set(one.peelId, {
      peelId: one.peelId,
      is: moreUrgent(
        before?.is,
        one.isReplaced ? 'replaced' : here.has(one.publicKey) ? 'connected' : 'offline',
      ),
      issuedAt: Math.max(before?.issuedAt ?? 0, one.issuedAt),
      expiresAt: before === undefined ? one.expiresAt : later(before.expiresAt, one.expiresAt),
    });
  }
  const strangers = new Map(
    connected
      .filter(({ publicKey }) => !keys.has(publicKey))
      .map(({ publicKey, name = '' }) => [publicKey, { name, publicKey }]),
  );
  return {
    peels: [...peels.values()].sort((a, b) => (a.peelId < b.peelId ? -1 : 1)),
    strangers: [...strangers.values()],
  };
}

const URGENCY = ['replaced', 'offline', 'connected'] as const;

function moreUrgent(a: SignedPeel['is'] | undefined, b: SignedPeel['is']): SignedPeel['is'] {
  return a !== undefined && URGENCY.indexOf(a) > URGENCY.indexOf(b) ? a : b;
}

/** undefined: never. */
function later(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : Math.max(a, b);
}
