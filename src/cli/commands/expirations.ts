// `zester expirations`: list expiry times.
import { TrustError, type ZesterError } from '../../errors.js';
import type { Expiration } from '../../trust/expirations.js';
import type { FleetContext } from '../command/context.js';
import { command } from '../command/declaration.js';
import { flag, option, words } from '../command/option.js';
import { parseExpiry } from '../options/duration.js';
import type { RegistryExpirations } from '../fleet/registry-expirations.js';
import type { Output } from '../terminal/output.js';
import { timeWords } from '../terminal/time-words.js';

/** `renews`: whether a peel of the registry renews its credential by itself. */
type Listed = Expiration & { renews?: boolean };

export default command({
  summary: 'list when credentials and JWTs expire',
  section: 'Check',
  needs: 'fleet',
  arguments: { path: words('.creds files, or directories of them') },
  options: {
    within: option(
      '--within <time>',
      'only entries that have expired or expire within this time, e.g. 7d',
      (text, io) => ({
        text,
        seconds: parseExpiry(text, io.now()),
      }),
    ),
    offline: flag('--offline', 'read files only, not the registry'),
  },
  notes: `
Lists the credentials and JWTs of the home, those of the peels in the registry ("peel"; a connected one renews by
itself), and those that this home issued but the registry does not have ("issued"), soonest first. Without a home it
lists the given files, and the registry if --servers or --creds is given.`,
  examples: [
    'zester expirations --within 7d',
    `zester expirations --json | jq -r '.expirations[] | select(.what == "peel" and .renews == false).name'`,
    "zester expirations /etc/zester --offline --json | jq -r '.expirations[] | select(.expired).path'",
  ],
  async run({ path: paths, within, offline }, context) {
    const { io, output, given } = context;
    const now = io.now();
    const { listExpirations, sorted } = await import('../../trust/expirations.js');
    const domain = await context.openHome().catch((error: unknown) => {
      const absent = error instanceof TrustError && error.code === 'ERR_TRUST_NOT_FOUND';
      // a home that is given explicitly must exist
      if (absent && paths.length > 0 && given.home === undefined) return undefined;
      throw error;
    });
    const ofFiles = await listExpirations(domain, paths);
    for (const { error } of ofFiles.unreadable) output.warn(`skipped: ${error.message}`);
    const isAsked = domain !== undefined || given.servers !== undefined || given.creds !== undefined;
    const registry = offline || !isAsked ? undefined : await readRegistry(context);
    const until = within === undefined ? Infinity : now + within.seconds * 1000;
    const shown = sorted(merged(ofFiles.expirations, registry)).filter(
      ({ expiresAt = Infinity }) => within === undefined || expiresAt <= until,
    );
    const none = within === undefined ? 'nothing to list' : `nothing expires within ${within.text}`;
    const but = registry?.error === undefined ? '' : ' (the registry was not read)';
    output.result(shown.length === 0 ? [`${none}${but}`] : lines(shown, now, output), {
      expirations: shown.map(({ expiresAt, path, renews, ...rest }) => ({
        ...rest,
        path: path ?? null,
        expiresAt: isoOrNull(expiresAt),
        expired: expiresAt !== undefined && expiresAt <= now,
        renews: renews ?? null,
      })),
      unreadable: ofFiles.unreadable.map(({ path, error: { code, message } }) => ({ path, code, message })),
      registry: {
        read: registry !== undefined && registry.error === undefined,
        code: registry?.error?.code ?? null,
        message: registry?.error?.message ?? null,
      },
    });
  },
});

/** Credentials in the registry were renewed since they were issued from here, or are no longer valid. */
function merged(ofFiles: readonly Expiration[], registry: RegistryExpirations | undefined): Listed[] {
  const keys = registry?.keys ?? new Set<string>();
  return [
    ...ofFiles.filter(({ what, publicKey }) => what !== 'issued' || !keys.has(publicKey)),
    ...(registry?.peels ?? []).map(({ peelId, ...peel }) => ({
      what: 'peel' as const,
      name: peelId,
      path: undefined,
      ...peel,
    })),
  ];
}

interface RegistryRead extends RegistryExpirations {
  /** The error of reading it. */
  error?: ZesterError;
}

async function readRegistry({ io, output, given }: FleetContext): Promise<RegistryRead> {
  const { registryExpirations } = await import('../fleet/registry-expirations.js');
  const read = await registryExpirations(given, io);
  if (!('unread' in read)) return read;
  output.warn(`the registry could not be read, so its peels are not listed: ${read.unread.message}`);
  return { peels: [], keys: new Set(), error: read.unread };
}

function lines(shown: readonly Listed[], now: number, output: Output): string[] {
  return output.columns(shown, [
    ['EXPIRES', ({ expiresAt }) => (expiresAt === undefined ? 'never' : timeWords(expiresAt, now))],
    ['AT', ({ expiresAt }) => isoOrNull(expiresAt) ?? ''],
    ['WHAT', ({ what }) => what],
    ['NAME', ({ name }) => name],
    ['WHERE', ({ path, publicKey }) => path ?? output.key(publicKey)],
    ['RENEWAL', ({ renews, expiresAt }) => (renews === undefined ? '' : renewalWords(renews, expiresAt))],
  ]);
}

function renewalWords(renews: boolean, expiresAt: number | undefined): string {
  if (expiresAt === undefined) return '';
  return renews ? 'connected: renews by itself' : 'not renewing: not connected, or no master runs';
}

function isoOrNull(time: number | undefined): string | null {
  if (time === undefined) return null;
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? null : date.toISOString().replace('.000Z', 'Z');
}
