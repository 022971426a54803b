import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { NatsServerError } from '../errors.js';

/** Where packages put it: Debian's into `/usr/sbin`, which the PATH of a user who is not root often lacks. */
const WELL_KNOWN_DIRECTORIES = ['/usr/sbin', '/usr/local/bin'];

/**
 * Finds the `nats-server` program: where `ZESTER_NATS_SERVER` says, else on the `PATH`, else where packages put it.
 *
 * @param env the environment; `process.env` by default
 * @returns the program's path
 * @throws NatsServerError `ERR_NATS_SERVER_NOT_FOUND`, which says how to install it
 */
export async function findNatsServer(env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const named = env['ZESTER_NATS_SERVER'];
  if (named !== undefined && named !== '') {
    if (await isProgram(named)) return named;
    throw notFound(`ZESTER_NATS_SERVER is ${named}, which is no program that can be run`);
  }
  const path = (env['PATH'] ?? '').split(delimiter).filter((directory) => directory !== '');
  for (const directory of [...path, ...WELL_KNOWN_DIRECTORIES]) {
    const candidate = join(directory, 'nats-server');
    if (await isProgram(candidate)) return candidate;
  }
  throw notFound('there is no nats-server on this machine');
}

async function isProgram(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

function notFound(why: string): NatsServerError {
  return new NatsServerError(
    'ERR_NATS_SERVER_NOT_FOUND',
    `${why}: install it with "apt-get install nats-server" (Debian), "brew install nats-server" (macOS) or in a ` +
      'container ("docker run --network host nats"), or set ZESTER_NATS_SERVER to the path of the program',
  );
}
