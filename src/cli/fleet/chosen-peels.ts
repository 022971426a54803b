// Peels that a command line chooses by a pattern, by labels, or by both.
import type { AdminClient } from '../../protocol/admin-client.js';
import type { RequestOf } from '../../protocol/messages.js';
import type { PeelRecord } from '../../protocol/records/record.js';
import { selectedPeels } from '../../fleet-client/selected-peels.js';

/** The filters; with neither, all peels match. */
export interface PeelChoice {
  /** A glob over IDs. */
  pattern?: string | undefined;
  /** A label selector. */
  labels?: string | undefined;
}

/** The records of chosen peels, by ID, as they arrive. @throws as `selectedPeels` */
export async function* chosenPeels(
  client: Pick<AdminClient, 'stream'>,
  { pattern, labels }: PeelChoice,
  state?: RequestOf<'peel.list'>['state'],
): AsyncGenerator<PeelRecord, void, undefined> {
  const request = {
    ...(pattern !== undefined && { pattern }),
    ...(labels !== undefined && { labels }),
    ...(state !== undefined && { state }),
  };
  for await (const { peels } of selectedPeels(client, request)) for (const { record } of peels) yield record;
}

/** Describes a choice, for use after "matches". */
export function choiceWords({ pattern, labels }: PeelChoice): string {
  return [
    ...(pattern === undefined ? [] : [`"${pattern}"`]),
    ...(labels === undefined ? [] : [`the labels "${labels}"`]),
  ].join(' and ');
}

/** The first few IDs, for display. */
export function someIds(ids: Iterable<string>): string {
  const all = [...ids];
  return all.length <= 8 ? all.join(', ') : `${all.slice(0, 8).join(', ')} and ${all.length - 8} more`;
}
