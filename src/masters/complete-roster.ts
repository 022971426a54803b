// Adds to a roster the users that only the home knows.
import type { TrustDomain } from '../trust/domain.js';
import { ownUsers } from './own-users.js';
import type { RosterEntry } from './roster.js';

/** With what the home knows: of itself, and of masters whose keys have no label. */
export async function completeRoster(
  domain: TrustDomain,
  roster: readonly RosterEntry[],
): Promise<RosterEntry[]> {
  const { knownMasters = {} } = domain.settings;
  const known = { ...knownMasters, [domain.masterName]: await ownUsers(domain) };
  return roster.map((entry) =>
    entry.users.length > 0 ? entry : { ...entry, users: known[entry.name] ?? [] },
  );
}
