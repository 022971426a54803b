import type { Command } from 'commander';
import { UsageError } from '../../errors.js';
import { EXPIRY_FORM, parseExpiry } from '../duration.js';
import type { CliIo } from '../io.js';
import { refuseToReplace } from '../new-file.js';
import { Output, table, type GlobalOptions } from '../output.js';
import { seedPath } from '../seed-path.js';
import { timeWordsAndDate } from '../time-words.js';

interface Options extends GlobalOptions {
  accountSeed: string;
  out?: string;
  expiry?: string;
  issuerAccount?: string;
  scoped?: boolean;
  force?: boolean;
}

/** `zester creds bootstrap <peelId>`: a complete `.creds` file for a peel, in one step. */
export function registerCredsBootstrap(parent: Command, io: CliIo): void {
  parent
    .command('bootstrap')
    .description(
      "make a peel's key and JWT, bounded to the peel's own subjects, and write its .creds file (mode 0600)",
    )
    .argument('<peelId>', 'one NATS token: letters, digits, _ and -')
    .requiredOption(
      '--account-seed <file>',
      "the file with the seed of the account's key, or of a signing key of it",
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
Examples:
  $ zester creds bootstrap web-server-01 --account-seed account.seed --out web-server-01.creds
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
  const { issuerAccount, scoped } = options;
  if (scoped === true && issuerAccount === undefined) {
    throw new UsageError('--scoped needs --issuer-account A…: the account that the signing key signs for');
  }
  const expiry = options.expiry === undefined ? undefined : parseExpiry(options.expiry, io.now());
  const path = options.out ?? `${peelId}.creds`;
  await refuseToReplace(path, options.force);

  const { loadKeyBundleFromFile } = await import('../../creds/load-key-bundle.js');
  const account = await loadKeyBundleFromFile('account', seedPath('--account-seed', options.accountSeed));
  try {
    const { bootstrapPeelCreds } = await import('../../creds/bootstrap.js');
    const { decodeUserJwt } = await import('../../jwt/decode.js');
    const { user, jwt } = await bootstrapPeelCreds(account, peelId, path, {
      now: io.now,
      ...(expiry !== undefined && { expiry }),
      ...(issuerAccount !== undefined && { issuerAccount }),
      ...(scoped !== undefined && { scoped }),
    });
    user.wipe();
    const { exp, iat } = decodeUserJwt(jwt);
    const accountKey = issuerAccount ?? account.publicKey;
    const expiresAt = exp === undefined ? null : new Date(exp * 1000).toISOString();
    output.result(
      [
        `wrote ${path}`,
        ...table([
          ['peel', peelId],
          ['public key', user.publicKey],
          ['account', accountKey],
          ...(issuerAccount === undefined ? [] : [['signed by', account.publicKey] as const]),
          [
            'permissions',
            scoped === true ? 'from the template of the scoped signing key' : "the peel's own subjects",
          ],
          ['expires', exp === undefined ? 'never' : timeWordsAndDate(exp * 1000, iat * 1000)],
        ]),
      ],
      {
        path,
        peelId,
        publicKey: user.publicKey,
        issuer: account.publicKey,
        account: accountKey,
        scoped: scoped === true,
        expiresAt,
      },
    );
    output.note(`${path} holds a seed (mode 0600): treat it like a password`);
  } finally {
    account.wipe();
  }
}
