import type { Command } from 'commander';
import type { BootstrapPeelOptions } from '../../creds/bootstrap.js';
import { UsageError } from '../../errors.js';
import { EXPIRY_FORM, parseExpiry } from '../duration.js';
import { homeOf, withHomeOption, type HomeOptions } from '../home-options.js';
import type { CliIo } from '../io.js';
import { refuseToReplace } from '../new-file.js';
import { Output, table, type GlobalOptions } from '../output.js';
import { seedPath } from '../seed-path.js';
import { timeWordsAndDate } from '../time-words.js';
import { isoTime } from '../../jwt/time.js';

interface Options extends GlobalOptions, HomeOptions {
  accountSeed?: string;
  out?: string;
  expiry?: string;
  issuerAccount?: string;
  scoped?: boolean;
  force?: boolean;
}

/** `zester creds bootstrap <peelId>`: a complete `.creds` file for a peel, in one step. */
export function registerCredsBootstrap(parent: Command, io: CliIo): void {
  withHomeOption(parent.command('bootstrap'))
    .description(
      "make a peel's key and JWT, bounded to the peel's own subjects, and write its .creds file (mode 0600)",
    )
    .argument('<peelId>', 'one NATS token: letters, digits, _ and -')
    .option(
      '--account-seed <file>',
      "instead of the home's key: the seed of an account's key, or of a signing key of it",
    )
    .option('-o, --out <file>', 'the file to write (default: <peelId>.creds)')
    .option('--expiry <time>', `how long it is valid: ${EXPIRY_FORM} (default: without end)`)
    .option('--issuer-account <key>', 'the account (A…), when the seed is that of a signing key')
    .option(
      '--scoped',
      'the signing key is a scoped one: the permissions stand in its template, not in the JWT',
    )
    .option('--force', 'replace a file that is there')
    .addHelpText(
      'after',
      `
Signed by the home's peel signing key, so that what the peel may do stands in the account and can be changed there; the
home notes the public key, to revoke the peel by its id. With --account-seed no home is needed.

Examples:
  $ zester creds bootstrap web-server-01
  $ zester creds bootstrap web-server-01 --expiry 7d --out /etc/zester/web-server-01.creds
  $ zester creds bootstrap web-server-01 --account-seed account.seed --expiry 24h --force
  $ zester creds bootstrap web-server-01 --account-seed peel-signing.seed --issuer-account A… --scoped`,
    )
    .action(async (peelId: string, _options, command: Command) => {
      await bootstrap(peelId, command.optsWithGlobals<Options>(), io);
    });
}

async function bootstrap(peelId: string, options: Options, io: CliIo): Promise<void> {
  const output = new Output(io, options);
  const { validatePeelId } = await import('../../permissions/peel-id.js');
  validatePeelId(peelId); // before it becomes a part of a path
  const { issuerAccount, scoped, accountSeed } = options;
  if (accountSeed === undefined && (issuerAccount !== undefined || scoped !== undefined)) {
    throw new UsageError(
      "--issuer-account and --scoped go with --account-seed: a home's own key needs neither",
    );
  }
  if (scoped === true && issuerAccount === undefined) {
    throw new UsageError('--scoped needs --issuer-account A…: the account that the signing key signs for');
  }
  const expiry = options.expiry === undefined ? undefined : parseExpiry(options.expiry, io.now());
  const path = options.out ?? `${peelId}.creds`;
  await refuseToReplace(path, options.force);
  const lifetime = { now: io.now, ...(expiry !== undefined && { expiry }) };
  const { decodeUserJwt } = await import('../../jwt/decode.js');
  const { user, jwt } =
    accountSeed === undefined
      ? await fromHome(homeOf(options, io), peelId, path, lifetime)
      : await fromSeed(seedPath('--account-seed', accountSeed), peelId, path, {
          ...lifetime,
          ...(issuerAccount !== undefined && { issuerAccount }),
          ...(scoped !== undefined && { scoped }),
        });
  user.wipe();
  const { exp, iat, iss, nats } = decodeUserJwt(jwt);
  const accountKey = nats.issuer_account ?? iss;
  const isScoped = accountSeed === undefined || scoped === true;
  const expiresAt = exp === undefined ? null : isoTime(exp);
  output.result(
    [
      `wrote ${path}`,
      ...table([
        ['peel', peelId],
        ['public key', user.publicKey],
        ['account', accountKey],
        ...(accountKey === iss ? [] : [['signed by', iss] as const]),
        ['permissions', isScoped ? 'from the template of the scoped signing key' : "the peel's own subjects"],
        ['expires', exp === undefined ? 'never' : timeWordsAndDate(exp * 1000, iat * 1000)],
      ]),
    ],
    {
      path,
      peelId,
      publicKey: user.publicKey,
      issuer: iss,
      account: accountKey,
      scoped: isScoped,
      expiresAt,
    },
  );
  output.note(`${path} holds a seed (mode 0600): treat it like a password`);
}

type Lifetime = Pick<BootstrapPeelOptions, 'expiry' | 'now'>;

async function fromHome(home: string, peelId: string, path: string, options: Lifetime) {
  const { openTrustDomain } = await import('../../trust/open.js');
  return (await openTrustDomain(home)).issuePeel(peelId, path, options);
}

async function fromSeed(seedFile: string, peelId: string, path: string, options: BootstrapPeelOptions) {
  const { loadKeyBundleFromFile } = await import('../../creds/load-key-bundle.js');
  const { bootstrapPeelCreds } = await import('../../creds/bootstrap.js');
  const account = await loadKeyBundleFromFile('account', seedFile);
  try {
    return await bootstrapPeelCreds(account, peelId, path, options);
  } finally {
    account.wipe();
  }
}
