// Ends a master's users, and has the other masters give its peels new keys.
import { sleep } from '../../async/sleep.js';
import type { MasterDependents } from '../../masters/dependents.js';
import type { listMasters } from '../../masters/list-masters.js';
import type { RosterEntry } from '../../masters/roster.js';
import { MASTER_REMOVAL_POLL_MS } from '../../timing.js';
import type { ContextOf } from '../command/context.js';
import { rotateWithProgress } from './rotate-with-progress.js';

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
  const { io, system, fleet } = context;
  const signal = context.interruption();
  const admin = await fleet();
  const { home, ...options } = await system();
  await requireOthers(master, home, options);
  const { endMaster } = await import('../../masters/remove-master.js');
  const { requireComplete } = await import('../../account/push-account.js');
  const keepUsers = [admin.publicKey];
  const report = await endMaster(home, master.name, { ...options, keepUsers });
  requireComplete(report, `the withdrawal of the users of "${master.name}"`);
  const { liveKey } = await import('../../protocol/records/record.js');
  const { patiently } = await import('./admin.js');
  let left = await peelsOf(look);
  const keys = new Map<string, string | undefined>();
  for (const peelId of left) {
    const asked = () => admin.client.ask('peel.show', { peelId, events: 0 });
    keys.set(peelId, liveKey((await patiently(asked, io.now() + timeout, io)).record)?.publicKey);
  }
  await rotateWithProgress(admin, { keys, limit, timeoutMs: timeout, wait: true }, context);
  // a key that was replaced is revoked once its connection has ended
  const deadline = io.now() + timeout;
  while (!signal.aborted) {
    left = await peelsOf(look);
    if (left.length === 0 || io.now() >= deadline) break;
    await sleep(MASTER_REMOVAL_POLL_MS, signal).catch(() => undefined);
  }
  return left;
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
