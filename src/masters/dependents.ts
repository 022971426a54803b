// Finds the peels and join tokens that depend on a master's signing keys.
import { dependentPeels, type KnownCredentials } from '../fleet-client/key-use.js';
import { currentKey, isAccepted, type PeelRecord } from '../protocol/records/record.js';
import { KeyRemoval, type CountedUse } from '../trust/keys/key-removal.js';
import type { RosterEntry } from './roster.js';

/** The dependents of a master's signing keys. */
export interface MasterDependents {
  /** IDs of peels with a valid credential that it signed. */
  peels: string[];
  /** IDs of accepted peels with an expired credential that it signed: after the removal, they can no longer recover. */
  expired: string[];
  /** IDs of valid join tokens that it signed. */
  tokens: string[];
  /** Users that are connected with a JWT that it signed. */
  connected: number;
}

/**
 * Finds the dependents of a master's signing keys.
 *
 * @param now milliseconds since 1970
 */
export function dependentsOf({ keys }: RosterEntry, known: KnownCredentials, now: number): MasterDependents {
  const own = new Set(keys.map(({ publicKey }) => publicKey));
  const peelSigners = keys.flatMap(({ kind, publicKey }) => (kind === 'peel-signing' ? [publicKey] : []));
  const peels = new Set(
    peelSigners.flatMap((signer) => dependentPeels(signer, known, now / 1000).map(({ peelId }) => peelId)),
  );
  const tokens = known.tokens.filter(
    ({ issuer, removedAt, expiresAt, used, uses }) =>
      issuer !== undefined &&
      own.has(issuer) &&
      removedAt === undefined &&
      used < uses &&
      Date.parse(expiresAt) > now,
  );
  const connected = known.connected.filter(({ issuer }) => issuer !== undefined && own.has(issuer));
  const expired = expiredPeels(new Set(peelSigners), known.records, now / 1000);
  return {
    peels: [...peels].sort(),
    expired,
    tokens: tokens.map(({ id }) => id).sort(),
    connected: connected.length,
  };
}

/**
 * The peels whose last credential these keys signed and has expired. The master that signs a peel's credential also
 * signs its recovery credential, with its key for join tokens. The masters decide how long a peel may recover, so all
 * are listed.
 */
function expiredPeels(
  signers: ReadonlySet<string>,
  records: readonly PeelRecord[],
  nowSeconds: number,
): string[] {
  const expired = records.filter((record) => {
    const key = isAccepted(record) ? currentKey(record) : undefined;
    return (
      key?.issuer !== undefined &&
      signers.has(key.issuer) &&
      key.expiresAt !== undefined &&
      key.expiresAt <= nowSeconds
    );
  });
  return expired.map(({ id }) => id).sort();
}

/**
 * Permits the removal of a master's signing keys if no peel depends on them; with `now`, in any case.
 *
 * @throws TrustError `ERR_TRUST_SIGNING_KEY`
 */
export function judgeMasterRemoval(
  home: string,
  { keys }: RosterEntry,
  dependents: MasterDependents | { unknown: string },
  { now }: { now: boolean },
): KeyRemoval {
  const use: CountedUse =
    'unknown' in dependents
      ? dependents
      : { valid: dependents.peels.length, connected: dependents.connected };
  return KeyRemoval.judge(home, new Map(keys.map(({ publicKey }) => [publicKey, use])), { force: now });
}
