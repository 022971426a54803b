// Ends a master's users, and has the other masters give its peels new keys.
import { sleep } from '../../async/sleep.js';
import type { MasterDependents } from '../../masters/dependents.js';
import type { RosterEntry } from '../../masters/roster.js';
import { MASTER_REMOVAL_POLL_MS } from '../../timing.js';
import type { ContextOf } from '../command/context.js';

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
  const { io, output, system, fleet } = context;
  const signal = context.interruption();
  const admin = await fleet();
  const { home, ...options } = await system();
  await requireOthers(master, await system());
  const { endMaster } = await import('../../masters/remove-master.js');
  const { requireComplete } = await import('../../account/push-account.js');
  const keepUsers = [admin.publicKey];
  const report = await endMaster(home, master.name, { ...options, keepUsers });
  requireComplete(report, `the withdrawal of the users of "${master.name}"`);
  const { rotatePeels, liveKeyOf } = await import('./rotate-peels.js');
  const { Progress } = await import('../bulk/progress.js');
  const { patiently } = await import('./admin.js');
  const progress = new Progress(io, output.quiet, 'rotated');
  let left = await peelsOf(look);
  const keys = new Map<string, string | undefined>();
  for (const peelId of left) {
    const asked = () => admin.client.ask('peel.show', { peelId, events: 0 });
    keys.set(peelId, liveKeyOf((await patiently(asked, io.now() + timeout, io)).record));
  }
  try {
    await rotatePeels(
      admin,
      {
        keys,
        limit,
        timeoutMs: timeout,
        wait: true,
        signal,
        onProgress: ({ done }) => {
          progress.done = done.size;
          progress.share = keys.size === 0 ? 1 : done.size / keys.size;
          progress.tell();
        },
        onFailed: (peelId, error) => {
          progress.clear();
          output.warn(`${peelId}: ${error.message} [${error.code}]`);
        },
      },
      io,
    );
  } finally {
    progress.clear();
  }
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
  { home, ...options }: Awaited<ReturnType<ContextOf<'operator'>['system']>>,
): Promise<void> {
  const { listMasters } = await import('../../masters/list-masters.js');
  const masters = await listMasters(home, options);
  // of a home that was copied by hand it is not known
  if (masters.some((one) => one.name !== name && one.connections?.length !== 0)) return;
  const { FleetError } = await import('../../errors.js');
  throw new FleetError(
    'ERR_FLEET_NO_MASTER',
    `no master but "${name}" is connected: start another one first, since it renews the peels; nothing was changed`,
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
