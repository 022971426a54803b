import type { Command } from 'commander';
import { UsageError } from '../../errors.js';
import type { AdoptedTrustFiles } from '../../trust/load-adopted.js';
import {
  homeOf,
  withHomeOption,
  withTlsOptions,
  type HomeOptions,
  type ServersOptions,
} from '../home-options.js';
import { tlsSettings } from '../../trust/tls-settings.js';
import type { CliIo } from '../io.js';
import { Output, table, type GlobalOptions } from '../output.js';
import { seedPath } from '../seed-path.js';

interface Options extends GlobalOptions, HomeOptions, ServersOptions, Partial<AdoptedTrustFiles> {
  operator?: string;
  account?: string;
}

/** `zester init`: from nothing to a trust domain. */
export function registerInit(parent: Command, io: CliIo): void {
  withTlsOptions(withHomeOption(parent.command('init')))
    .description(
      'make the trust domain of a fleet: operator, accounts, signing keys and the first credentials',
    )
    .option('--operator <name>', 'the name of the new operator (default: zester)')
    .option('--account <name>', "the name of the fleet's new account (default: fleet)")
    .option('--servers <url...>', "the fleet's servers, kept for the commands that connect")
    .option('--operator-jwt <file>', 'take over this operator instead of making one')
    .option('--operator-signing-seed <file>', 'with it: the seed of a signing key of the operator')
    .option('--operator-seed <file>', "with it: the operator's own seed (without it, it stays offline)")
    .option('--system-account-jwt <file>', "with it: the operator's system account")
    .option('--system-creds <file>', 'with it: the .creds file of a user of the system account')
    .option('--system-account-seed <file>', 'or: the seed of that account, to make a user with')
    .option(
      '--account-jwt <file>',
      "take over this account for the fleet; the peels' and the join tokens' signing keys are added to it",
    )
    .option('--account-seed <file>', 'with it: the seed of the account, or of an unscoped signing key of it')
    .option('--peel-signing-seed <file>', 'take over this scoped signing key for the peels')
    .option(
      '--join-signing-seed <file>',
      'take over this scoped signing key, of the role "join", for join tokens',
    )
    .addHelpText(
      'after',
      `
A home that has a trust domain is left as it is. A run that was interrupted is completed by the same command.
With --account-jwt the account changes, by the added keys: give it to the servers with "zester account push".

Examples:
  $ zester init
  $ zester init --home /srv/zester --operator acme --account plant-7 --servers nats://n1:4222 nats://n2:4222
  $ zester init --operator-jwt acme.jwt --operator-signing-seed acme-sk.nk \\
      --system-account-jwt SYS.jwt --system-creds sys.creds`,
    )
    .action(async (_options, command: Command) => {
      await init(command.optsWithGlobals<Options>(), io);
    });
}

async function init(options: Options, io: CliIo): Promise<void> {
  const output = new Output(io, options);
  const home = homeOf(options, io);
  const files = adoptedFiles(options);
  const tls = tlsSettings(options, {}, {});
  const { parseServerUrls } = await import('../../connection/server-urls.js');
  const servers =
    options.servers === undefined ? undefined : parseServerUrls(options.servers).map(({ url }) => url);
  const { loadAdoptedTrust, wipeAdoptedTrust } = await import('../../trust/load-adopted.js');
  const { createTrustDomain } = await import('../../trust/create.js');
  const adopt = files === undefined ? undefined : await loadAdoptedTrust(files);
  const steps: { path: string; made: boolean }[] = [];
  try {
    const domain = await createTrustDomain(home, {
      ...(options.operator !== undefined && { operatorName: options.operator }),
      ...(options.account !== undefined && { accountName: options.account }),
      ...(servers !== undefined && { servers }),
      ...tls,
      ...(adopt !== undefined && { adopt }),
      now: io.now,
      onStep: (step) => steps.push(step),
    });
    const { ensureServerConfiguration } = await import('../../nats-server/write-configuration.js');
    const configuration = await ensureServerConfiguration(domain);
    if (configuration !== undefined) steps.push(configuration);
    const { names, publicKeys } = domain;
    const made = steps.filter((step) => step.made).map(({ path }) => path);
    const state = made.length === 0 ? 'unchanged' : made.length === steps.length ? 'created' : 'completed';
    output.result(
      [
        {
          unchanged: `${domain.home} has a trust domain already; nothing was changed`,
          created: `made a trust domain in ${domain.home}`,
          completed: `completed the trust domain in ${domain.home}: ${made.length} of ${steps.length} files were missing`,
        }[state],
        ...table([
          ['operator', `${names.operator}  ${publicKeys.operator}`],
          ['system account', `${names.systemAccount}  ${publicKeys.systemAccount}`],
          ['account', `${names.account}  ${publicKeys.account}`],
          ['peels signed by', publicKeys.peelSigning],
          ['tokens signed by', publicKeys.joinSigning ?? 'none yet: "zester keys add join-signing"'],
          ...(domain.servers.length > 0 ? [['servers', domain.servers] as const] : []),
        ]),
      ],
      {
        home: domain.home,
        state,
        made,
        names,
        publicKeys: { ...publicKeys, joinSigning: publicKeys.joinSigning ?? null },
        servers: domain.servers,
      },
    );
    if (servers !== undefined && servers.join() !== domain.servers.join()) {
      output.warn(
        `the servers of ${domain.home} stay ${domain.servers.join(', ') || 'not set'}: edit "servers" in ` +
          `${domain.paths.settings} to change them`,
      );
    }
    const { tls: kept, requireTls } = domain;
    const asked = tls.tls !== undefined && JSON.stringify(tls.tls) !== JSON.stringify(kept);
    if (asked || (tls.requireTls !== undefined && tls.requireTls !== requireTls)) {
      output.warn(
        `how ${domain.home} connects with TLS stays as it is: edit "tls" ("caFile", "certFile", "keyFile") and "requireTls" ` +
          `in ${domain.paths.settings} to change it`,
      );
    }
    if (state !== 'unchanged') {
      output.note(
        configuration === undefined
          ? 'next: "zester server config" prints what your nats-servers need, "zester creds bootstrap <id>" makes credentials'
          : 'next: "zester server" runs a nats-server that trusts it, "zester creds bootstrap <id>" makes credentials',
      );
    }
  } finally {
    if (adopt !== undefined) wipeAdoptedTrust(adopt);
  }
}

/** The files to adopt from; undefined: nothing is adopted. @throws UsageError when some that belong together are missing */
function adoptedFiles(options: Options): AdoptedTrustFiles | undefined {
  const { operatorJwt, operatorSigningSeed, systemAccountJwt } = options;
  const given = NAMES.filter((name) => options[name] !== undefined);
  if (given.length === 0) return undefined;
  for (const name of SEEDS) {
    const path = options[name];
    if (path !== undefined) seedPath(flag(name), path);
  }
  if (operatorJwt === undefined || operatorSigningSeed === undefined || systemAccountJwt === undefined) {
    throw new UsageError(
      `${given.map(flag).join(', ')}: to adopt a trust domain, give --operator-jwt, --operator-signing-seed, ` +
        '--system-account-jwt, and --system-creds or --system-account-seed',
    );
  }
  if ((options.systemCreds === undefined) === (options.systemAccountSeed === undefined)) {
    throw new UsageError(
      'give one of --system-creds and --system-account-seed, for a user of the system account',
    );
  }
  if (options.accountJwt !== undefined && options.accountSeed === undefined) {
    throw new UsageError(
      '--account-jwt needs --account-seed: it signs the credentials of the master and the admin',
    );
  }
  return {
    operatorJwt,
    operatorSigningSeed,
    systemAccountJwt,
    ...Object.fromEntries(given.map((name) => [name, options[name]])),
  };
}

const SEEDS = [
  'operatorSigningSeed',
  'operatorSeed',
  'systemAccountSeed',
  'accountSeed',
  'peelSigningSeed',
  'joinSigningSeed',
] as const;
const NAMES = ['operatorJwt', 'systemAccountJwt', 'systemCreds', 'accountJwt', ...SEEDS] as const;

function flag(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
