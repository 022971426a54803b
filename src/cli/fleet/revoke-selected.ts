// Revokes every peel with certain labels, after a confirmation that lists them.
import { FleetError } from '../../errors.js';
import type { ContextOf } from '../command/context.js';
import { count } from '../terminal/columns.js';
import { confirm } from '../terminal/confirm.js';
import type { Admin } from './admin.js';
import { chosenPeels, choiceWords, someIds, type PeelChoice } from './chosen-peels.js';
import { decideOnEach } from './decide-on-each.js';
import { peelDocument } from './peel-document.js';

/** Concurrent requests: the masters batch them into one change of the account. */
const AT_ONCE = 64;

/**
 * Revokes the chosen peels that are not locked out yet. The selection is fixed before the confirmation.
 *
 * @throws FleetError `ERR_FLEET_UNKNOWN_PEEL` when there is none; as `confirm` and `decideOnEach`
 */
export async function revokeSelected(
  { client }: Admin,
  choice: PeelChoice,
  { reason, yes }: { reason: string | undefined; yes: boolean },
  context: Pick<ContextOf<'nothing'>, 'io' | 'output' | 'interruption'>,
): Promise<void> {
  const ids: string[] = [];
  for await (const { id, state } of chosenPeels(client, choice))
    if (state !== 'revoked' && state !== 'rejected') ids.push(id);
  if (ids.length === 0) {
    throw new FleetError(
      'ERR_FLEET_UNKNOWN_PEEL',
      `no peel that is not locked out already matches ${choiceWords(choice)}: see "zester peel list"`,
    );
  }
  await confirm(context.io, `this locks out ${count(ids.length, 'peel')}: ${someIds(ids)}`, yes);
  await decideOnEach(ids, context, {
    done: 'revoked',
    atOnce: AT_ONCE,
    decide: async (peelId) => {
      const { record, revoked } = await client.ask('peel.revoke', {
        peelId,
        ...(reason !== undefined && { reason }),
      });
      return { ...peelDocument(record), revoked };
    },
    line: ({ state, revoked }) => `${state}, ${count(revoked.length, 'key')}`,
  });
}
