// Repeats a refused decision on a fresh record before it counts.
import { ZesterError } from '../../errors.js';
import type { PeelRecord } from '../../protocol/records/record.js';
import type { Decision, Registry } from './registry.js';

/**
 * As `registry.decide`, but a refusal by `decide` counts only if it is based on the record in JetStream: the record
 * in memory may be stale, and a refusal may be permanent.
 *
 * @throws as `registry.decide`
 */
export async function decideFresh(
  registry: Registry,
  peelId: string,
  decide: (record: PeelRecord | undefined) => Decision | undefined,
): Promise<{ record: PeelRecord; changed: boolean }> {
  const before = registry.get(peelId)?.number;
  try {
    return await registry.decide(peelId, decide);
  } catch (error) {
    if (!(error instanceof ZesterError)) throw error;
    const fresh = await registry.refresh(peelId);
    if (fresh?.number === before) throw error;
    return registry.decide(peelId, decide);
  }
}

/**
 * Checks a record. A refusal counts only if it is based on the record in JetStream.
 *
 * @throws what `check` throws; FleetError `ERR_FLEET_STORE`
 */
export async function checkFresh<T>(
  registry: Registry,
  peelId: string,
  check: (record: PeelRecord | undefined) => T,
): Promise<T> {
  try {
    return check(registry.get(peelId));
  } catch (error) {
    if (!(error instanceof ZesterError)) throw error;
    return check(await registry.refresh(peelId));
  }
}
