// Finds the nats-server program.
import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { NatsServerError } from '../errors.js';
import { userHome } from '../trust/home.js';
import { versionSupport } from '../system-account/server-versions.js';
import { VERSION_TIMEOUT_MS } from '../timing.js';

/** The install locations of packages: Debian's is `/usr/sbin`, which a normal user's PATH often lacks. */
const WELL_KNOWN_DIRECTORIES = ['/usr/sbin', '/usr/local/bin'];

/**
 * Finds the `nats-server` program: `ZESTER_NATS_SERVER`, else the first supported one of the `PATH`, the install
 * locations of packages, and the cache that `scripts/set-up` fills. If all are older than the supported range, the
 * first of the `PATH` is used: a single old server still works.
 *
 * @param env the environment; `process.env` by default
 * @returns the program's path
 * @throws NatsServerError `ERR_NATS_SERVER_NOT_FOUND`, which says how to install it
 */
export async function findNatsServer(env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const named = env['ZESTER_NATS_SERVER'];
  if (named !== undefined && named !== '') {
    if (await isProgram(named)) return named;
    throw notFound(`ZESTER_NATS_SERVER is ${named}, which is not an executable program`);
  }
  const path = (env['PATH'] ?? '').split(delimiter).filter((directory) => directory !== '');
  let older: string | undefined;
  for (const directory of [...path, ...WELL_KNOWN_DIRECTORIES, cachedDirectory(env)]) {
    const candidate = join(directory, 'nats-server');
    if (!(await isProgram(candidate))) continue;
    if (!(await isOlder(candidate))) return candidate;
    older ??= candidate;
  }
  if (older !== undefined) return older;
  throw notFound('nats-server is not installed on this machine');
}

/** Where `scripts/get-nats-server` installs Debian's newest version. */
function cachedDirectory(env: NodeJS.ProcessEnv): string {
  const base = nonEmpty(env['XDG_CACHE_HOME']) ?? join(userHome(env), '.cache');
  return join(nonEmpty(env['ZESTER_CACHE']) ?? join(base, 'zester'), 'nats-server', 'testing');
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}

/** Whether a program reports a version below the supported range. An unknown version is checked when it starts. */
async function isOlder(program: string): Promise<boolean> {
  try {
    const { stdout } = await promisify(execFile)(program, ['--version'], { timeout: VERSION_TIMEOUT_MS });
    const version = /v(\d+\.\d+\.\d+)/.exec(stdout)?.[1] ?? '';
    return versionSupport(version, { clustered: false }) === 'below-range';
  } catch {
    return false;
  }
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
