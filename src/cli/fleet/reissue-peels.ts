// Replaces JWTs that carry their own permissions with scoped ones.
import { setTimeout as delay } from 'node:timers/promises';
import { currentKey, isAccepted, keyOf, type PeelRecord } from '../../protocol/records/record.js';
import type { ListedPeel } from '../../protocol/messages.js';
import type { AccountClaims } from '../../jwt/claims.js';
import { kindOfSigningKey } from '../../trust/keys/signing-keys.js';
import type { CliIo } from '../terminal/io.js';
import type { Admin } from './admin.js';
import { rotatePeels, type RotatePeelsOptions } from './rotate-peels.js';
import { REPLACED_REVOKED_POLL_MS, REPLACED_REVOKED_TIMEOUT_MS } from '../../timing.js';

/** A peel whose JWT no scoped signing key signed, so its permissions are in the JWT itself. */
export interface ExplicitPeel {
  peelId: string;
  /** `U…`. */
  publicKey: string;
}

/** The outcome for a peel. */
export interface ReissuedPeel extends ExplicitPeel {
  /**
   * - `reissued`: it uses a scoped JWT, and the old one is revoked.
   * - `draining`: it uses a scoped JWT, but the old one is not revoked yet.
   * - `not-connected`, `late`, `failed`: it still has the old one.
   */
  outcome: 'reissued' | 'draining' | 'not-connected' | 'late' | 'failed';
}

/**
 * The peels of the registry whose JWT has its own permissions and is not known to be safe.
 *
 * @param weak public keys connected with an unsafe JWT; other connected ones are safe
 */
export async function explicitPeels(
  { client }: Admin,
  account: AccountClaims,
  peelSigningKey: string,
  weak: ReadonlySet<string>,
  nowMs: number,
): Promise<ExplicitPeel[]> {
  const found: ExplicitPeel[] = [];
  for await (const { peels } of client.stream('peel.list', {})) {
    for (const peel of peels) {
      const publicKey = explicitKey(peel, account, peelSigningKey, weak, nowMs);
      if (publicKey !== undefined) found.push({ peelId: peel.record.id, publicKey });
    }
  }
  return found;
}

function explicitKey(
  { record, presence }: ListedPeel,
  account: AccountClaims,
  peelSigningKey: string,
  weak: ReadonlySet<string>,
  nowMs: number,
): string | undefined {
  const key = currentKey(record);
  if (!isAccepted(record) || key?.issuer === undefined) return undefined;
  if (kindOfSigningKey(account, key.issuer, peelSigningKey) !== undefined) return undefined;
  if (key.expiresAt !== undefined && key.expiresAt * 1000 <= nowMs) return undefined;
  const isConnected = presence?.connections.some(({ publicKey }) => publicKey === key.publicKey) === true;
  return isConnected && !weak.has(key.publicKey) ? undefined : key.publicKey;
}

/** Makes the peels rotate their keys, which gives each a scoped JWT, and waits until the old ones are revoked. */
export async function reissuePeels(
  admin: Admin,
  peels: readonly ExplicitPeel[],
  options: Pick<RotatePeelsOptions, 'limit' | 'timeoutMs' | 'signal' | 'onProgress' | 'onFailed'>,
  io: CliIo,
): Promise<ReissuedPeel[]> {
  if (peels.length === 0) return [];
  const keys = new Map(peels.map(({ peelId, publicKey }) => [peelId, publicKey]));
  const { done, asked, failed } = await rotatePeels(admin, { ...options, keys, wait: true }, io);
  const draining = new Set(done);
  const deadline = Date.now() + REPLACED_REVOKED_TIMEOUT_MS;
  while (draining.size > 0 && Date.now() < deadline && !options.signal.aborted) {
    for (const peelId of [...draining]) {
      const { record } = await admin.client.ask('peel.show', { peelId, events: 0 });
      if (isRevoked(record, keys.get(peelId) ?? '')) draining.delete(peelId);
    }
    if (draining.size > 0)
      await delay(REPLACED_REVOKED_POLL_MS, undefined, { signal: options.signal }).catch(() => undefined);
  }
  return peels.map((peel) => ({
    ...peel,
    outcome: done.has(peel.peelId)
      ? draining.has(peel.peelId)
        ? 'draining'
        : 'reissued'
      : failed.has(peel.peelId)
        ? 'failed'
        : asked.has(peel.peelId)
          ? 'not-connected'
          : 'late',
  }));
}

function isRevoked(record: PeelRecord, publicKey: string): boolean {
  return keyOf(record, publicKey)?.state === 'revoked';
}
