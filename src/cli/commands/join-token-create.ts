import { randomBytes } from 'node:crypto';
import type { Command } from 'commander';
import { UsageError } from '../../errors.js';
import { wholeNumber } from '../bulk/issuer-options.js';
import { EXPIRY_FORM, parseExpiry } from '../duration.js';
import { asAdmin, withAdminOptions, type AdminOptions } from '../fleet/admin.js';
import { tokenDocument } from '../fleet/token-document.js';
import type { CliIo } from '../io.js';
import { refuseToReplace } from '../new-file.js';
import { Output, table, type GlobalOptions } from '../output.js';
import { requirePeelPattern } from '../peel-pattern.js';
import { timeWordsAndDate } from '../time-words.js';

interface Options extends GlobalOptions, AdminOptions {
  ttl: string;
  uses: string;
  ids?: string;
  out?: string;
  force?: boolean;
}

/** `zester join-token create`: credentials that may do nothing but ask to join. */
export function registerJoinTokenCreate(parent: Command, io: CliIo): void {
  withAdminOptions(parent.command('create'))
    .description('make a join token: credentials that may do nothing but ask to join, for a while')
    .option('--ttl <time>', `how long it is good: ${EXPIRY_FORM}`, '15m')
    .option('--uses <n>', 'how many peels may join with it', '1')
    .option('--ids <pattern>', "only peels whose id matches, such as 'web-*' (default: any)")
    .option('-o, --out <file>', 'the file to write, mode 0600 (default: join-<token>.creds), or - for a pipe')
    .option('--force', 'replace a file that is there')
    .addHelpText(
      'after',
      `
Put the file on the new host, and run there: zester peel join --token FILE --id ID. The token's key is made here, and its
seed is nowhere but in the file.

Examples:
  $ zester join-token create
  $ zester join-token create --ttl 1h --uses 10 --ids 'web-*' --out web.join.creds
  $ zester join-token create --out - | ssh web-07 'umask 077; cat > join.creds'`,
    )
    .action(async (_options, command: Command) => {
      await create(command.optsWithGlobals<Options>(), io);
    });
}

async function create(options: Options, io: CliIo): Promise<void> {
  const output = new Output(io, options);
  const ttl = parseExpiry(options.ttl, io.now());
  const uses = wholeNumber('--uses', options.uses, 1, 1_000_000);
  if (options.ids !== undefined) requirePeelPattern(options.ids);
  const tokenId = newTokenId();
  const toPipe = options.out === '-';
  if (toPipe && io.stdout.isTTY) {
    throw new UsageError(
      'a join token is a secret and standard output is a terminal: give --out a file, or a pipe',
    );
  }
  if (toPipe && options.json === true)
    throw new UsageError('--json goes with a file: --out - writes the token itself');
  const path = options.out ?? `join-${tokenId}.creds`;
  if (!toPipe) await refuseToReplace(path, options.force);
  const { generateKeyBundle } = await import('../../nkeys/key-bundle.js');
  const key = generateKeyBundle('user');
  try {
    const { jwt, token } = await asAdmin(options, io, ({ client }) =>
      client.ask('token.create', {
        tokenId,
        publicKey: key.publicKey,
        ttl,
        uses,
        ...(options.ids !== undefined && { ids: options.ids }),
      }),
    );
    const { generateCredsFile, writeCredsFile } = await import('../../creds/generate.js');
    const seed = key.seed;
    try {
      if (toPipe) {
        const content = generateCredsFile(jwt, seed);
        if (io.stdout.send !== undefined) await io.stdout.send(content);
        else io.stdout.write(Buffer.from(content).toString('latin1'));
        content.fill(0);
        return;
      }
      await writeCredsFile(path, jwt, seed);
    } finally {
      seed.fill(0);
    }
    output.result(
      [
        `wrote ${path}`,
        ...table([
          ['token', token.id],
          [
            'good for',
            `${token.uses === 1 ? 'one peel' : `${token.uses} peels`}${token.ids === undefined ? '' : ` that match ${token.ids}`}`,
          ],
          ['expires', timeWordsAndDate(Date.parse(token.expiresAt), io.now())],
        ]),
      ],
      { path, ...tokenDocument(token, io.now()) },
    );
    output.note(`${path} holds a seed (mode 0600); on the host: zester peel join --token FILE --id ID`);
  } finally {
    key.wipe();
  }
}

/** Sixteen letters and digits: not a secret, but nobody's by accident. */
function newTokenId(): string {
  return randomBytes(32)
    .toString('base64')
    .replace(/[^A-Za-z0-9]/g, '')
    .slice(0, 16);
}
