// Decides when replaced keys, and keys that the account JWT revokes, are revoked in the registry.
import { isRevoked } from '../../jwt/chain.js';
import type { PeelChange } from '../../protocol/records/audit-event.js';
import { keyOf, type PeelKeyState, type PeelRecord } from '../../protocol/records/record.js';
import { RETIRE_MS } from '../../timing.js';

/** A replaced key. `since`: on a monotonic clock, in milliseconds. */
export interface RetiredKey {
  publicKey: string;
  peelId: string;
  since: number;
}

/** The replaced keys that are not revoked yet. It has no clock: each call passes the time. */
export class RetiredKeys {
  readonly #keys = new Map<string, RetiredKey>();

  /** Tracks the keys of a changed record. */
  note({ id, keys }: PeelRecord, now: number): void {
    for (const { publicKey, state } of keys) {
      if (state !== 'retired') this.#keys.delete(publicKey);
      else if (!this.#keys.has(publicKey)) this.#keys.set(publicKey, { publicKey, peelId: id, since: now });
    }
  }

  /** The keys to revoke now: their connections have ended, or have had time to drain. */
  due(now: number, isConnected: (key: RetiredKey) => boolean): RetiredKey[] {
    return [...this.#keys.values()].filter((key) => !isConnected(key) || now - key.since >= RETIRE_MS);
  }

  /** Removes a key that is being revoked. {@link RetiredKeys.add} undoes this. */
  remove({ publicKey }: RetiredKey): void {
    this.#keys.delete(publicKey);
  }

  add(key: RetiredKey): void {
    this.#keys.set(key.publicKey, key);
  }
}

/**
 * The revocation of a key; undefined: the record has it in another state by now.
 *
 * @param upTo JWTs issued up to this time are revoked, in seconds since 1970
 */
export function revokingOf(
  record: PeelRecord | undefined,
  { publicKey, state, upTo }: { publicKey: string; state: PeelKeyState; upTo: number },
): PeelChange | undefined {
  if (record === undefined || keyOf(record, publicKey)?.state !== state) return undefined;
  return { kind: 'key.revoking', publicKeys: [publicKey], upTo };
}

/**
 * What the revocations in the account JWT (made by `zester revoke`, without a master) mean for a peel: some of its
 * keys are revoked, or all of them and so the peel; undefined: nothing.
 */
export function revokedInAccount(
  { keys }: PeelRecord,
  revocations: Readonly<Record<string, number>>,
): PeelChange | undefined {
  const usable = keys.filter(({ state }) => state === 'issued' || state === 'live');
  const revoked = usable.filter(
    ({ publicKey, issuedAt }) => issuedAt !== undefined && isRevoked(revocations, publicKey, issuedAt),
  );
  if (revoked.length === 0) return undefined;
  const publicKeys = revoked.map(({ publicKey }) => publicKey);
  const upTo = Math.max(...publicKeys.map((key) => Math.max(revocations[key] ?? 0, revocations['*'] ?? 0)));
  return revoked.length < usable.length
    ? { kind: 'key.revoking', publicKeys, upTo }
    : { kind: 'peel.revoked', upTo };
}
