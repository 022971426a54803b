// Compares a fleet's records and join tokens with its audit log.
import { jetstream, jetstreamManager, type JetStreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import { setTimeout as delay } from 'node:timers/promises';
import * as v from 'valibot';
import { auditTrimmedBefore } from '../../backup/fleet-state.js';
import { AuditFold, rivals } from '../../doctor/integrity/audit-fold.js';
import type { KeyKnown } from '../../doctor/integrity/judge-users.js';
import { readStream } from '../../master/store/read-stream.js';
import {
  AUDIT_STREAM,
  AUDIT_SUBJECTS,
  auditSubject,
  bucketStream,
  bucketSubjects,
  FLEET_BUCKET,
  PEELS_BUCKET,
  subjectFor,
} from '../../permissions/names.js';
import { isPeelId } from '../../permissions/peel-id.js';
import { parseJson } from '../../protocol/messages.js';
import {
  AUDIT_KINDS,
  isRecordEvent,
  type AuditEvent,
  type NewerChange,
} from '../../protocol/records/audit-event.js';
import { tokenSchema } from '../../protocol/records/join-token.js';
import { parseStoredRecord } from '../../protocol/records/stored-record.js';
import { parseAnyEvent, parseEvent } from '../../protocol/records/parse-event.js';
import type { PeelRecord } from '../../protocol/records/record.js';
import type { ConnectedUser } from '../../system-account/connected-users.js';
import { INTEGRITY_RECHECK_MS, JETSTREAM_TIMEOUT_MS } from '../../timing.js';
import type { Finding } from '../../trust/finding.js';

const ROUNDS = 2;
/** Findings of one kind that are named; the others are counted. */
export const NAMED = 200;
/** Number of events between two progress reports. */
const PROGRESS = 50_000;

/** A record, and the ID of the event that it says it was made by. */
interface Stored {
  record: PeelRecord;
  eventId: string;
}

/**
 * Compares them.
 *
 * @param users who is connected
 * @returns what does not agree, and what is known of a key
 */
export async function checkRecords(
  nc: NatsConnection,
  progress: (text: string) => void,
  users: readonly ConnectedUser[],
): Promise<{ findings: Finding[]; keyOf: (publicKey: string) => KeyKnown }> {
  const jsm = await jetstreamManager(nc, { timeout: JETSTREAM_TIMEOUT_MS, checkAPI: false });
  const store = { js: jetstream(nc, { timeout: JETSTREAM_TIMEOUT_MS }), jsm };
  const check = new RecordCheck(store, progress, await auditTrimmedBefore(store));
  await check.readAudit();
  await check.readRecords();
  await check.compare(users);
  const keys = await check.readTokens();
  return { findings: check.findings(), keyOf: (publicKey) => keys.get(publicKey) };
}

/** One comparison: what was read, and what was found. */
class RecordCheck {
  readonly #store: Parameters<typeof readStream>[0];
  readonly #jsm: JetStreamManager;
  readonly #progress: (text: string) => void;
  readonly #fold: AuditFold;
  readonly #trimmedBefore: string | undefined;
  readonly #records = new Map<string, Stored>();
  readonly #findings: Finding[] = [];
  /** How many findings there are of each kind. */
  readonly #counts = new Map<string, number>();

  constructor(
    store: Parameters<typeof readStream>[0],
    progress: (text: string) => void,
    trimmedBefore: string | undefined,
  ) {
    this.#trimmedBefore = trimmedBefore;
    this.#fold = new AuditFold({ trimmedBefore });
    this.#store = store;
    this.#jsm = store.jsm;
    this.#progress = progress;
  }

  findings(): Finding[] {
    const more = [...this.#counts]
      .filter(([, count]) => count >= NAMED)
      .map(([check, count]): Finding => {
        const message = `and ${count - NAMED + 1} more of this kind`;
        return { severity: 'error', check, subject: check, message };
      });
    const all = [...this.#findings, ...more];
    return [...new Map(all.map((finding) => [`${finding.subject} ${finding.message}`, finding])).values()];
  }

  /** An attacker may write as much as JetStream holds: what is not named is counted only. */
  #found(check: string, subject: string, message: string): void {
    const count = (this.#counts.get(check) ?? 0) + 1;
    this.#counts.set(check, count);
    if (count < NAMED)
      this.#findings.push({ severity: 'error', check, subject, message, fix: FIX[check] ?? '' });
  }

  async readAudit(): Promise<void> {
    let messages = 0;
    const all = readStream(this.#store, AUDIT_STREAM, { filter: AUDIT_SUBJECTS });
    for await (const { data, subject, seq, headers } of all) {
      if (++messages % PROGRESS === 0) this.#progress(`${messages} audit events read`);
      const event = parseAnyEvent(data);
      if (event === undefined) {
        // what changed no record and has a kind that this version does not know may be of a newer one
        const kind = subject.split('.').slice(3).join('.');
        if (AUDIT_KINDS.includes(kind) || !isObject(data))
          this.#found(
            'audit',
            `${AUDIT_STREAM} ${seq}`,
            `the message on ${subject} is not an event from a master`,
          );
        continue;
      }
      const wrong = unlikeAMaster(event, subject, headers?.get('Nats-Msg-Id') ?? '');
      if (wrong === undefined) addTo(this.#fold, event);
      else this.#found('audit', `${AUDIT_STREAM} ${seq}`, `${wrong} (${event.kind}, ${event.at})`);
    }
    this.#progress(`${messages} audit events read; reading the registry`);
  }

  async readRecords(): Promise<void> {
    const filter = bucketSubjects(PEELS_BUCKET);
    for await (const { data, subject, headers } of readStream(this.#store, PEELS, { filter })) {
      const id = subject.split('.').slice(2).join('.');
      const operation = headers?.get('KV-Operation') ?? '';
      if (operation !== '') {
        this.#records.delete(id);
        this.#found('record', id, `its record was deleted (${operation}): masters never do that`);
        continue;
      }
      const stored = storedIn(data);
      if (stored?.record.id === id) this.#records.set(id, stored);
      else this.#found('record', id, 'it is not a record of this peel');
    }
  }

  /** Checks mismatches again: in a running fleet, an event may be in flight. */
  async compare(users: readonly ConnectedUser[]): Promise<void> {
    const fold = this.#fold;
    let suspects = new Set(
      [...this.#records.keys(), ...fold.peelIds].filter(
        (id) => fold.compare(id, this.#records.get(id)) !== undefined,
      ),
    );
    for (const id of fold.doubtful) suspects.add(id);
    const owned = this.#owners();
    const strangers = users.filter(({ publicKey, name }) => isPeelId(name) && !owned.has(publicKey));
    let wrong = new Map<string, string>();
    for (
      let round = 0;
      round < ROUNDS && (suspects.size > 0 || (round === 0 && strangers.length > 0));
      round++
    ) {
      this.#progress(`checking ${suspects.size} peels again`);
      await delay(INTEGRITY_RECHECK_MS);
      wrong = new Map();
      for (const id of [...suspects].slice(0, NAMED)) {
        const why = await this.#compareAgain(id);
        if (why !== undefined) wrong.set(id, why);
      }
      for (const { name } of strangers) {
        const stored = await this.#stored(name);
        if (stored !== undefined) this.#records.set(name, stored);
      }
      for (const id of [...suspects].slice(NAMED)) {
        const why = fold.compare(id, this.#records.get(id));
        wrong.set(id, why ?? 'the audit log has two events with the same number');
      }
      suspects = new Set(wrong.keys());
    }
    for (const id of this.#records.keys()) {
      const kind = fold.newerKind(id);
      if (kind === undefined) continue;
      const message = `the audit log has an event that a newer version of Zester wrote (${kind}): only its place was checked`;
      this.#findings.push({ severity: 'warning', check: 'record', subject: id, message, fix: FIX_NEWER });
    }
    for (const [id, why] of wrong) this.#found(this.#records.has(id) ? 'record' : 'audit', id, why);
  }

  /** @returns why a peel's record and its events, read anew, do not agree */
  async #compareAgain(id: string): Promise<string | undefined> {
    const own = new AuditFold({ trimmedBefore: this.#trimmedBefore });
    const events: (AuditEvent | NewerChange)[] = [];
    if (isPeelId(id)) {
      const its = readStream(this.#store, AUDIT_STREAM, { filter: subjectFor.audit(id) });
      for await (const { data, subject, headers } of its) {
        const event = parseAnyEvent(data);
        if (
          event === undefined ||
          unlikeAMaster(event, subject, headers?.get('Nats-Msg-Id') ?? '') !== undefined
        )
          continue;
        addTo(own, event);
        events.push(event);
      }
    }
    const stored = await this.#stored(id);
    if (stored?.record.id === id) this.#records.set(id, stored);
    return rivals(events) ?? own.compare(id, stored);
  }

  async #stored(id: string): Promise<Stored | undefined> {
    const last = await this.#jsm.streams.getMessage(PEELS, {
      last_by_subj: `$KV.${PEELS_BUCKET}.${id}`,
    });
    return last === null ? undefined : storedIn(last.data);
  }

  /** The keys that records have. */
  #owners(): Map<string, KeyKnown> {
    const keys = new Map<string, KeyKnown>();
    for (const { record } of this.#records.values())
      for (const { publicKey, state } of record.keys)
        keys.set(publicKey, state === 'revoked' ? 'revoked' : 'issued');
    return keys;
  }

  /** Reads the join tokens. @returns the keys of records and tokens */
  async readTokens(): Promise<Map<string, KeyKnown>> {
    const keys = this.#owners();
    const unexplained: { id: string; publicKey: string; subject: string }[] = [];
    const filter = bucketSubjects(FLEET_BUCKET);
    for await (const { data, subject } of readStream(this.#store, bucketStream(FLEET_BUCKET), { filter })) {
      const parsed = v.safeParse(tokenSchema, parseJson(data));
      if (!parsed.success) continue;
      const { id, publicKey, removedAt, createdAt } = parsed.output;
      keys.set(publicKey, removedAt === undefined ? 'issued' : 'revoked');
      if (!this.#fold.madeToken(id, publicKey) && !this.#fold.isTrimmed(createdAt))
        unexplained.push({ id, publicKey, subject });
    }
    if (unexplained.length === 0) return keys;
    const lately = await tokensInAudit(this.#store);
    for (const { id, publicKey, subject } of unexplained)
      if (!lately.madeToken(id, publicKey))
        this.#found(
          'token',
          id,
          `the join token (${subject}) exists, but the audit log does not say who created it`,
        );
    return keys;
  }
}

const FIX_NEWER = 'run the doctor of the newest version that your masters run';

const PEELS = bucketStream(PEELS_BUCKET);

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
function addTo(fold: AuditFold, event: AuditEvent | NewerChange): void {
  try {
    fold.add(event);
  } catch {
    fold.doubtful.add(event.peelId ?? '');
  }
}

const CHANGE_KINDS = /^(peel|key|rotation)\./;

/** Why an event is none that a master wrote, by what a master always writes; undefined: it may be one. */
function unlikeAMaster(
  event: AuditEvent | NewerChange,
  subject: string,
  messageId: string,
): string | undefined {
  const peelId = isPeelId(event.peelId) ? event.peelId : undefined;
  if (subject !== auditSubject(peelId, event.kind))
    return `it is on ${subject}, where no master writes such an event`;
  if (messageId !== event.id && !messageId.startsWith(`${event.id}-`))
    return 'it lacks the message ID that masters set';
  if (CHANGE_KINDS.test(event.kind) && !isRecordEvent(event))
    return 'it says that a record changed, but not how';
  return undefined;
}

function storedIn(data: Uint8Array): Stored | undefined {
  const stored = parseStoredRecord(data);
  return stored && { record: stored.record, eventId: stored.event.id };
}

function isObject(data: Uint8Array): boolean {
  const json = parseJson(data);
  return typeof json === 'object' && json !== null && 'kind' in json;
}

const FIX: Readonly<Record<string, string>> = {
  record:
    'compare "zester peel show" and "zester audit"; if none of your admins decided this, run "zester peel revoke" and add the peel again',
  audit: 'do not trust it: no master wrote it, or its record was tampered with',
  token:
    'run "zester join-token remove" if none of your admins created it; a master killed at that instant may not have audited it',
};
