// fromEnv: credentials from an environment variable.
import { CredsError, redactSeeds } from '../errors.js';
import type { CredentialProvider } from './credential-provider.js';
import { parseCredsData } from './parse.js';

/** The default variable for the content of a `.creds` file. */
export const CREDS_CONTENT_VARIABLE = 'ZESTER_CREDS_CONTENT';

/**
 * Credentials from an environment variable that contains a `.creds` file, plain or in base64. The variable is read
 * again while connected. Renewed credentials cannot be stored in it: give `startPeel` a file, or set `renew: false`.
 *
 * Other programs of the same user can read a process's environment: prefer a file with mode 0600.
 *
 * @param variable its name; `ZESTER_CREDS_CONTENT` by default
 * @param env the environment; `process.env` by default
 * @example
 * import { readFile } from 'node:fs/promises';
 * import { connectPeel, fromEnv } from 'zester';
 *
 * process.env.WEB_01_CREDS ??= await readFile('web-01.creds', 'utf8'); // usually set by the service manager
 * const credentials = fromEnv('WEB_01_CREDS');
 * const nc = await connectPeel({ servers: process.env.NATS_URL, peelId: 'web-01', credentials });
 * await nc.drain(); // when the program ends
 */
export function fromEnv(
  variable: string = CREDS_CONTENT_VARIABLE,
  env: NodeJS.ProcessEnv = process.env,
): CredentialProvider {
  const name = redactSeeds(`$${variable}`);
  return {
    name,
    load: () => {
      const value = env[variable]?.trim() ?? '';
      if (value === '') {
        throw new CredsError('ERR_CREDS_NOT_FOUND', name, `the environment variable ${variable} is not set`);
      }
      return parseCredsData(decoded(value), name);
    },
  };
}

/** Decodes base64, if it is base64: a variable often cannot contain newlines. */
function decoded(value: string): string {
  return /^[A-Za-z0-9+/_\s-]+={0,2}$/.test(value) && !value.startsWith('-----')
    ? Buffer.from(value, 'base64').toString('latin1')
    : value;
}
