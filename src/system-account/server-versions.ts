// Decides which versions of nats-server are supported.

/** The oldest version that a fleet supports. */
export const OLDEST_SUPPORTED = '2.10.0';
/** The newest version that the test suite has passed on. */
export const NEWEST_TESTED = '2.15.1';
/** In a cluster before this one, two compare-and-set writes may both succeed (docs/nats-facts.md, 27). */
export const OLDEST_IN_A_CLUSTER = '2.9.22';

/**
 * How a server's version is supported.
 *
 * - `too-old`: a fleet cannot run on it.
 * - `below-range`: works, but is not fully tested.
 * - `supported`.
 * - `untested`: newer than every version that was tested.
 * - `unknown`: not a version of nats-server's form.
 */
export type VersionSupport = 'too-old' | 'below-range' | 'supported' | 'untested' | 'unknown';

/**
 * The support level of a server version.
 *
 * @param version as reported by the server: `2.10.27`, `v2.15.1`, `2.12.0-preview.1`
 * @param where.clustered whether the server is one of a cluster
 * @example versionSupport('2.9.10', { clustered: true }); // 'too-old'
 */
export function versionSupport(version: string, { clustered }: { clustered: boolean }): VersionSupport {
  if (parse(version) === undefined) return 'unknown';
  if (clustered && compareVersions(version, OLDEST_IN_A_CLUSTER) < 0) return 'too-old';
  if (compareVersions(version, OLDEST_SUPPORTED) < 0) return 'below-range';
  return compareVersions(version, NEWEST_TESTED) > 0 ? 'untested' : 'supported';
}

/**
 * Compares two versions by their numbers; suffixes (`-preview.1`) do not count.
 *
 * @returns below, above or equal to 0, as a comparator of `Array.sort` does; a version of another form comes first
 */
export function compareVersions(a: string, b: string): number {
  const [left = [-1], right = [-1]] = [parse(a), parse(b)];
  for (let i = 0; i < 3; i += 1) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function parse(version: string): readonly number[] | undefined {
  const found = /^v?(\d{1,5})\.(\d{1,5})\.(\d{1,5})(?:[-+.]|$)/.exec(version);
  return found?.slice(1).map(Number);
}

/** A server with an unsupported or untested version. */
export interface VersionProblem {
  server: string;
  version: string;
  support: Exclude<VersionSupport, 'supported'>;
  /** The problem, and its consequences. */
  message: string;
  /** How to fix it. */
  fix: string;
}

/**
 * The servers of a fleet with an unsupported version. One cluster member that is too old is enough: it may lead
 * JetStream at any time.
 *
 * @example versionProblems([{ name: 'n1', version: '2.9.10', cluster: 'c' }]); // [{ support: 'too-old', ... }]
 */
export function versionProblems(
  servers: readonly { name: string; version: string; cluster: string | undefined }[],
): VersionProblem[] {
  return servers.flatMap(({ name, version, cluster }) => {
    const support = versionSupport(version, { clustered: cluster !== undefined });
    if (support === 'supported') return [];
    return [{ server: name, version, support, ...ADVICE[support](version) }];
  });
}

const INSTALL = `install nats-server ${OLDEST_SUPPORTED} to ${NEWEST_TESTED} on every server`;

const ADVICE: Record<VersionProblem['support'], (version: string) => { message: string; fix: string }> = {
  'too-old': (version) => ({
    message:
      `nats-server ${version} in a cluster is too old: before ${OLDEST_IN_A_CLUSTER}, two masters that write concurrently may ` +
      'both succeed, and decisions are lost',
    fix: INSTALL,
  }),
  'below-range': (version) => ({
    message: `nats-server ${version} is older than the supported range, ${OLDEST_SUPPORTED} to ${NEWEST_TESTED}`,
    fix: INSTALL,
  }),
  untested: (version) => ({
    message: `nats-server ${version} is newer than the newest tested version, ${NEWEST_TESTED}`,
    fix: 'test it before you depend on it, or look for a newer Zester',
  }),
  unknown: (version) => ({
    message: `${JSON.stringify(version)} is not a version of nats-server; supported are ${OLDEST_SUPPORTED} to ${NEWEST_TESTED}`,
    fix: `use a release, ${OLDEST_SUPPORTED} to ${NEWEST_TESTED}`,
  }),
};
