import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { findNatsServer } from '../../src/nats-server/find.js';
import { compareVersions } from '../../src/nats-server/server-versions.js';

/** The version of a nats-server program, as 2.10.27. */
export function versionOf(program: string): string {
  const text = execFileSync(program, ['--version'], { encoding: 'utf8' });
  return /v(\d+\.\d+\.\d+)/.exec(text)?.[1] ?? '';
}

/** Where `scripts/get-nats-server` puts the one of a Debian suite. */
function cached(suite: string): string {
  const base = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  return join(process.env['ZESTER_CACHE'] ?? join(base, 'zester'), 'nats-server', suite, 'nats-server');
}

/**
 * A nats-server of an older version, beside the one that is tested: for what a fleet was before an upgrade.
 *
 * @param before it must be older than this
 * @returns undefined: none is here; `scripts/get-nats-server trixie` fetches one
 */
export async function olderNatsServer(before: string): Promise<string | undefined> {
  const candidates = [
    process.env['ZESTER_NATS_SERVER_OLD'],
    cached('trixie'),
    cached('bookworm'),
    await findNatsServer(),
    '/usr/sbin/nats-server',
  ];
  return candidates.find(
    (program) =>
      program !== undefined && existsSync(program) && compareVersions(versionOf(program), before) < 0,
  );
}
