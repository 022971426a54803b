// Describes where a peel connects from, for the audit log.
import { withDeadline } from '../../async/deadline.js';
import type { PeelRecord } from '../../protocol/records/record.js';
import type { MasterContext } from '../context.js';
import { PEEL_ADDRESSES_TIMEOUT_MS } from '../../timing.js';

/** Most addresses that an event names. */
const NAMED = 3;

/**
 * Where a peel is, for the audit log: the addresses that it is connected from. For a peel that waits with a join
 * token, the addresses that use the token, since no more is known. At most {@link NAMED} of them.
 *
 * @returns undefined: not known
 */
export async function peelAddresses(
  { presence, tokens, addressesOf }: MasterContext,
  record: PeelRecord | undefined,
): Promise<string | undefined> {
  if (record === undefined) return undefined;
  const hosts = (presence.seen(record.id)?.connections ?? []).flatMap(({ host }) => host ?? []);
  if (hosts.length > 0) return named(hosts);
  const tokenId = /^join token ([A-Za-z0-9]{8,40})$/.exec(record.origin ?? '')?.[1];
  const token = tokenId === undefined ? undefined : tokens.get(tokenId);
  if (token === undefined) return undefined;
  const asked = addressesOf(token.publicKey).catch(() => undefined);
  const addresses = (await withDeadline(asked, Date.now() + PEEL_ADDRESSES_TIMEOUT_MS)) ?? [];
  return addresses.length === 0 ? undefined : `${named(addresses)} with the join token ${token.id}`;
}

function named(addresses: readonly string[]): string {
  const distinct = [...new Set(addresses)].sort();
  const more = distinct.length - NAMED;
  return `${distinct.slice(0, NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
