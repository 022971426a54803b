import { FleetError } from '../errors.js';
import type { MasterContext } from './context.js';
import { isWriteConflict } from './write-conflict.js';

/**
 * Sees to it that a key is one peel's only, also when two masters are asked at the same instant: the first one claims it
 * for some minutes, which is far longer than it takes until every master has it in its registry.
 *
 * @throws FleetError `ERR_FLEET_KEY_TAKEN`
 */
export async function claimKey(
  { registry, store }: Pick<MasterContext, 'registry' | 'store'>,
  publicKey: string,
  peelId: string,
): Promise<void> {
  const owner = registry.ownerOf(publicKey);
  if (owner === peelId) return;
  if (owner !== undefined) throw keyTaken(publicKey);
  try {
    await store.challenges.put(`key.${publicKey}`, peelId, { previousSeq: 0 });
  } catch (error) {
    if (!isWriteConflict(error)) throw error;
    const claimed = await store.challenges.get(`key.${publicKey}`);
    // one that has just run out was somebody's: who asks tries again
    if (claimed?.string() !== peelId) throw keyTaken(publicKey);
  }
}

/** Not said: whose it is. */
export function keyTaken(publicKey: string): FleetError {
  return new FleetError(
    'ERR_FLEET_KEY_TAKEN',
    `the key ${publicKey} belongs to another peel: each peel makes its own`,
  );
}
