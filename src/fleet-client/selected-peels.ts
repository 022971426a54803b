// Lists peels in parts, and verifies that the master applied the label selector.
import { FleetError } from '../errors.js';
import type { AdminClient } from '../protocol/admin-client.js';
import type { AnswerOf, RequestOf } from '../protocol/messages.js';

/**
 * The parts of a list of peels.
 *
 * @throws as `AdminClient.stream`; FleetError `ERR_FLEET_ANSWER` when a selector is given and the master is of an earlier version,
 *   which would list every peel
 */
export async function* selectedPeels(
  client: Pick<AdminClient, 'stream'>,
  request: RequestOf<'peel.list'>,
): AsyncGenerator<AnswerOf<'peel.list'>, void, undefined> {
  let isSelected = request.labels === undefined;
  for await (const part of client.stream('peel.list', request)) {
    isSelected ||= part.selected === true;
    if (!isSelected) throw unselected();
    yield part;
  }
  if (!isSelected) throw unselected();
}

function unselected(): FleetError {
  return new FleetError(
    'ERR_FLEET_ANSWER',
    'the master that answered is of an earlier version, and does not know labels: upgrade the masters',
  );
}
