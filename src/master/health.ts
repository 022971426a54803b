// Says how a master is.
import type { MasterContext } from './context.js';
import type { MasterHealth } from './master-health.js';
import type { Links } from './start/links.js';

/** What the health of a master depends on, besides its context. */
export type HealthLinks = Pick<Links, 'nc' | 'system' | 'log'> & {
  answers: Pick<Links['answers'], 'auth' | 'enroll' | 'admins'>;
};

/** Judges a master by its connections and by whether any master watches. */
export function healthOf(
  { watching }: Pick<MasterContext, 'watching'>,
  { nc, system, answers, log }: HealthLinks,
): MasterHealth {
  const problems = [];
  for (const [which, name, connection] of [
    ['the connection', 'zester-master', nc],
    ['the connection to the system account', 'zester-master-system', system],
    ['the connection for peels', 'zester-master-auth', answers.auth],
    ['the connection for join tokens', 'zester-master-enroll', answers.enroll],
    ['the connection for admins', 'zester-master-admins', answers.admins],
  ] as const) {
    if (connection.isClosed()) problems.push(`${which} is closed`);
    else if (log.down.has(name)) problems.push(`${which} is down, and is being restored`);
  }
  if (watching() === undefined) problems.push("no master follows the servers' events");
  return { ok: problems.length === 0, problems };
}
