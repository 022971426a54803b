// Checks whether servers that have not confirmed a push yet already enforce its revocations.
import { sleep } from '../async/sleep.js';
import type { DirectConnections } from '../system-account/direct-connections.js';
import type { ServerInfo } from '../system-account/servers.js';
import { PUSH_CHECK_AFTER_MS, PUSH_CHECK_INTERVAL_MS } from '../timing.js';
import { MANY_USERS, type Ban } from './ban.js';
import { revocationsInForce } from './held-account.js';

/** A push that waits for answers. */
export interface PendingPush {
  direct: DirectConnections;
  /** The public key of the account (`A…`). */
  account: string;
  /** The servers that have not answered yet. */
  late(): readonly ServerInfo[];
  /** Aborted when no more answers are expected. */
  ended: AbortSignal;
}

/**
 * Queries late servers, over connections that the push does not block, for the revocations that they enforce: they do
 * so before they verify all connections and confirm. Only for bans of a few users, whose connections can be looked up
 * one by one.
 *
 * @param enforcing the IDs of servers that enforce the ban are added to it
 * @returns when no server is late any more, or the push has ended. Never rejects
 */
export async function watchLateServers(
  { direct, account, late, ended }: PendingPush,
  ban: Ban | undefined,
  enforcing: Set<string>,
): Promise<void> {
  if (ban?.isAmong === undefined || (ban.users?.length ?? Infinity) > MANY_USERS) return;
  const pause = (ms: number) => sleep(ms, ended).catch(() => undefined);
  const remaining = () => late().filter(({ id }) => !enforcing.has(id));
  await pause(PUSH_CHECK_AFTER_MS);
  if (ended.aborted) return;
  await direct.open();
  while (!ended.aborted && remaining().length > 0) {
    for (const id of await enforcingServers({ direct, up: remaining() }, account, ban)) enforcing.add(id);
    if (!ended.aborted && remaining().length > 0) await pause(PUSH_CHECK_INTERVAL_MS);
  }
}

/**
 * The IDs of the servers that enforce a ban, whether or not they have applied the account JWT entirely. Queries only those
 * with a direct connection.
 */
export async function enforcingServers(
  { direct, up }: { direct: DirectConnections; up: readonly ServerInfo[] },
  account: string,
  { isAmong }: Ban,
): Promise<Set<string>> {
  if (isAmong === undefined) return new Set();
  const found = await Promise.all(
    up.map(async ({ id }) => {
      if (!direct.has(id)) return [];
      const revocations = await revocationsInForce(direct.over(id), id, account);
      return revocations !== undefined && isAmong(revocations) ? [id] : [];
    }),
  );
  return new Set(found.flat());
}
