// Reads the roster of the masters from the home and the servers.
import { newestClaims, newestSystemClaims, type OpenHome } from '../account/change-account.js';
import { ownUsers } from '../trust/own-users.js';
import { rosterOf, type RosterEntry } from './roster.js';

/**
 * The masters in the newest account JWTs, with the users that only the home knows: its own, and those of masters with
 * unlabeled keys.
 *
 * @throws NatsServerError, CredsError, FileError
 */
export async function readRoster(open: OpenHome): Promise<RosterEntry[]> {
  const { domain } = open;
  const { masterName, publicKeys, settings } = domain;
  const roster = rosterOf(await newestClaims(open), await newestSystemClaims(open), publicKeys.peelSigning);
  const known = { ...settings.knownMasters, [masterName]: await ownUsers(domain.paths) };
  return roster.map((entry) =>
    entry.users.length > 0 ? entry : { ...entry, users: known[entry.name] ?? [] },
  );
}
