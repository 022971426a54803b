// Claims keys and IDs, so that each key belongs to one peel or one join token, and each ID to one key.
import { FleetError, ZesterError } from '../../errors.js';
import { hasKey } from '../../protocol/records/record.js';
import type { MasterContext } from '../context.js';
import { withStoreRetries } from '../store/store-retries.js';
import { isWriteConflict } from '../store/write-conflict.js';

/** A claim of {@link claimKey} or {@link claimId}, and how to release it. */
export interface Claim {
  /** Releases the claim if this call made it, so that a later refusal leaves nothing behind. */
  release(): Promise<void>;
}

const NO_CLAIM: Claim = { release: () => Promise.resolve() };

/**
 * Runs the action that claims are for, and releases them if it is refused. After any other failure the action may have
 * succeeded, so the claims stay until they expire.
 */
export async function withClaims<T>(claims: readonly Claim[], act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof ZesterError && error.code !== 'ERR_FLEET_STORE') {
      await Promise.all(claims.map((claim) => claim.release()));
    }
    throw error;
  }
}

type ClaimContext = Pick<MasterContext, 'registry' | 'store' | 'logger' | 'tokenKeys'>;

/**
 * Ensures that a key belongs to one peel only, and to no join token, even if two masters get requests for it concurrently:
 * the first one claims it for some minutes, far longer than every master's registry takes to catch up. A key with two
 * owners would be revoked with either of them, and its revocation dropped when either has expired.
 *
 * @throws FleetError `ERR_FLEET_KEY_TAKEN`
 */
export async function claimKey(context: ClaimContext, publicKey: string, peelId: string): Promise<Claim> {
  const owner = context.registry.ownerOf(publicKey);
  if (owner === peelId) return NO_CLAIM;
  if (owner !== undefined || context.tokenKeys.tokenOf(publicKey) !== undefined) throw keyTaken(publicKey);
  return claimKeyFor(context, publicKey, peelId);
}

/**
 * Ensures that a key belongs to this join token only, and to no peel: see {@link claimKey}.
 *
 * @throws FleetError `ERR_FLEET_KEY_TAKEN`
 */
export async function claimTokenKey(
  context: ClaimContext,
  publicKey: string,
  tokenId: string,
): Promise<Claim> {
  const owner = context.tokenKeys.tokenOf(publicKey);
  if (owner === tokenId) return NO_CLAIM;
  if (owner !== undefined || context.registry.ownerOf(publicKey) !== undefined) throw keyTaken(publicKey);
  // a peel ID has no blank
  return claimKeyFor(context, publicKey, `token ${tokenId}`);
}

async function claimKeyFor(context: ClaimContext, publicKey: string, owner: string): Promise<Claim> {
  const { claim, holder } = await claimFor(context, `key.${publicKey}`, owner);
  // another owner's claim has just expired: the caller retries
  if (holder !== owner) throw keyTaken(publicKey);
  return claim;
}

/**
 * Ensures that only one of several keys that request an ID at the same instant continues, before anything is counted or
 * decided for it. A claim counts until its key is in the record, or for some minutes.
 *
 * @throws FleetError `ERR_FLEET_ID_TAKEN`
 */
export async function claimId(context: ClaimContext, peelId: string, publicKey: string): Promise<Claim> {
  const key = `id.${peelId}`;
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const { claim, holder, revision } = await claimFor(context, key, publicKey);
    if (holder === publicKey) return claim;
    // if its key was already decided, the record has the result, and the ID may be free again
    const record = await context.registry.refresh(peelId);
    if (holder === undefined || !hasKey(record, holder)) break;
    await context.store.challenges.delete(key, { previousSeq: revision }).catch(ignoreConflict);
  }
  throw idTaken(peelId);
}

async function claimFor(
  { store: { challenges }, logger }: ClaimContext,
  key: string,
  holder: string,
): Promise<{ claim: Claim; holder: string | undefined; revision: number }> {
  let previousSeq = 0;
  for (let attempt = 0; ; attempt += 1) {
    const seq = previousSeq;
    // if it was created but the answer was lost, it is found below as the holder's own
    const revision = await withStoreRetries(() =>
      challenges.put(key, holder, { previousSeq: seq }).catch((error: unknown) => {
        if (isWriteConflict(error)) return undefined;
        throw error;
      }),
    );
    if (revision !== undefined) {
      const release = async () => {
        try {
          await challenges.delete(key, { previousSeq: revision });
        } catch (error) {
          // it expires by itself
          logger.debug({ key, error: String(error) }, 'cannot release a claim');
        }
      };
      return { claim: { release }, holder, revision };
    }
    const existing = await withStoreRetries(() => challenges.get(key));
    if (existing !== null && existing.operation === 'PUT') {
      return { claim: NO_CLAIM, holder: existing.string(), revision: existing.revision };
    }
    if (attempt >= 3) {
      throw new FleetError('ERR_FLEET_STORE', `"${key}" has too many concurrent writers: try again`);
    }
    // it expired or was released, which left a delete marker
    previousSeq = existing?.revision ?? 0;
  }
}

function ignoreConflict(error: unknown): void {
  if (!isWriteConflict(error)) throw error;
}

/** Does not reveal the owner. */
export function keyTaken(publicKey: string): FleetError {
  return new FleetError(
    'ERR_FLEET_KEY_TAKEN',
    `the key ${publicKey} belongs to another peel or a join token: each must have its own key`,
  );
}

/** Does not reveal the owner. */
export function idTaken(peelId: string): FleetError {
  return new FleetError(
    'ERR_FLEET_ID_TAKEN',
    `the peel ID "${peelId}" is already bound to a different key: choose another ID, or revoke it first ("zester peel revoke ${peelId}")`,
    { peelId },
  );
}
