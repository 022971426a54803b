// The command that lets a host join with a newly created token.
import { shellWord } from '../text/shell-word.js';

/** The default server of a command. */
const USUAL_SERVER = 'nats://127.0.0.1:4222';

/**
 * The command to run on the host, with an ID that the token permits.
 *
 * @param ids the pattern of the token; empty: any ID
 */
export function joinCommand({ path, server, ids }: { path: string; server: string; ids: string }): string {
  const id = ids === '' ? 'web-01' : ids.replaceAll('*', '01').replaceAll('?', '1');
  return [
    `zester peel join --token ${shellWord(path)} --id ${shellWord(id)}`,
    ...(server === USUAL_SERVER ? [] : [`--servers ${shellWord(server)}`]),
    '--run',
  ].join(' ');
}
