// Finds streams that a peel can make publish acknowledgements to any subject.
import { FLEET_STREAMS } from '../permissions/names.js';
import { peelPermissionsTemplate } from '../permissions/roles.js';
import { subjectsOverlap } from '../permissions/subjects-overlap.js';
import type { AccountStream } from '../system-account/account-streams.js';

/**
 * The names of the streams that acknowledge a peel's messages. A peel chooses the reply subject of what it publishes,
 * and the server sends the stream's acknowledgement there without checking the peel's permissions: to a command subject
 * of another peel, or over a record. `no_ack` in the stream's configuration prevents that.
 *
 * @param published the subjects that a peel may publish to, with templates; by default those of a new account
 */
export function acknowledgingStreams(
  streams: readonly Pick<AccountStream, 'name' | 'config'>[],
  published: readonly string[] = peelPermissionsTemplate().publish?.allow ?? [],
): string[] {
  const patterns = published.map((subject) => subject.replaceAll(/\{\{[^}]*\}\}/g, '*'));
  const names = streams
    .filter(
      ({ name, config }) =>
        // peels publish nothing to the fleet's own streams
        !FLEET_STREAMS.has(name) &&
        config?.no_ack === false &&
        config.subjects.some((subject) => patterns.some((pattern) => subjectsOverlap(pattern, subject))),
    )
    .map(({ name }) => name);
  return [...new Set(names)].sort();
}
