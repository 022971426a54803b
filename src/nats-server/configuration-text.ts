// Formats a nats-server configuration file.
import { NatsServerError } from '../errors.js';
import { holdsWholeSeed } from '../text/whole-seeds.js';

/** A value in a nats-server configuration. An undefined member of a map is omitted. */
export type ConfigurationValue = string | number | boolean | readonly ConfigurationValue[] | ConfigurationMap;

/** A block of a nats-server configuration. */
export interface ConfigurationMap {
  readonly [key: string]: ConfigurationValue | undefined;
}

/**
 * The text of a configuration: one member per line, blocks indented.
 *
 * @throws NatsServerError `ERR_NATS_SERVER_OPTIONS` when it contains a seed
 */
export function configurationText(map: ConfigurationMap): string {
  const written = members(map, '');
  if (!holdsWholeSeed(written)) return written;
  throw new NatsServerError(
    'ERR_NATS_SERVER_OPTIONS',
    'a seed was given where a name, an address or a path belongs: anyone who reads the configuration would see it',
  );
}

/**
 * A string in the grammar of the configuration: in double quotes, where variables (`$name`) and comments are not
 * recognized. Source: github.com/nats-io/nats-server, conf/lex.go (`lexDubQuotedString`, `lexStringEscape`).
 */
export function quoted(text: string): string {
  const escaped = text.replace(/["\\\u0000-\u001f\u007f]/g, (character) => {
    if (character === '"' || character === '\\') return `\\${character}`;
    return `\\x${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
  });
  return `"${escaped}"`;
}

function members(map: ConfigurationMap, indent: string): string {
  return Object.entries(map)
    .filter((entry): entry is [string, ConfigurationValue] => entry[1] !== undefined)
    .map(
      ([key, value]) =>
        `${indent}${/^[A-Za-z_]\w*$/.test(key) ? key : quoted(key)}: ${text(value, indent)}\n`,
    )
    .join('');
}

function text(value: ConfigurationValue, indent: string): string {
  if (typeof value === 'string') return quoted(value);
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (isList(value)) return `[${value.map((item) => text(item, indent)).join(', ')}]`;
  return `{\n${members(value, `${indent}  `)}${indent}}`;
}

function isList(
  value: ConfigurationMap | readonly ConfigurationValue[],
): value is readonly ConfigurationValue[] {
  return Array.isArray(value);
}
