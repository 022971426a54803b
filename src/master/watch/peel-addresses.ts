// Describes where a peel connects from, for the audit log.
import { withDeadline } from '../../async/deadline.js';
import type { PeelRecord } from '../../protocol/records/record.js';
import type { MasterContext } from '../context.js';
import { PEEL_ADDRESSES_TIMEOUT_MS } from '../../timing.js';

/** The maximum number of addresses in an event. */
const MAX_LISTED = 3;

/**
 * The addresses that a peel is connected from, for the audit log. For a peel that waits with a join token: the addresses
 * that use the token, since no more is known. At most {@link MAX_LISTED} of them.
 *
 * @returns undefined: not known
 */
export async function peelAddresses(
  { presence, tokens, addressesOf }: MasterContext,
  record: PeelRecord | undefined,
): Promise<string | undefined> {
  if (record === undefined) return undefined;
  const hosts = (presence.seen(record.id)?.connections ?? []).flatMap(({ host }) => host ?? []);
  if (hosts.length > 0) return listAddresses(hosts);
  const tokenId = /^join token ([A-Za-z0-9]{8,40})$/.exec(record.origin ?? '')?.[1];
  const token = tokenId === undefined ? undefined : tokens.get(tokenId);
  if (token === undefined) return undefined;
  const lookup = addressesOf(token.publicKey).catch(() => undefined);
  const addresses = (await withDeadline(lookup, Date.now() + PEEL_ADDRESSES_TIMEOUT_MS)) ?? [];
  return addresses.length === 0 ? undefined : `${listAddresses(addresses)} with the join token ${token.id}`;
}

function listAddresses(addresses: readonly string[]): string {
  const distinct = [...new Set(addresses)].sort();
  const more = distinct.length - MAX_LISTED;
  return `${distinct.slice(0, MAX_LISTED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
