// Ends a master's users, and has the other masters give its peels new keys.
import type { MasterDependents } from '../../masters/dependents.js';
import type { listMasters } from '../../masters/list-masters.js';
import type { RosterEntry } from '../../masters/roster.js';
import type { ContextOf } from '../command/context.js';
import { renewPeels } from './renew-peels.js';

/**
 * Withdraws the users of a master, then has each peel that depends on its signing keys replace its key, and waits until none
 * depends on them any more. Ended by the interruption. Cost: the registry is read every two seconds.
 *
 * @param look what depends on them now
 * @returns the IDs of the peels that still do
 * @throws NatsServerError when a server did not confirm; FleetError, FindingsError
 */
export async function renewDependents(
  master: RosterEntry,
  { limit, timeout }: { limit: number; timeout: number },
  context: ContextOf<'operator'>,
  look: () => Promise<MasterDependents | { unknown: string }>,
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
    (await peelsOf(look)).map((peelId) => ({ peelId, isAwaited: true })),
  );
  return left.map(({ peelId }) => peelId);
}

/** The fleet would be left without a master that renews: nothing is begun then. */
async function requireOthers(
  { name }: RosterEntry,
  home: string,
  options: Parameters<typeof listMasters>[1],
): Promise<void> {
  const list = await import('../../masters/list-masters.js');
  const masters = await list.listMasters(home, options);
  // of a home that was copied by hand it is not known
  if (masters.some((one) => one.name !== name && one.connections?.length !== 0)) return;
  const { FleetError } = await import('../../errors.js');
  throw new FleetError(
    'ERR_FLEET_NO_MASTER',
    `only the master "${name}" is connected: start another one first, to renew the peels; nothing was changed`,
  );
}

async function peelsOf(look: () => Promise<MasterDependents | { unknown: string }>): Promise<string[]> {
  const found = await look();
  if ('unknown' in found) {
    const { FindingsError } = await import('../../errors.js');
    throw new FindingsError(
      `which peels still depend on the master is not known (${found.unknown}): run this again`,
    );
  }
  return found.peels;
}
