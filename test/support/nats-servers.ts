import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { findNatsServer } from '../../src/nats-server/find.js';
import {
  compareVersions,
  OLDEST_IN_A_CLUSTER,
  OLDEST_SUPPORTED,
} from '../../src/system-account/server-versions.js';

/** The version of a nats-server program, such as 2.10.27. */
export function versionOf(program: string): string {
  const text = execFileSync(program, ['--version'], { encoding: 'utf8' });
  return /v(\d+\.\d+\.\d+)/.exec(text)?.[1] ?? '';
}

/** The path of a Debian suite's server from `scripts/get-nats-server`. */
function cached(suite: string): string {
  const base = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  return join(process.env['ZESTER_CACHE'] ?? join(base, 'zester'), 'nats-server', suite, 'nats-server');
}

/** The installed servers, in order of preference. */
async function programs(): Promise<string[]> {
  const all = [
    process.env['ZESTER_NATS_SERVER_OLD'],
    cached('trixie'),
    cached('bookworm'),
    '/usr/sbin/nats-server',
  ];
  const tested = await findNatsServer();
  return [...all, cached('testing'), tested].filter(
    (program): program is string => program !== undefined && existsSync(program),
  );
}

/**
 * A nats-server of an older version than the tested one, for the state of a fleet before an upgrade.
 *
 * @param before it must be older than this
 * @param atLeast and this version or newer
 * @returns undefined: none is installed; `scripts/get-nats-server trixie` fetches one
 */
export async function olderNatsServer(before: string, atLeast = '0.0.0'): Promise<string | undefined> {
  return (await programs()).find((program) => {
    const version = versionOf(program);
    return compareVersions(version, before) < 0 && compareVersions(version, atLeast) >= 0;
  });
}

/**
 * The newest nats-server on this machine, whichever is tested, for the state of a fleet after an upgrade.
 *
 * @returns undefined: none is this new; `scripts/get-nats-server testing` fetches one
 */
export async function newestNatsServer(atLeast: string): Promise<string | undefined> {
  const newest = (await programs()).reduce((a, b) =>
    compareVersions(versionOf(b), versionOf(a)) > 0 ? b : a,
  );
  return compareVersions(versionOf(newest), atLeast) < 0 ? undefined : newest;
}

/** The version of the nats-server that is tested. */
export async function serverVersion(): Promise<string> {
  return versionOf(await findNatsServer());
}

const version = await serverVersion();

/** For `describe.skipIf`: clusters of the tested version lose writes, so the fleet refuses them. */
export const noCluster = compareVersions(version, OLDEST_IN_A_CLUSTER) < 0;
if (noCluster) {
  process.stderr.write(`skipped: what needs a cluster of a fleet, on nats-server ${version}\n`);
}
/** For `describe.skipIf`: the tested server is older than the supported range; it cannot kick, or list one user. */
export const belowRange = compareVersions(version, OLDEST_SUPPORTED) < 0;
