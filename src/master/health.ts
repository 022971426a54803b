// Says how a master is.
import type { MasterContext } from './context.js';
import type { AnswerConnections } from './requests/answer-connections.js';

/** How a master is. */
export interface MasterHealth {
  ok: boolean;
  /** What is wrong, in words. */
  problems: string[];
}

/** Judges a master by its connections and by whether any master watches. */
export function healthOf(
  { nc, watching }: Pick<MasterContext, 'nc' | 'watching'>,
  { auth, enroll, admins }: Pick<AnswerConnections, 'auth' | 'enroll' | 'admins'>,
): MasterHealth {
  const problems = [];
  if (nc.isClosed()) problems.push('the connection is closed');
  else if (nc.buffered.messages > 0) problems.push('the connection is down, and is being restored');
  for (const [who, answering] of [
    ['peels', auth],
    ['join tokens', enroll],
    ['admins', admins],
  ] as const) {
    if (answering.isClosed()) problems.push(`the connection for ${who} is closed`);
  }
  if (watching() === undefined) problems.push("no master follows the servers' events");
  return { ok: problems.length === 0, problems };
}
