// Checks of `zester doctor --integrity`: traces of an attack in registry, audit log, streams and connections.
import { connectMaster } from '../../connection/connect.js';
import { loadCredsFile } from '../../creds/parse.js';
import { FileError } from '../../errors.js';
import { judgeStreams, type StreamSeen } from '../../doctor/integrity/judge-streams.js';
import { NAMED } from '../../doctor/integrity/record-check.js';
import { judgeUsers, type KeyKnown } from '../../doctor/integrity/judge-users.js';
import {
  AUDIT_STREAM,
  bucketStream,
  FLEET_BUCKET,
  MASTER_ANSWERS_INBOX_PREFIX,
  MASTER_INBOX_PREFIX,
  PEELS_BUCKET,
} from '../../permissions/names.js';
import { accountStreams, type AccountStream } from '../../system-account/account-streams.js';
import { connectedUsers } from '../../system-account/connected-users.js';
import { connectSystem, tlsOf } from '../../system-account/system-connection.js';
import type { TrustDomain } from '../../trust/domain.js';
import type { Finding } from '../../trust/finding.js';
import { rosterOf } from '../../masters/roster.js';
import { readAddedAdmins } from '../../admins/added-admins.js';
import { readIssued } from '../../trust/issued.js';
import type { ConnectionOf } from '../options/home-options.js';
import { ADMIN_CONNECT_TIMEOUT_MS } from '../../timing.js';
import { checkRecords } from './check-records.js';

export interface IntegrityOptions extends ConnectionOf {
  /** Names of the user's own streams. */
  allowedStreams?: readonly string[];
  /** Keys of users that only the user knows. */
  knownKeys?: readonly string[];
  progress?: (text: string) => void;
}

/**
 * Searches for traces of an attack: records that do not match the audit log, foreign streams and consumers, and
 * connected keys that nobody issued. Reads with the home's master and system credentials, and changes nothing. Memory
 * grows with the number of peels, time with the number of audit events.
 *
 * @throws NatsServerError, ConnectError, FleetError, CredsError, FileError: a failed check is an error, not a pass
 */
export async function checkIntegrity(domain: TrustDomain, options: IntegrityOptions): Promise<Finding[]> {
  const {
    servers,
    tls,
    requireTls,
    allowedStreams = [],
    knownKeys = [],
    progress = () => undefined,
  } = options;
  const system = await connectSystem(domain, { servers, tls, requireTls });
  try {
    progress('reading the streams and the connections from the servers');
    const seen = await accountStreams(system, domain.publicKeys.account);
    const inboxes = [MASTER_INBOX_PREFIX, MASTER_ANSWERS_INBOX_PREFIX];
    const streams = judgeStreams(merged(seen.streams), { inboxes, allowed: allowedStreams });
    const { users } = await connectedUsers(system, domain.publicKeys.account);
    const { users: systemUsers } = await connectedUsers(system, domain.publicKeys.systemAccount);
    const nc = await connectMaster({
      ...tlsOf(domain, { tls, requireTls }),
      servers: [...servers],
      credsPath: domain.paths.masterCreds,
      name: 'zester-doctor',
      timeout: ADMIN_CONNECT_TIMEOUT_MS,
    });
    try {
      const gone = new Set(
        streams.filter(({ message }) => message.endsWith('is gone')).map(({ subject }) => subject),
      );
      const missing = [AUDIT_STREAM, bucketStream(PEELS_BUCKET), bucketStream(FLEET_BUCKET)].filter((name) =>
        gone.has(name),
      );
      const home = await homeKeys(domain, knownKeys);
      const fleet =
        missing.length > 0
          ? { findings: [], keyOf: (): KeyKnown => undefined }
          : await checkRecords(nc, progress, [...users]);
      const known = (key: string): KeyKnown => {
        if (home.has(key)) return 'issued';
        return fleet.keyOf(key);
      };
      return summed([
        ...seen.silent.map((server): Finding => ({
          severity: 'error',
          check: 'stream',
          subject: server,
          message: 'it did not list its streams: they were not checked',
          fix: 'start it, and run this again',
        })),
        ...streams,
        ...fleet.findings,
        ...(missing.length > 0 ? [] : judgeUsers(users, known)),
        ...judgeUsers(systemUsers, known),
      ]);
    } finally {
      await nc.close();
    }
  } finally {
    await system.close();
  }
}

/** Merges the copies of a stream on several servers. */
function merged(streams: readonly AccountStream[]): StreamSeen[] {
  const byName = new Map<string, AccountStream[]>();
  for (const stream of streams) byName.set(stream.name, [...(byName.get(stream.name) ?? []), stream]);
  return [...byName].map(([name, copies]) => {
    const configs = copies.flatMap(({ config }) => config ?? []);
    const consumers = new Map(
      copies.flatMap(({ consumer_detail }) => consumer_detail ?? []).map((c) => [c.name, c]),
    );
    const [republish] = configs.flatMap((config) => config.republish ?? []);
    const [mirror] = configs.flatMap((config) => config.mirror?.name ?? []);
    return {
      name,
      subjects: [...new Set(configs.flatMap(({ subjects }) => subjects))],
      mirror,
      sources: [...new Set(configs.flatMap(({ sources }) => (sources ?? []).map((source) => source.name)))],
      republish,
      transforms: configs.flatMap(({ subject_transform, sources }) =>
        [subject_transform, ...(sources ?? []).flatMap((source) => source.subject_transforms ?? [])].flatMap(
          (transform) => (transform?.dest === undefined || transform.dest === '' ? [] : [transform.dest]),
        ),
      ),
      consumers: [...consumers.values()].map(({ name: consumer, config }) => ({
        name: consumer,
        durable: config?.durable_name !== undefined && config.durable_name !== '',
        deliver: config?.deliver_subject === '' ? undefined : config?.deliver_subject,
        acknowledges: (config?.ack_policy ?? 'none') !== 'none',
        ...(config?.inactive_threshold !== undefined && { inactiveMs: config.inactive_threshold / 1e6 }),
      })),
    };
  });
}

/** The keys of the users that this home knows. */
async function homeKeys(domain: TrustDomain, more: readonly string[]): Promise<Set<string>> {
  const { paths, accountClaims, publicKeys, settings } = domain;
  const masters = rosterOf(accountClaims, undefined, publicKeys.peelSigning).flatMap(({ users }) => users);
  const keys = new Set([...more, ...masters, ...Object.values(settings.knownMasters ?? {}).flat()]);
  for (const path of [paths.masterCreds, paths.masterAnswersCreds, paths.adminCreds, paths.systemCreds]) {
    try {
      const creds = await loadCredsFile(path);
      creds.wipe();
      keys.add(creds.publicKey);
    } catch (error) {
      if (!(error instanceof FileError) || error.code !== 'ERR_FILE_NOT_FOUND') throw error;
    }
  }
  for (const { publicKey } of await readIssued(paths.issued)) keys.add(publicKey);
  for (const { publicKey } of await readAddedAdmins(paths.admins)) keys.add(publicKey);
  return keys;
}

/** The first findings of each kind, and the number of the others. */
function summed(findings: readonly Finding[]): Finding[] {
  const counts = new Map<string, number>();
  const shown = findings.filter(({ check }) => {
    const count = (counts.get(check) ?? 0) + 1;
    counts.set(check, count);
    return count <= NAMED;
  });
  for (const [check, count] of counts) {
    if (count > NAMED)
      shown.push({
        severity: 'error',
        check,
        subject: check,
        message: `and ${count - NAMED} more of this kind`,
      });
  }
  if (shown.length > 0) return shown;
  return ['stream', 'record', 'audit', 'connection'].map((check) => ({
    severity: 'ok',
    check,
    subject: check,
    message: 'nothing suspicious was found',
  }));
}
