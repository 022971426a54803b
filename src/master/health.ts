// Reports the health of a master.
import type { MasterContext } from './context.js';
import type { MasterHealth } from './master-health.js';
import type { MasterConnections } from './start/connections.js';

type Connection = Pick<MasterConnections['nc'], 'isClosed'>;

/** The connections that a master's health depends on. */
export interface HealthConnections {
  nc: Connection;
  system: Connection;
  answers: Record<'auth' | 'enroll' | 'admins', Connection>;
  log: Pick<MasterConnections['log'], 'down'>;
  serverWatch: Pick<MasterConnections['serverWatch'], 'problem'>;
}

/** A master is healthy if its connections are up and some master watches. */
export function healthOf(
  { watching }: Pick<MasterContext, 'watching'>,
  { nc, system, answers, log, serverWatch }: HealthConnections,
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
  if (serverWatch.problem !== undefined) problems.push(serverWatch.problem);
  return { ok: problems.length === 0, problems };
}
