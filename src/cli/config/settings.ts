// Every setting of a master and a peel: name, type, default, environment variable.
import * as v from 'valibot';
import { parseServerUrls } from '../../connection/server-urls.js';
import {
  DEFAULT_LIFETIME_SECONDS,
  DEFAULT_POLICY,
  DEFAULT_RECOVERY_LIMIT,
  DEFAULT_RECOVERY_SECONDS,
} from '../../master/default-options.js';
import { POLICIES } from '../../master/requests/policy.js';
import { DEFAULT_BREAKER_LIMITS } from '../../master/revocation/breaker.js';
import { DEFAULT_REPLICAS, REPLICAS } from '../../master/store/replicas.js';
import { RECONNECT_WAIT_MS } from '../../timing.js';
import { secondsOf } from '../../text/seconds-of.js';

/** The levels of the log. */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

const text = v.pipe(v.string('is not a string'), v.nonEmpty('is empty'));
const port = v.pipe(
  v.union([v.pipe(v.string(), v.regex(/^(-1|\d{1,5})$/), v.transform(Number)), v.number()], 'is not a port'),
  v.integer('is not a port'),
  v.check(
    (value) => value === -1 || (value > 0 && value <= 65_535),
    'is not a port: use 1 to 65535, or -1 for any free port',
  ),
);
const urls = v.pipe(
  v.union([v.string(), v.array(v.string())], 'is not a list of URLs'),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    try {
      return parseServerUrls(dataset.value).map(({ url }) => url);
    } catch (error) {
      addIssue({ message: `cannot be used: ${(error as Error).message}` });
      return NEVER;
    }
  }),
);
const yesOrNo = v.pipe(
  v.union(
    [v.boolean(), v.picklist(['1', '0', 'true', 'false', 'yes', 'no', 'on', 'off'])],
    'is not true or false',
  ),
  v.transform((value) => value === true || ['1', 'true', 'yes', 'on'].includes(String(value))),
);
/** Seconds, or a number with a unit; NaN for anything else. */
const seconds = v.pipe(
  v.union([v.string(), v.number()]),
  v.transform((value) =>
    typeof value === 'number' || /^\d{1,9}$/.test(value) ? Number(value) : (secondsOf(value) ?? NaN),
  ),
);
const lifetime = v.pipe(
  v.union([
    v.pipe(
      v.literal('none'),
      v.transform(() => 0),
    ),
    seconds,
  ]),
  v.check(
    (value) => value === 0 || (Number.isInteger(value) && value >= 5),
    'is not a lifetime: use e.g. 24h or 7d, at least 5s; 0 or none = never expires',
  ),
);

const waitSeconds = v.pipe(
  seconds,
  v.check(
    (value) => Number.isInteger(value) && value >= 1 && value <= 86_400,
    'is not a time: use e.g. 30s or 2m, at least 1s',
  ),
);

const count = v.pipe(
  v.union(
    [v.pipe(v.string(), v.regex(/^\d{1,9}$/), v.transform(Number)), v.number()],
    'is not a number of peels',
  ),
  v.integer('is not a number of peels'),
  v.minValue(0, 'is not a number of peels: use 0 or more'),
);
const share = v.pipe(
  v.union(
    [v.pipe(v.string(), v.regex(/^\d{1,3}(\.\d{1,6})?%?$/), v.transform(shareOf)), v.number()],
    'is not a share: use e.g. 2% or 0.02',
  ),
  v.check((value) => value >= 0 && value <= 1, 'is not a share: use 0% to 100%, or 0 to 1'),
);
function shareOf(text: string): number {
  return text.endsWith('%') ? Number(text.slice(0, -1)) / 100 : Number(text);
}

const times = v.pipe(
  v.union([v.pipe(v.string(), v.regex(/^\d{1,9}$/), v.transform(Number)), v.number()], 'is not a number'),
  v.integer('is not a number'),
  v.minValue(0, 'is not a number: use 0 or more'),
);
const recovery = v.pipe(
  v.union([v.literal('manual'), seconds]),
  v.check(
    (value) => value === 'manual' || (Number.isInteger(value) && value >= 0),
    'is not a time: use e.g. 30d, 0 (never), or manual (an admin accepts each)',
  ),
);

/** The default address of metrics and health. */
export const DEFAULT_HTTP = { host: '127.0.0.1', port: 9464 } as const;
const http = v.pipe(
  v.union([v.string(), v.number(), v.boolean()], 'is not an address'),
  v.transform((value): { host: string; port: number } | undefined => {
    if (value === false || value === 'off' || value === 'false') return undefined;
    if (value === true || value === 'on' || value === 'true') return { ...DEFAULT_HTTP };
    const match = /^(?:\[([0-9a-f:]+)\]:|([^:\s]+):|:)?(\d{1,5})$/i.exec(String(value));
    return match === null
      ? { host: '', port: NaN }
      : { host: match[1] ?? match[2] ?? DEFAULT_HTTP.host, port: Number(match[3]) };
  }),
  v.check(
    (value) => value === undefined || (value.port >= 0 && value.port <= 65_535),
    'is not an address: use e.g. 127.0.0.1:9464, a port, or "off"',
  ),
);

/** The program that a setting belongs to. */
export const CONFIG_KINDS = ['master', 'peel'] as const;
export type ConfigKind = (typeof CONFIG_KINDS)[number];

interface Definition {
  env: string;
  flag: string;
  kinds: readonly ConfigKind[];
  schema: v.GenericSchema<unknown, unknown>;
  /** A path of a file or directory; in a configuration file, relative to that file. */
  path?: true;
  /** The default; absent: undefined. */
  fallback?: unknown;
  /** The default as a description, if it is not a value. */
  otherwise?: string;
  about: string;
}

/** All settings, by their names in a configuration file. */
export const SETTINGS = {
  home: {
    env: 'ZESTER_HOME',
    flag: '--home',
    kinds: ['master'],
    schema: text,
    path: true,
    otherwise: '$XDG_DATA_HOME/zester, else ~/.local/share/zester',
    about: 'directory of the trust domain',
  },
  servers: {
    env: 'ZESTER_SERVERS',
    flag: '--servers',
    kinds: ['master', 'peel'],
    schema: urls,
    otherwise: "the home's, else nats://127.0.0.1:4222",
    about: 'server URLs',
  },
  tlsCa: {
    env: 'ZESTER_TLS_CA',
    flag: '--tls-ca',
    kinds: ['master', 'peel'],
    schema: text,
    path: true,
    otherwise: "the home's, else those of Node.js",
    about: 'trusted certificate authorities, PEM',
  },
  tlsCert: {
    env: 'ZESTER_TLS_CERT',
    flag: '--tls-cert',
    kinds: ['master', 'peel'],
    schema: text,
    path: true,
    otherwise: "the home's",
    about: 'client certificate, PEM',
  },
  tlsKey: {
    env: 'ZESTER_TLS_KEY',
    flag: '--tls-key',
    kinds: ['master', 'peel'],
    schema: text,
    path: true,
    otherwise: "the home's",
    about: 'client key, PEM',
  },
  requireTls: {
    env: 'ZESTER_REQUIRE_TLS',
    flag: '--require-tls',
    kinds: ['master', 'peel'],
    schema: yesOrNo,
    otherwise: 'as the home says',
    about: 'refuse servers without TLS',
  },
  creds: {
    env: 'ZESTER_CREDS',
    flag: '--creds',
    kinds: ['master', 'peel'],
    schema: text,
    path: true,
    otherwise: "the home's creds/master.creds",
    about: 'the .creds file to connect with',
  },
  systemCreds: {
    env: 'ZESTER_SYSTEM_CREDS',
    flag: '--system-creds',
    kinds: ['master'],
    schema: text,
    path: true,
    otherwise: "the home's creds/system.creds",
    about: 'system account credentials',
  },
  policy: {
    env: 'ZESTER_POLICY',
    flag: '--policy',
    kinds: ['master'],
    schema: v.picklist(POLICIES, `is not a policy: use ${POLICIES.join(', ')}`),
    fallback: DEFAULT_POLICY,
    about: 'how new peels are accepted',
  },
  lifetime: {
    env: 'ZESTER_LIFETIME',
    flag: '--lifetime',
    kinds: ['master'],
    schema: lifetime,
    fallback: DEFAULT_LIFETIME_SECONDS,
    about: 'credential lifetime, e.g. 24h; 0 = never expires',
  },
  recovery: {
    env: 'ZESTER_RECOVERY',
    flag: '--recovery',
    kinds: ['master'],
    schema: recovery,
    fallback: DEFAULT_RECOVERY_SECONDS,
    about: 'recovery after expiry, e.g. 30d, 0 or manual',
  },
  recoveryLimit: {
    env: 'ZESTER_RECOVERY_LIMIT',
    flag: '--recovery-limit',
    kinds: ['master'],
    schema: times,
    fallback: DEFAULT_RECOVERY_LIMIT,
    about: 'recoveries per peel in 30 days',
  },
  replicas: {
    env: 'ZESTER_REPLICAS',
    flag: '--replicas',
    kinds: ['master'],
    schema: v.pipe(
      v.union([v.pipe(v.string(), v.regex(/^\d$/), v.transform(Number)), v.number()]),
      v.picklist(REPLICAS, `is not one of ${REPLICAS.join(', ')}`),
    ),
    otherwise: `${DEFAULT_REPLICAS.clustered}; ${DEFAULT_REPLICAS.single} without a cluster`,
    about: `copies of registry and audit log: ${REPLICAS.join(', ')}`,
  },
  maxRevocations: {
    env: 'ZESTER_MAX_REVOCATIONS',
    flag: '--max-revocations',
    kinds: ['master'],
    schema: count,
    fallback: DEFAULT_BREAKER_LIMITS.peels,
    about: 'automatic revocations per minute',
  },
  maxRevocationsShare: {
    env: 'ZESTER_MAX_REVOCATIONS_SHARE',
    flag: '--max-revocations-share',
    kinds: ['master'],
    schema: share,
    fallback: DEFAULT_BREAKER_LIMITS.share,
    about: 'the same, as a share of peels',
  },
  host: {
    env: 'ZESTER_HOST',
    flag: '--host',
    kinds: ['master'],
    schema: text,
    otherwise: "from the home's server on this machine, else 127.0.0.1",
    about: 'address that the server listens on',
  },
  port: {
    env: 'ZESTER_PORT',
    flag: '--port',
    kinds: ['master'],
    schema: port,
    otherwise: "from the home's server on this machine, else 4222",
    about: 'client port of the server',
  },
  http: {
    env: 'ZESTER_HTTP',
    flag: '--http',
    kinds: ['master'],
    schema: http,
    otherwise: 'off',
    about: 'address for /metrics and /healthz',
  },
  id: {
    env: 'ZESTER_PEEL_ID',
    flag: '--id',
    kinds: ['peel'],
    schema: text,
    otherwise: 'the name in the credentials',
    about: 'peel ID that the credentials must belong to',
  },
  rotate: {
    env: 'ZESTER_ROTATE',
    flag: '--rotate',
    kinds: ['peel'],
    schema: v.picklist(['hitless', 'reconnect'], 'is not hitless or reconnect'),
    fallback: 'hitless',
    about: 'how to switch to new credentials',
  },
  reconnectWindow: {
    env: 'ZESTER_RECONNECT_WINDOW',
    flag: '--reconnect-window',
    kinds: ['peel'],
    schema: waitSeconds,
    fallback: RECONNECT_WAIT_MS / 1_000,
    about: 'spread reconnects over this time; more for a large fleet',
  },
  logLevel: {
    env: 'ZESTER_LOG_LEVEL',
    flag: '--log-level',
    kinds: ['master', 'peel'],
    schema: v.picklist(LOG_LEVELS, `is not a log level: use ${LOG_LEVELS.join(', ')}`),
    fallback: 'info',
    about: 'log level',
  },
} as const satisfies Record<string, Definition>;

export type SettingName = keyof typeof SETTINGS;

/** The settings of a program. */
export function settingsOf(kind: ConfigKind): SettingName[] {
  return (Object.keys(SETTINGS) as SettingName[]).filter((name) => {
    const { kinds }: Definition = SETTINGS[name];
    return kinds.includes(kind);
  });
}

/** A setting without its literal types. */
export function definitionOf(name: SettingName): Definition {
  return SETTINGS[name];
}
