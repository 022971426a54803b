import type { Command } from 'commander';
import { TrustError, type ZesterError } from '../../errors.js';
import type { Expiration } from '../../trust/expirations.js';
import { EXPIRY_FORM, parseExpiry } from '../duration.js';
import { withAdminOptions, type AdminOptions } from '../fleet/admin.js';
import type { RegistryExpirations } from '../fleet/registry-expirations.js';
import { homeOf } from '../home-options.js';
import type { CliIo } from '../io.js';
import { Output, type GlobalOptions } from '../output.js';
import { timeWords } from '../time-words.js';

interface Options extends GlobalOptions, AdminOptions {
  within?: string;
  offline?: boolean;
}

/** `renews`: of a peel of the registry, whether it renews its credential by itself. */
type Listed = Expiration & { renews?: boolean };

/** `zester expirations`: what expires when. */
export function registerExpirations(parent: Command, io: CliIo): void {
  withAdminOptions(parent.command('expirations'))
    .description('list what expires when: the home, the peels of the registry, and .creds files')
    .argument('[path...]', '.creds files, and directories with such')
    .option('--within <time>', `only what has expired or will by then: ${EXPIRY_FORM}`)
    .option('--offline', 'look at files only, and not at the registry')
    .addHelpText(
      'after',
      `
The first to expire comes first. "peel" is a peel of the registry: a connected peel renews its credential by itself, one
that is not connected does not. "issued" is what was issued from the home, stands elsewhere, and is not in the registry: of
each peel the newest. When the registry cannot be read, a warning says why. Without a home, only the files given are looked
at, and the registry when --servers or --creds is given.

Examples:
  $ zester expirations --within 7d
  $ zester expirations --json | jq -r '.expirations[] | select(.what == "peel" and .renews == false).name'
  $ zester expirations /etc/zester --offline --json | jq -r '.expirations[] | select(.expired).path'`,
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
  const { listExpirations, sorted } = await import('../../trust/expirations.js');
  const domain = await openTrustDomain(homeOf(options, io)).catch((error: unknown) => {
    const absent = error instanceof TrustError && error.code === 'ERR_TRUST_NOT_FOUND';
    // a home that is asked for by name must be there
    if (absent && paths.length > 0 && options.home === undefined) return undefined;
    throw error;
  });
  const ofFiles = await listExpirations(domain, paths);
  for (const { error } of ofFiles.unreadable) output.warn(`passed over: ${error.message}`);
  const isAsked = domain !== undefined || options.servers !== undefined || options.creds !== undefined;
  const registry = options.offline === true || !isAsked ? undefined : await readRegistry(options, output, io);
  const keys = registry?.keys ?? new Set<string>();
  const all: Listed[] = sorted([
    // what the registry knows was renewed since, or has had its time
    ...ofFiles.expirations.filter(({ what, publicKey }) => what !== 'issued' || !keys.has(publicKey)),
    ...(registry?.peels ?? []).map(({ peelId, ...peel }) => ({
      what: 'peel' as const,
      name: peelId,
      path: undefined,
      ...peel,
    })),
  ]);
  const shown = all.filter(
    ({ expiresAt }) => until === undefined || (expiresAt !== undefined && expiresAt <= until),
  );
  const none = until === undefined ? 'nothing to look at' : `nothing expires within ${options.within}`;
  const but = registry?.error === undefined ? '' : ', as far as is known: the registry was not read';
  output.result(shown.length === 0 ? [`${none}${but}`] : lines(shown, now), {
    expirations: shown.map(({ expiresAt, path, renews, ...rest }) => ({
      ...rest,
      path: path ?? null,
      expiresAt: isoOrNull(expiresAt),
      expired: expiresAt !== undefined && expiresAt <= now,
      renews: renews ?? null,
    })),
    unreadable: ofFiles.unreadable.map(({ path, error }) => ({
      path,
      code: error.code,
      message: error.message,
    })),
    registry: {
      read: registry !== undefined && registry.error === undefined,
      code: registry?.error?.code ?? null,
      message: registry?.error?.message ?? null,
    },
  });
}

interface RegistryRead extends RegistryExpirations {
  /** Why it could not be read. */
  error?: ZesterError;
}

async function readRegistry(options: Options, output: Output, io: CliIo): Promise<RegistryRead> {
  const { registryExpirations } = await import('../fleet/registry-expirations.js');
  const read = await registryExpirations(options, io);
  if (!('unread' in read)) return read;
  output.warn(`the registry was not read, and its peels are not listed: ${read.unread.message}`);
  return { peels: [], keys: new Set(), error: read.unread };
}

function lines(shown: readonly Listed[], now: number): string[] {
  const rows = shown.map(({ what, name, path, publicKey, expiresAt, renews }) => [
    expiresAt === undefined ? 'never' : timeWords(expiresAt, now),
    isoOrNull(expiresAt) ?? '',
    what,
    name,
    path ?? publicKey,
    renews === undefined ? '' : renewalWords(renews, expiresAt),
  ]);
  const widths = [0, 1, 2, 3, 4].map((i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

function renewalWords(renews: boolean, expiresAt: number | undefined): string {
  if (expiresAt === undefined) return '';
  return renews ? 'connected: renews by itself' : 'not renewed: not connected, or no master runs';
}

function isoOrNull(time: number | undefined): string | null {
  if (time === undefined) return null;
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? null : date.toISOString().replace('.000Z', 'Z');
}
