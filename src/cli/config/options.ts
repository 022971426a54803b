// The options of programs that are configured by flags, environment and file.
import type { CommandOption } from '../command/option.js';
import { POLICIES } from '../../master/requests/policy.js';
import { daysText, lifetimeText } from '../options/duration.js';
import { definitionOf, LOG_LEVELS, type SettingName } from './settings.js';

/** The value placeholders of the flags. */
const TAKES: Readonly<Record<SettingName, string>> = {
  home: '<dir>',
  servers: '<url...>',
  tlsCa: '<file>',
  tlsCert: '<file>',
  tlsKey: '<file>',
  requireTls: '',
  creds: '<file>',
  systemCreds: '<file>',
  policy: '<policy>',
  lifetime: '<time>',
  recovery: '<time>',
  recoveryLimit: '<n>',
  replicas: '<n>',
  maxRevocations: '<n>',
  maxRevocationsShare: '<share>',
  host: '<address>',
  port: '<port>',
  http: '[address]',
  id: '<id>',
  rotate: '<how>',
  reconnectWindow: '<time>',
  logLevel: '<level>',
};

const MORE: Partial<Readonly<Record<SettingName, string>>> = {
  policy: oneOf(POLICIES),
  rotate: 'hitless or reconnect',
  logLevel: oneOf(LOG_LEVELS),
};

/** Defaults in command-line form. */
const AS_WRITTEN: Partial<Readonly<Record<SettingName, (value: number) => string>>> = {
  lifetime: lifetimeText,
  recovery: daysText,
  reconnectWindow: (seconds) => `${seconds}s`,
  maxRevocationsShare: (share) => `${share * 100}%`,
};

function oneOf(words: readonly string[]): string {
  return `${words.slice(0, -1).join(', ')} or ${words.at(-1) ?? ''}`;
}

/** The settings for servers and credentials. */
const CONNECTION: ReadonlySet<SettingName> = new Set([
  'home',
  'servers',
  'tlsCa',
  'tlsCert',
  'tlsKey',
  'requireTls',
  'creds',
  'systemCreds',
]);

/**
 * The options of settings, and `--config`. They have no defaults or checks: `loadConfig` does both, for every source.
 */
export function configOptions<N extends SettingName>(
  names: readonly N[],
): Record<N, CommandOption<unknown>> & { config: CommandOption<string | undefined> } {
  const options = names.map((name) => {
    const { flag, about, fallback } = definitionOf(name);
    const usual =
      typeof fallback === 'number'
        ? (AS_WRITTEN[name] ?? String)(fallback)
        : (fallback as string | undefined);
    const more = MORE[name] === undefined ? '' : `: ${MORE[name]}`;
    const text = `${about}${more}${usual === undefined ? '' : ` (default: ${usual})`}`;
    const option: CommandOption<unknown> = {
      flags: [{ flags: `${flag} ${TAKES[name]}`.trim(), about: text }],
      ...(CONNECTION.has(name) && { group: 'Connection options' }),
      read: (given) => given,
    };
    return [name, option] as const;
  });
  return {
    ...(Object.fromEntries(options) as Record<N, CommandOption<unknown>>),
    config: {
      flags: [{ flags: '--config <file>', about: 'settings, as YAML ($ZESTER_CONFIG)' }],
      read: (given) => (typeof given === 'string' ? given : undefined),
    },
  };
}
