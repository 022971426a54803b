// Compares records and join tokens with the audit log, and finds entries that no master wrote.
import * as v from 'valibot';
import { AUDIT_STREAM, AUDIT_SUBJECTS, auditSubject, subjectFor } from '../../permissions/names.js';
import { isPeelId } from '../../permissions/peel-id.js';
import { parseJson } from '../../protocol/messages.js';
import {
  AUDIT_KINDS,
  isRecordEvent,
  type AuditEvent,
  type NewerChange,
} from '../../protocol/records/audit-event.js';
import { tokenSchema } from '../../protocol/records/join-token.js';
import { parseAnyEvent, parseEvent } from '../../protocol/records/parse-event.js';
import type { PeelRecord } from '../../protocol/records/record.js';
import { parseStoredRecord } from '../../protocol/records/stored-record.js';
import type { ConnectedUser } from '../../system-account/connected-users.js';
import type { Finding } from '../../trust/finding.js';
import { AuditFold, rivals } from './audit-fold.js';
import type { KeyKnown } from './judge-users.js';

const ROUNDS = 2;
/** The maximum number of findings listed per kind; the others are counted. */
export const NAMED = 200;
/** Number of events between two progress reports. */
const PROGRESS = 50_000;

/** A message of a stream. */
export interface StreamMessage {
  data: Uint8Array;
  subject: string;
  seq: number;
  headers?: { get(name: string): string } | undefined;
}

/** The stored state of a fleet, as {@link RecordCheck} reads it: oldest first. */
export interface FleetSource {
  audit(filter: string): AsyncIterable<StreamMessage>;
  records(): AsyncIterable<StreamMessage>;
  tokens(): AsyncIterable<StreamMessage>;
  /** The current record of a peel; undefined: it has none. */
  record(id: string): Promise<Uint8Array | undefined>;
  /** Waits for an event in flight to arrive. */
  settle(): Promise<void>;
}

/** A record, and the ID of the event that produced it, according to the record. */
interface Stored {
  record: PeelRecord;
  eventId: string;
}

/** One comparison: the state as read, and the findings. */
export class RecordCheck {
  readonly #source: FleetSource;
  readonly #progress: (text: string) => void;
  readonly #fold: AuditFold;
  readonly #trimmedBefore: string | undefined;
  readonly #records = new Map<string, Stored>();
  readonly #findings: Finding[] = [];
  /** Number of findings of each kind. */
  readonly #counts = new Map<string, number>();

  /** @param options.trimmedBefore ISO 8601: the audit log's retention has deleted earlier events */
  constructor(
    source: FleetSource,
    options: { progress: (text: string) => void; trimmedBefore?: string | undefined },
  ) {
    this.#source = source;
    this.#progress = options.progress;
    this.#trimmedBefore = options.trimmedBefore;
    this.#fold = new AuditFold({ trimmedBefore: options.trimmedBefore });
  }

  /** Reads and compares everything. @returns the keys of records and join tokens */
  async run(users: readonly ConnectedUser[]): Promise<Map<string, KeyKnown>> {
    await this.#readAudit();
    await this.#readRecords();
    await this.#compare(users);
    return this.#readTokens();
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

  /**
   * Adds a finding. An attacker may write as much as JetStream stores, so findings above the limit are only counted.
   */
  #found(check: string, subject: string, message: string): void {
    const count = (this.#counts.get(check) ?? 0) + 1;
    this.#counts.set(check, count);
    if (count < NAMED)
      this.#findings.push({ severity: 'error', check, subject, message, fix: FIX[check] ?? '' });
  }

  async #readAudit(): Promise<void> {
    let messages = 0;
    for await (const { data, subject, seq, headers } of this.#source.audit(AUDIT_SUBJECTS)) {
      if (++messages % PROGRESS === 0) this.#progress(`${messages} audit events read`);
      const event = parseAnyEvent(data);
      if (event === undefined) {
        // an event of an unknown kind that changed no record may be from a newer version
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

  async #readRecords(): Promise<void> {
    for await (const { data, subject, headers } of this.#source.records()) {
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
  async #compare(users: readonly ConnectedUser[]): Promise<void> {
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
      await this.#source.settle();
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

  /**
   * Reads a peel's record and events again.
   *
   * @returns the difference; undefined: they agree
   */
  async #compareAgain(id: string): Promise<string | undefined> {
    const own = new AuditFold({ trimmedBefore: this.#trimmedBefore });
    const events: (AuditEvent | NewerChange)[] = [];
    if (isPeelId(id)) {
      for await (const { data, subject, headers } of this.#source.audit(subjectFor.audit(id))) {
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
    const data = await this.#source.record(id);
    return data && storedIn(data);
  }

  /** The keys in records. */
  #owners(): Map<string, KeyKnown> {
    const keys = new Map<string, KeyKnown>();
    for (const { record } of this.#records.values())
      for (const { publicKey, state } of record.keys)
        keys.set(publicKey, state === 'revoked' ? 'revoked' : 'issued');
    return keys;
  }

  /** Reads the join tokens. @returns the keys of records and tokens */
  async #readTokens(): Promise<Map<string, KeyKnown>> {
    const keys = this.#owners();
    const unexplained: { id: string; publicKey: string; subject: string }[] = [];
    for await (const { data, subject } of this.#source.tokens()) {
      const parsed = v.safeParse(tokenSchema, parseJson(data));
      if (!parsed.success) continue;
      const { id, publicKey, removedAt, createdAt } = parsed.output;
      keys.set(publicKey, removedAt === undefined ? 'issued' : 'revoked');
      if (!this.#fold.madeToken(id, publicKey) && !this.#fold.isTrimmed(createdAt))
        unexplained.push({ id, publicKey, subject });
    }
    if (unexplained.length === 0) return keys;
    const latest = await tokensInAudit(this.#source);
    for (const { id, publicKey, subject } of unexplained)
      if (!latest.madeToken(id, publicKey))
        this.#found(
          'token',
          id,
          `the join token (${subject}) exists, but the audit log does not record its creation`,
        );
    return keys;
  }
}

const FIX_NEWER = 'run the doctor of the newest version that your masters run';

/** Tokens created so far, including those created while the audit log was read. */
async function tokensInAudit(source: FleetSource): Promise<AuditFold> {
  const fold = new AuditFold();
  for await (const { data } of source.audit(auditSubject(undefined, 'token.created'))) {
    const event = parseEvent(data);
    if (event !== undefined) fold.add(event);
  }
  return fold;
}

/** Adds an event. An impossible sequence of events is found in the comparison. */
function addTo(fold: AuditFold, event: AuditEvent | NewerChange): void {
  try {
    fold.add(event);
  } catch {
    fold.doubtful.add(event.peelId ?? '');
  }
}

const CHANGE_KINDS = /^(peel|key|rotation)\./;

/** Why an event cannot be from a master, judged by the fields that masters always set; undefined: it may be. */
function unlikeAMaster(
  event: AuditEvent | NewerChange,
  subject: string,
  messageId: string,
): string | undefined {
  const peelId = isPeelId(event.peelId) ? event.peelId : undefined;
  if (subject !== auditSubject(peelId, event.kind))
    return `it is on ${subject}, where masters write no such event`;
  if (messageId !== event.id && !messageId.startsWith(`${event.id}-`))
    return 'it lacks the message ID that masters set';
  if (CHANGE_KINDS.test(event.kind) && !isRecordEvent(event))
    return 'it reports a change of a record, but not the change itself';
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
    'compare "zester peel show" with "zester audit"; if none of your admins decided this, run "zester peel revoke" and add the peel again',
  audit: 'do not trust it: no master wrote it, or its record was tampered with',
  token:
    'run "zester join-token remove" if none of your admins created it; a master killed at that instant may not have audited it',
};
