// The options that commands share, by the needs of a command.
import type { Need } from './context.js';
import { given, grouped, list, text, unless, type CommandOption, type ValuesOf } from './option.js';

const HOME = {
  home: text('--home <dir>', 'directory of the trust domain ($ZESTER_HOME)'),
};

/** The TLS options. */
export const TLS_OPTIONS = {
  tlsCa: text('--tls-ca <file>', 'trusted certificate authorities, PEM ($ZESTER_TLS_CA)'),
  tlsCert: text('--tls-cert <file>', 'client certificate, PEM ($ZESTER_TLS_CERT)'),
  tlsKey: text('--tls-key <file>', 'client key, PEM ($ZESTER_TLS_KEY)'),
  requireTls: given('--require-tls', 'refuse servers without TLS ($ZESTER_REQUIRE_TLS)'),
};

const SERVERS = {
  servers: list('--servers <url...>', "server URLs ($ZESTER_SERVERS, or the home's)"),
  ...TLS_OPTIONS,
};

const CREDS = {
  creds: text('--creds <file>', "admin credentials ($ZESTER_CREDS, or the home's)"),
};

const SYSTEM_CREDS = {
  systemCreds: text('--system-creds <file>', "system account credentials (the home's)"),
};

const PUSH = {
  push: unless('--no-push', 'change the home only, not the servers'),
};

type All = typeof HOME & typeof SERVERS & typeof CREDS & typeof SYSTEM_CREDS & typeof PUSH;

/** The values of the shared options that the command has. */
export type SharedValues = { [K in keyof All]?: ValuesOf<All>[K] | undefined };

const GROUP = 'Connection options';
const OF: Readonly<Record<Need, Readonly<Record<string, CommandOption<unknown>>>>> = {
  nothing: {},
  home: grouped(GROUP, HOME),
  servers: grouped(GROUP, { ...HOME, ...SERVERS }),
  fleet: grouped(GROUP, { ...HOME, ...SERVERS, ...CREDS }),
  system: grouped(GROUP, { ...HOME, ...SERVERS, ...SYSTEM_CREDS }),
  change: { ...PUSH, ...grouped(GROUP, { ...HOME, ...SERVERS, ...SYSTEM_CREDS }) },
  operator: grouped(GROUP, { ...HOME, ...SERVERS, ...CREDS, ...SYSTEM_CREDS }),
};

/** The shared options of a command. */
export function sharedOptions(need: Need): Readonly<Record<string, CommandOption<unknown>>> {
  return OF[need];
}
