// Checks of `zester doctor --integrity`: traces of an attack in registry, audit log, streams and connections.
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import { setTimeout as delay } from 'node:timers/promises';
import * as v from 'valibot';
import { connectMaster } from '../../connection/connect.js';
import { loadCredsFile } from '../../creds/parse.js';
import { FileError } from '../../errors.js';
import {
  auditEventSchema,
  AUDIT_KINDS,
  isPeelEvent,
  type AuditEvent,
} from '../../protocol/records/audit-event.js';
import { AuditFold, rivals } from '../../doctor/integrity/audit-fold.js';
import { judgeStreams, type StreamSeen } from '../../doctor/integrity/judge-streams.js';
import { judgeUsers, type KeyKnown } from '../../doctor/integrity/judge-users.js';
import { tokenSchema } from '../../protocol/records/join-token.js';
import { parseJson } from '../../protocol/messages.js';
import { parseEvent } from '../../protocol/records/parse-event.js';
import { recordSchema, type PeelRecord } from '../../protocol/records/record.js';
import {
  AUDIT_STREAM,
  AUDIT_SUBJECTS,
  auditSubject,
  FLEET_BUCKET,
  PEELS_BUCKET,
  subjectFor,
} from '../../permissions/names.js';
import { readStream } from '../../master/store/read-stream.js';
import { accountStreams, type AccountStream } from '../../system-account/account-streams.js';
import { connectedUsers, type ConnectedUser } from '../../system-account/connected-users.js';
import { connectSystem, tlsOf } from '../../system-account/system-connection.js';
import { isPeelId } from '../../permissions/peel-id.js';
import { MASTER_ANSWERS_INBOX_PREFIX, MASTER_INBOX_PREFIX } from '../../permissions/names.js';
import type { TrustDomain } from '../../trust/domain.js';
import type { Finding } from '../../trust/finding.js';
import { readIssued } from '../../trust/issued.js';
import type { ConnectionOf } from '../options/home-options.js';
import { ADMIN_CONNECT_TIMEOUT_MS, INTEGRITY_RECHECK_MS, JETSTREAM_TIMEOUT_MS } from '../../timing.js';

const ROUNDS = 2;
/** Findings of one kind that are named; the others are counted. */
const NAMED = 200;
/** Number of events between two progress reports. */
const PROGRESS = 50_000;

export interface IntegrityOptions extends ConnectionOf {
  /** Names of streams that are the user's own. */
  allowedStreams?: readonly string[];
  /** Keys of users that the home does not know, and the user does. */
  knownKeys?: readonly string[];
  progress?: (text: string) => void;
}

/** A record, and the ID of the event that it says it was made by. */
interface Stored {
  record: PeelRecord;
  eventId: string;
}

/**
 * Looks for what an attacker leaves behind: records and audit events that do not agree, streams and consumers that are
 * none of the fleet's, and connected keys that nobody issued. Reads with the home's master and system credentials, and
 * changes nothing. Memory grows with the number of peels, time with that of audit events.
 *
 * @throws NatsServerError, ConnectError, FleetError, CredsError, FileError: what could not be looked at was not found well
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
      const missing = [AUDIT_STREAM, `KV_${PEELS_BUCKET}`, `KV_${FLEET_BUCKET}`].filter((name) =>
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

/** Copies of one stream on several servers, as one with all that any of them says. */
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
async function homeKeys({ paths }: TrustDomain, more: readonly string[]): Promise<Set<string>> {
  const keys = new Set(more);
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
  return keys;
}

async function checkRecords(
  nc: NatsConnection,
  progress: (text: string) => void,
  users: readonly ConnectedUser[],
): Promise<{ findings: Finding[]; keyOf: (publicKey: string) => KeyKnown }> {
  const findings: Finding[] = [];
  const js = jetstream(nc, { timeout: JETSTREAM_TIMEOUT_MS });
  const jsm = await jetstreamManager(nc, { timeout: JETSTREAM_TIMEOUT_MS, checkAPI: false });
  const store = { js, jsm };
  const counts = new Map<string, number>();
  // an attacker may write as much as JetStream holds: what is not named is counted only
  const found = (check: string, subject: string, message: string): void => {
    const count = (counts.get(check) ?? 0) + 1;
    counts.set(check, count);
    if (count < NAMED) findings.push({ severity: 'error', check, subject, message, fix: FIX[check] ?? '' });
  };

  const fold = new AuditFold();
  let messages = 0;
  for await (const { data, subject, seq, headers } of readStream(store, AUDIT_STREAM, {
    filter: AUDIT_SUBJECTS,
  })) {
    if (++messages % PROGRESS === 0) progress(`${messages} audit events read`);
    const event = parseEvent(data);
    if (event === undefined) {
      // a kind that this version does not know may be of a newer one
      const kind = subject.split('.').slice(3).join('.');
      if (AUDIT_KINDS.includes(kind) || !isObject(data))
        found('audit', `${AUDIT_STREAM} ${seq}`, `the message on ${subject} is not an event from a master`);
      continue;
    }
    const wrong = unlikeAMaster(event, subject, headers?.get('Nats-Msg-Id') ?? '');
    if (wrong !== undefined)
      found('audit', `${AUDIT_STREAM} ${seq}`, `${wrong} (${event.kind}, ${event.at})`);
    else addTo(fold, event);
  }
  progress(`${messages} audit events read; reading the registry`);

  const records = new Map<string, Stored>();
  for await (const { data, subject, headers } of readStream(store, `KV_${PEELS_BUCKET}`, {
    filter: `$KV.${PEELS_BUCKET}.>`,
  })) {
    const id = subject.split('.').slice(2).join('.');
    const operation = headers?.get('KV-Operation') ?? '';
    if (operation !== '') {
      records.delete(id);
      found('record', id, `its record was deleted (${operation}): masters never do that`);
      continue;
    }
    const stored = storedIn(data);
    if (stored?.record.id === id) records.set(id, stored);
    else found('record', id, 'it is not a record of this peel');
  }

  let suspects = new Set(
    [...records.keys(), ...fold.peelIds].filter((id) => fold.compare(id, records.get(id)) !== undefined),
  );
  for (const id of fold.doubtful) suspects.add(id);
  const owners = () => {
    const keys = new Map<string, KeyKnown>();
    for (const { record } of records.values())
      for (const { publicKey, state } of record.keys)
        keys.set(publicKey, state === 'revoked' ? 'revoked' : 'issued');
    return keys;
  };
  const owned = owners();
  const strangers = users.filter(({ publicKey, name }) => isPeelId(name) && !owned.has(publicKey));
  let wrong = new Map<string, string>();
  for (
    let round = 0;
    round < ROUNDS && (suspects.size > 0 || (round === 0 && strangers.length > 0));
    round++
  ) {
    progress(`checking ${suspects.size} peels again`);
    await delay(INTEGRITY_RECHECK_MS);
    wrong = new Map();
    for (const id of [...suspects].slice(0, NAMED)) {
      const own = new AuditFold();
      const events: AuditEvent[] = [];
      if (isPeelId(id)) {
        for await (const { data, subject, headers } of readStream(store, AUDIT_STREAM, {
          filter: subjectFor.audit(id),
        })) {
          const event = parseEvent(data);
          if (
            event === undefined ||
            unlikeAMaster(event, subject, headers?.get('Nats-Msg-Id') ?? '') !== undefined
          )
            continue;
          addTo(own, event);
          events.push(event);
        }
      }
      const last = await jsm.streams.getMessage(`KV_${PEELS_BUCKET}`, {
        last_by_subj: `$KV.${PEELS_BUCKET}.${id}`,
      });
      const stored = last === null ? undefined : storedIn(last.data);
      if (stored?.record.id === id) records.set(id, stored);
      const why = rivals(events) ?? own.compare(id, stored);
      if (why !== undefined) wrong.set(id, why);
    }
    for (const { name } of strangers) {
      const last = await jsm.streams.getMessage(`KV_${PEELS_BUCKET}`, {
        last_by_subj: `$KV.${PEELS_BUCKET}.${name}`,
      });
      const stored = last === null ? undefined : storedIn(last.data);
      if (stored !== undefined) records.set(name, stored);
    }
    const rest = [...suspects].slice(NAMED);
    for (const id of rest)
      wrong.set(id, fold.compare(id, records.get(id)) ?? 'the audit log has two events with the same number');
    suspects = new Set(wrong.keys());
  }
  for (const [id, why] of wrong) found(records.has(id) ? 'record' : 'audit', id, why);

  const keys = owners();
  const unexplained: { id: string; publicKey: string; subject: string }[] = [];
  for await (const { data, subject } of readStream(store, `KV_${FLEET_BUCKET}`, {
    filter: `$KV.${FLEET_BUCKET}.>`,
  })) {
    const parsed = v.safeParse(tokenSchema, parseJson(data));
    if (!parsed.success) continue;
    const { id, publicKey, removedAt } = parsed.output;
    keys.set(publicKey, removedAt === undefined ? 'issued' : 'revoked');
    if (!fold.madeToken(id, publicKey)) unexplained.push({ id, publicKey, subject });
  }
  if (unexplained.length > 0) {
    const lately = await tokensInAudit(store);
    for (const { id, publicKey, subject } of unexplained)
      if (!lately.madeToken(id, publicKey))
        found(
          'token',
          id,
          `the join token (${subject}) exists, but the audit log does not say who created it`,
        );
  }
  for (const [check, count] of counts) {
    if (count >= NAMED)
      findings.push({
        severity: 'error',
        check,
        subject: check,
        message: `and ${count - NAMED + 1} more of this kind`,
      });
  }
  return { findings: unique(findings), keyOf: (publicKey) => keys.get(publicKey) };
}

/** The tokens that were made, also while the audit was read. */
async function tokensInAudit(store: Parameters<typeof readStream>[0]): Promise<AuditFold> {
  const fold = new AuditFold();
  for await (const { data } of readStream(store, AUDIT_STREAM, {
    filter: auditSubject(undefined, 'token.created'),
  })) {
    const event = parseEvent(data);
    if (event !== undefined) fold.add(event);
  }
  return fold;
}

/** Events that cannot follow one another are found when they are compared. */
function addTo(fold: AuditFold, event: AuditEvent): void {
  try {
    fold.add(event);
  } catch {
    fold.doubtful.add(event.peelId ?? '');
  }
}

const CHANGE_KINDS = /^(peel|key|rotation)\./;

/** Why an event is none that a master wrote, by what a master always writes; undefined: it may be one. */
function unlikeAMaster(event: AuditEvent, subject: string, messageId: string): string | undefined {
  const peelId = isPeelId(event.peelId) ? event.peelId : undefined;
  if (subject !== auditSubject(peelId, event.kind))
    return `it is on ${subject}, where no master writes such an event`;
  if (messageId !== event.id && !messageId.startsWith(`${event.id}-`))
    return 'it lacks the message ID that masters set';
  if (CHANGE_KINDS.test(event.kind) && !isPeelEvent(event))
    return 'it says that a record changed, but not how';
  return undefined;
}

const storedSchema = v.object({ record: recordSchema, event: auditEventSchema });

function storedIn(data: Uint8Array): Stored | undefined {
  const parsed = v.safeParse(storedSchema, parseJson(data));
  if (!parsed.success) return undefined;
  const { record, event } = parsed.output;
  return { record, eventId: event.id };
}

function isObject(data: Uint8Array): boolean {
  const json = parseJson(data);
  return typeof json === 'object' && json !== null && 'kind' in json;
}

const FIX: Readonly<Record<string, string>> = {
  record:
    'compare "zester peel show" and "zester audit"; if none of your admins decided this, run "zester peel revoke" and add the peel again',
  audit: 'do not trust it: no master wrote it, or somebody else changed its record',
  token:
    'run "zester join-token remove" if none of your admins created it; a master killed at that instant may not have audited it',
};

function unique(findings: readonly Finding[]): Finding[] {
  return [...new Map(findings.map((finding) => [`${finding.subject} ${finding.message}`, finding])).values()];
}

/** The first of each kind, and how many more there are. */
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
