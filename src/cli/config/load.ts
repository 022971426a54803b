// Loads the configuration from flags, environment, file and defaults.
import { errorMessage } from '../../text/error-message.js';
import { dirname, join, resolve } from 'node:path';
import * as v from 'valibot';
import { FileError, FleetError, UsageError } from '../../errors.js';
import { readTextFile } from '../../files/read-small-file.js';
import { issueText } from '../../protocol/messages.js';
import { homePath } from '../../trust/home.js';
import type { CliIo } from '../terminal/io.js';
import { definitionOf, settingsOf, type ConfigKind, type SettingName, type SETTINGS } from './settings.js';

export type { SettingName };

/** The source of a value. */
export interface ConfigSource {
  kind: 'flag' | 'environment' | 'file' | 'default';
  /** The name of the flag, the variable or the file. */
  name: string;
}

type Value<N extends SettingName> = v.InferOutput<(typeof SETTINGS)[N]['schema']>;
type WithFallback =
  | 'policy'
  | 'lifetime'
  | 'recovery'
  | 'recoveryLimit'
  | 'maxRevocations'
  | 'maxRevocationsShare'
  | 'logLevel'
  | 'rotate'
  | 'reconnectWindow'
  | 'home';
/** The parsed settings. */
export type ConfigValues = { [N in SettingName]?: Value<N> | undefined } & { [N in WithFallback]: Value<N> };

/** A configuration, and the source of each setting. */
export interface Config {
  values: ConfigValues;
  sources: Partial<Record<SettingName, ConfigSource>>;
  /** The configuration file that was read. */
  file: string | undefined;
}

/** The command-line values: options by camel-case name, and `--config`. */
export type ConfigFlags = { config?: string | undefined } & { [N in SettingName]?: unknown };

/**
 * Loads the configuration of a program: flags override environment variables, which override the file. The file is the one
 * named by `--config`, else by `$ZESTER_CONFIG`; by default, a master reads `master.yaml` in its home if it exists.
 *
 * @throws UsageError for a flag; FleetError `ERR_FLEET_CONFIG` for a variable or the file, with its location; FileError
 */
export async function loadConfig(kind: ConfigKind, flags: ConfigFlags, io: CliIo): Promise<Config> {
  const { env } = io;
  const found = await findFile(kind, flags, env);
  const fromFile = found === undefined ? {} : await readConfigFile(kind, found);
  const values: Record<string, unknown> = {};
  const sources: Partial<Record<SettingName, ConfigSource>> = {};
  for (const name of settingsOf(kind)) {
    const { env: variable, flag, fallback, path } = definitionOf(name);
    const text = env[variable];
    if (flags[name] !== undefined) {
      sources[name] = { kind: 'flag', name: flag };
      values[name] = valueOf(name, flags[name], (why) => new UsageError(`${flag} ${why}`));
    } else if (text !== undefined && text !== '') {
      sources[name] = { kind: 'environment', name: variable };
      values[name] = valueOf(name, text, (why) => badConfig(`$${variable} ${why}`));
    } else if (found !== undefined && Object.hasOwn(fromFile, name)) {
      sources[name] = { kind: 'file', name: found.path };
      const value = valueOf(name, fromFile[name], (why) => badConfig(`"${name}" in ${found.path} ${why}`));
      values[name] = path === true ? resolve(dirname(found.path), String(value)) : value;
    } else {
      sources[name] = { kind: 'default', name: '' };
      values[name] = fallback;
    }
  }
  // a peel has none, and must start even if the user has no home directory
  if (kind !== 'peel') values['home'] = homePath(values['home'] as string | undefined, env);
  return { values: values as unknown as ConfigValues, sources, file: found?.path };
}

function badConfig(message: string): FleetError {
  return new FleetError('ERR_FLEET_CONFIG', message);
}

function valueOf(name: SettingName, value: unknown, fail: (why: string) => Error): unknown {
  const parsed = v.safeParse(definitionOf(name).schema, value);
  if (parsed.success) return parsed.output;
  throw fail(issueText(parsed.issues));
}

const MAX_CONFIG_BYTES = 256 * 1024;

interface FoundFile {
  path: string;
  /** It was found in the home, not given explicitly. */
  ofHome: boolean;
}

async function findFile(
  kind: ConfigKind,
  flags: ConfigFlags,
  env: CliIo['env'],
): Promise<FoundFile | undefined> {
  const named = flags.config ?? (env['ZESTER_CONFIG'] === '' ? undefined : env['ZESTER_CONFIG']);
  if (named !== undefined) return { path: resolve(named), ofHome: false };
  if (kind !== 'master') return undefined;
  const home = homePath(typeof flags.home === 'string' ? flags.home : undefined, env);
  return { path: join(home, 'master.yaml'), ofHome: true };
}

/** The value of a YAML text. @throws FleetError `ERR_FLEET_CONFIG` with the position of the first error */
async function yamlOf(text: string, path: string): Promise<unknown> {
  const { LineCounter, parseDocument } = await import('yaml');
  const lineCounter = new LineCounter();
  const parsed = parseDocument(text, {
    // warnings would go to stderr unfiltered, quoting the file
    logLevel: 'error',
    // it would look up the position of every error, and a small file can have tens of thousands
    prettyErrors: false,
    lineCounter,
    // a key of nested keys would be turned into text, which may take minutes, or all memory
    stringKeys: true,
  });
  const [error] = parsed.errors;
  if (error !== undefined) {
    const { line, col } = lineCounter.linePos(error.pos[0]);
    throw badConfig(`${path} is not valid YAML: ${error.message} at line ${line}, column ${col}`);
  }
  try {
    return parsed.toJS();
  } catch (cause) {
    throw badConfig(`${path} is not valid YAML: ${errorMessage(cause)}`);
  }
}

/** The content of the file, by setting name. @throws FleetError `ERR_FLEET_CONFIG`; FileError */
async function readConfigFile(
  kind: ConfigKind,
  found: FoundFile,
): Promise<Readonly<Record<string, unknown>>> {
  const { path, ofHome } = found;
  const text = await readTextFile(path, MAX_CONFIG_BYTES);
  if (text === undefined) {
    if (ofHome) return {};
    throw new FileError('ERR_FILE_NOT_FOUND', path, `cannot read ${path}: no such file`);
  }
  const document = await yamlOf(text, path);
  if (document === null || document === undefined) return {};
  if (typeof document !== 'object' || Array.isArray(document)) {
    throw badConfig(`${path} is not a list of settings: use lines such as "policy: manual"`);
  }
  const settings = document as Record<string, unknown>;
  const known = settingsOf(kind) as string[];
  const unknown = Object.keys(settings).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw badConfig(`${path} has "${unknown}", which is not a setting of a ${kind}: use ${known.join(', ')}`);
  }
  if (ofHome && 'home' in settings) {
    throw badConfig(
      `${path} is in the home and sets "home": remove that line, or pass the file with --config`,
    );
  }
  return settings;
}
