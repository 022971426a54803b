import type { Command } from 'commander';
import { DEFAULT_HTTP, definitionOf, type SettingName } from './settings.js';

/** What the flags take. */
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
  replicas: '<n>',
  maxRevocations: '<n>',
  maxRevocationsShare: '<share>',
  host: '<address>',
  port: '<port>',
  http: '[address]',
  id: '<id>',
  rotate: '<how>',
  logLevel: '<level>',
};

const MORE: Partial<Readonly<Record<SettingName, string>>> = {
  policy: 'manual, auto-trusted or auto-all',
  rotate: 'hitless or reconnect',
  logLevel: 'debug, info, warn or error',
  http: `without an address ${DEFAULT_HTTP.host}:${DEFAULT_HTTP.port}`,
};

/** Defaults, as they are written on a command line. */
const USUAL: Partial<Readonly<Record<SettingName, string>>> = { lifetime: '24h', maxRevocationsShare: '2%' };

/** What settings default to on the host of a peel, which has no home. */
const WITHOUT_HOME: Partial<Readonly<Record<SettingName, string | undefined>>> = {
  servers: 'nats://127.0.0.1:4222',
  creds: undefined,
  tlsCa: 'those of Node.js',
  tlsCert: undefined,
  tlsKey: undefined,
  requireTls: undefined,
};

/** Adds the flags of settings, and `--config`. None has a default of its own: the configuration has them. */
export function withConfigOptions(
  command: Command,
  names: readonly SettingName[],
  { hasHome = true }: { hasHome?: boolean } = {},
): Command {
  for (const name of names) {
    const { flag, about, env, fallback, otherwise } = definitionOf(name);
    const ofHome = otherwise ?? USUAL[name] ?? (fallback === undefined ? undefined : String(fallback));
    const usual = !hasHome && name in WITHOUT_HOME ? WITHOUT_HOME[name] : ofHome;
    const more = MORE[name] === undefined ? '' : `: ${MORE[name]}`;
    command.option(
      `${flag} ${TAKES[name]}`.trim(),
      `${about}${more} (default: $${env}${usual === undefined ? '' : `, else ${usual}`})`,
    );
  }
  return command.option(
    '--config <file>',
    `settings, as YAML (default: $ZESTER_CONFIG${hasHome ? ', else master.yaml in the home' : ''})`,
  );
}
