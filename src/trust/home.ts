// Resolves the path of the home and its servers.
import { userInfo } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { parseServerUrls, splitServerUrls } from '../connection/server-urls.js';
import { ConnectError, FileError } from '../errors.js';

/** The default server. */
export const DEFAULT_SERVER = 'nats://127.0.0.1:4222';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The path of the trust domain: the option, else `ZESTER_HOME`, else `$XDG_DATA_HOME/zester`, else
 * `~/.local/share/zester`. Source: the XDG Base Directory Specification, which requires ignoring relative paths.
 *
 * @param flag the value of `--home`, if any
 * @returns an absolute path
 */
export function homePath(flag: string | undefined, env: Environment = process.env): string {
  const chosen = flag ?? nonEmpty(env['ZESTER_HOME']);
  if (chosen !== undefined) return resolve(chosen);
  const data = nonEmpty(env['XDG_DATA_HOME']);
  if (data !== undefined && isAbsolute(data)) return join(data, 'zester');
  return join(userHome(env), '.local', 'share', 'zester');
}

/**
 * The user's home directory: `HOME` if it is an absolute path, else the one in the system's user database. Never a
 * path relative to the working directory: with `HOME=` (containers, cron), `os.homedir()` returns the empty string.
 *
 * @throws FileError `ERR_FILE_NOT_FOUND` when the user has no home directory
 */
export function userHome(env: Environment = process.env): string {
  const home = env['HOME'] ?? '';
  if (isAbsolute(home)) return home;
  let known = '';
  try {
    known = userInfo().homedir;
  } catch {
    // a user ID without a name, as in many containers
  }
  if (isAbsolute(known)) return known;
  throw new FileError(
    'ERR_FILE_NOT_FOUND',
    '~',
    'this user has no home directory: set HOME, or give --home (or ZESTER_HOME)',
  );
}

/**
 * The servers to connect to: those of the flag, else `ZESTER_SERVERS` (comma-separated), else the home's, else one
 * on this machine.
 *
 * @param flag the value of `--servers`, if any
 * @param ofHome the home's servers, if any
 * @throws ConnectError `ERR_CONNECT_URL`
 */
export function serverUrls(
  flag: string | readonly string[] | undefined,
  ofHome: readonly string[] = [],
  env: Environment = process.env,
): string[] {
  const listed = nonEmpty(env['ZESTER_SERVERS']);
  const [from, named] =
    flag !== undefined && flag.length > 0
      ? ['', flag]
      : listed === undefined
        ? ["the home's servers: ", ofHome]
        : ['$ZESTER_SERVERS: ', [listed]];
  if (splitServerUrls(named).length === 0) return [DEFAULT_SERVER];
  try {
    return parseServerUrls(named).map(({ url }) => url);
  } catch (error) {
    if (from === '' || !(error instanceof ConnectError)) throw error;
    throw new ConnectError(error.code, `${from}${error.message}`);
  }
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === undefined || text.trim() === '' ? undefined : text;
}
