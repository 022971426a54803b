// Revokes a master's users, and makes its peels rotate their keys with the other masters.
import type { MasterDependents } from '../../masters/dependents.js';
import type { listMasters } from '../../masters/list-masters.js';
import type { RosterEntry } from '../../masters/roster.js';
import type { ContextOf } from '../command/context.js';
import { renewPeels } from './renew-peels.js';

/**
 * Revokes the users of a master, then makes each dependent peel rotate its key, and waits until none depends on the
 * master's signing keys. Stops on interruption. Cost: reads the registry every two seconds.
 *
 * @param readDependents returns the current dependents
 * @returns the IDs of the peels that still depend on them
 * @throws NatsServerError when a server did not confirm; FleetError, FindingsError
 */
export async function renewDependents(
  master: RosterEntry,
  { limit, timeout }: { limit: number; timeout: number },
  context: ContextOf<'operator'>,
  readDependents: () => Promise<MasterDependents | { unknown: string }>,
): Promise<string[]> {
  const { system, fleet } = context;
  const admin = await fleet();
  const { home, ...options } = await system();
  await requireOthers(master, home, options);
  const { endMaster } = await import('../../masters/remove-master.js');
  const { requireComplete } = await import('../../account/push-account.js');
  const keepUsers = [admin.publicKey];
  const report = await endMaster(home, master.name, { ...options, keepUsers });
  requireComplete(report, `the withdrawal of the users of "${master.name}"`);
  const { left } = await renewPeels(admin, { limit, timeout }, context, async () =>
    (await peelsOf(readDependents)).map((peelId) => ({ peelId, isAwaited: true })),
  );
  return left.map(({ peelId }) => peelId);
}

/** Refuses to start if no other master would be left to renew. */
async function requireOthers(
  { name }: RosterEntry,
  home: string,
  options: Parameters<typeof listMasters>[1],
): Promise<void> {
  const list = await import('../../masters/list-masters.js');
  const masters = await list.listMasters(home, options);
  // unknown for a home that was copied by hand
  if (masters.some((one) => one.name !== name && one.connections?.length !== 0)) return;
  const { FleetError } = await import('../../errors.js');
  throw new FleetError(
    'ERR_FLEET_NO_MASTER',
    `only the master "${name}" is connected: start another one first, to renew the peels; nothing was changed`,
  );
}

async function peelsOf(
  readDependents: () => Promise<MasterDependents | { unknown: string }>,
): Promise<string[]> {
  const found = await readDependents();
  if ('unknown' in found) {
    const { FindingsError } = await import('../../errors.js');
    throw new FindingsError(
      `which peels still depend on the master is not known (${found.unknown}): run this again`,
    );
  }
  return found.peels;
}
