import type { Command } from 'commander';
import { TrustError } from '../../errors.js';
import type { Expiration } from '../../trust/expirations.js';
import { EXPIRY_FORM, parseExpiry } from '../duration.js';
import { homeOf, withHomeOption, type HomeOptions } from '../home-options.js';
import type { CliIo } from '../io.js';
import { Output, type GlobalOptions } from '../output.js';
import { timeWords } from '../time-words.js';

interface Options extends GlobalOptions, HomeOptions {
  within?: string;
}

/** `zester expirations`: what expires when. */
export function registerExpirations(parent: Command, io: CliIo): void {
  withHomeOption(parent.command('expirations'))
    .description('list what expires when: of the home, of what was issued from it, and of .creds files')
    .argument('[path...]', '.creds files, and directories with such')
    .option('--within <time>', `only what has expired or will by then: ${EXPIRY_FORM}`)
    .addHelpText(
      'after',
      `
The first to expire comes first. Without a home, only the files given are looked at. "issued" is what was issued from the
home and stands elsewhere: of each peel the newest.

Examples:
  $ zester expirations --within 7d
  $ zester expirations /etc/zester --json | jq -r '.expirations[] | select(.expired).path'`,
    )
    .action(async (paths: string[], _options, command: Command) => {
      await expirations(paths, command.optsWithGlobals<Options>(), io);
    });
}

async function expirations(paths: readonly string[], options: Options, io: CliIo): Promise<void> {
  const output = new Output(io, options);
  const now = io.now();
  const until = options.within === undefined ? undefined : now + parseExpiry(options.within, now) * 1000;
  const { openTrustDomain } = await import('../../trust/open.js');
  const { listExpirations } = await import('../../trust/expirations.js');
  const domain = await openTrustDomain(homeOf(options, io)).catch((error: unknown) => {
    const absent = error instanceof TrustError && error.code === 'ERR_TRUST_NOT_FOUND';
    // a home that is asked for by name must be there
    if (absent && paths.length > 0 && options.home === undefined) return undefined;
    throw error;
  });
  const { expirations: all, unreadable } = await listExpirations(domain, paths);
  const shown = all.filter(
    ({ expiresAt }) => until === undefined || (expiresAt !== undefined && expiresAt <= until),
  );
  for (const { error } of unreadable) output.warn(`passed over: ${error.message}`);
  const none = until === undefined ? 'nothing to look at' : `nothing expires within ${options.within}`;
  output.result(shown.length === 0 ? [none] : lines(shown, now), {
    expirations: shown.map(({ expiresAt, path, ...rest }) => ({
      ...rest,
      path: path ?? null,
      expiresAt: isoOrNull(expiresAt),
      expired: expiresAt !== undefined && expiresAt <= now,
    })),
    unreadable: unreadable.map(({ path, error }) => ({ path, code: error.code, message: error.message })),
  });
}

function lines(shown: readonly Expiration[], now: number): string[] {
  const rows = shown.map(({ what, name, path, publicKey, expiresAt }) => [
    expiresAt === undefined ? 'never' : timeWords(expiresAt, now),
    isoOrNull(expiresAt) ?? '',
    what,
    name,
    path ?? publicKey,
  ]);
  const widths = [0, 1, 2, 3].map((i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

function isoOrNull(time: number | undefined): string | null {
  if (time === undefined) return null;
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? null : date.toISOString().replace('.000Z', 'Z');
}
