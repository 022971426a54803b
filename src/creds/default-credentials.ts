// defaultCredentials: finds a program's credentials in the usual places.
import { stat } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { CredsError, holdsSeed } from '../errors.js';
import { bag, checkOptions, object, oneOf, text, type Entries } from '../options/check-options.js';
import { validatePeelId } from '../permissions/peel-id.js';
import type { CredentialProvider } from './credential-provider.js';
import { CREDS_CONTENT_VARIABLE, fromEnv } from './from-env.js';

/** The variable with the path of a `.creds` file. */
const CREDS_PATH_VARIABLE = 'ZESTER_CREDS';

/** The options of {@link defaultCredentials}. */
export interface DefaultCredentialsOptions {
  /** The kind of program, which names the file: `<role>.creds`; `peel` by default. */
  role?: 'peel' | 'master' | 'admin' | undefined;
  /** The peel ID: also finds files with this name. */
  peelId?: string | undefined;
  /** The environment; `process.env` by default. */
  env?: Readonly<Record<string, string | undefined>> | undefined;
}

const DEFAULTS = bag({
  role: oneOf(['peel', 'master', 'admin']),
  peelId: text,
  env: object,
} satisfies Entries<DefaultCredentialsOptions>);

/**
 * Finds credentials in the usual places. The first match is used, even if it turns out to be invalid:
 *
 * 1. `$ZESTER_CREDS_CONTENT`: the content of a `.creds` file (see {@link fromEnv});
 * 2. `$ZESTER_CREDS`: the path of a `.creds` file;
 * 3. `peel.creds` in the directories that systemd gives a service: `$STATE_DIRECTORY`, `$CREDENTIALS_DIRECTORY`;
 * 4. with `peelId`: `/var/lib/zester-peel/<id>/peel.creds`, `/etc/zester/<id>.creds`;
 * 5. `peel.creds` in `$XDG_CONFIG_HOME/zester` (`~/.config/zester`), then in `/etc/zester`.
 *
 * With `role`, the files are `master.creds` or `admin.creds`. The search runs once; a returned path is then watched
 * like any other.
 *
 * @returns a path or a provider, for the option `credentials`
 * @throws PeelIdError; CredsError `ERR_CREDS_NOT_FOUND`, which lists the searched places; `ERR_CREDS_INPUT` for unknown
 *   options
 * @example
 * import { connectPeel, defaultCredentials } from 'zester';
 *
 * process.env.ZESTER_CREDS ??= 'web-01.creds'; // usually set by the service manager
 * const peelId = 'web-01';
 * const credentials = await defaultCredentials({ peelId });
 * const nc = await connectPeel({ servers: process.env.NATS_URL, peelId, credentials });
 * await nc.drain(); // when the program ends
 */
export async function defaultCredentials(
  options: DefaultCredentialsOptions = {},
): Promise<string | CredentialProvider> {
  checkOptions('defaultCredentials', options, DEFAULTS, inputError);
  const { role = 'peel', peelId, env = process.env } = options;
  if (peelId !== undefined) validatePeelId(peelId);
  if (isSet(env[CREDS_CONTENT_VARIABLE])) return fromEnv(CREDS_CONTENT_VARIABLE, env);
  const named = env[CREDS_PATH_VARIABLE];
  if (isSet(named)) {
    if (holdsSeed(named))
      throw inputError(`$${CREDS_PATH_VARIABLE} is a seed: give the path of a .creds file`);
    return named;
  }
  const paths = usualPaths({ role, peelId, env });
  for (const path of paths) if (await exists(path)) return path;
  const places = [`$${CREDS_CONTENT_VARIABLE}`, `$${CREDS_PATH_VARIABLE}`, ...paths].join(', ');
  throw new CredsError(
    'ERR_CREDS_NOT_FOUND',
    '',
    `no credentials found in ${places}: put a .creds file there`,
  );
}

/** The paths to check, in order. */
function usualPaths({ role = 'peel', peelId, env = {} }: DefaultCredentialsOptions): string[] {
  const file = `${role}.creds`;
  const home = absolute(env['HOME']) ?? userInfo().homedir;
  // systemd separates several directories with colons
  const ofService = [env['STATE_DIRECTORY'], env['CREDENTIALS_DIRECTORY']].flatMap(
    (list) => list?.split(':') ?? [],
  );
  const ofPeel =
    role !== 'peel' || peelId === undefined
      ? []
      : [join('/var/lib/zester-peel', peelId, file), join('/etc/zester', `${peelId}.creds`)];
  return [
    ...ofService.filter((directory) => isAbsolute(directory)).map((directory) => join(directory, file)),
    ...ofPeel,
    join(absolute(env['XDG_CONFIG_HOME']) ?? join(home, '.config'), 'zester', file),
    join('/etc/zester', file),
  ];
}

/** Whether a path exists. One that cannot be checked counts as existing, so that reading it reports the reason. */
async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code !== 'ENOENT' && code !== 'ENOTDIR';
  }
}

function isSet(value: string | undefined): value is string {
  return value !== undefined && value.trim() !== '';
}

function absolute(path: string | undefined): string | undefined {
  return path !== undefined && isAbsolute(path) ? path : undefined;
}

function inputError(message: string): CredsError {
  return new CredsError('ERR_CREDS_INPUT', '', message);
}
