// Restores a backup into an empty home and empty servers, or into a running fleet.
import { nuid } from '@nats-io/nats-core';
import { pushAccount } from '../account/check-account.js';
import type { ChangeOptions } from '../account/change-account.js';
import type { PushReport } from '../account/push-account.js';
import { BackupError } from '../errors.js';
import { nowSeconds } from '../jwt/time.js';
import { openStore, type Store } from '../master/store/store.js';
import { storeFailureOf } from '../master/store/store-failure.js';
import { auditSubject, PEELS_BUCKET } from '../permissions/names.js';
import type { Actor } from '../protocol/records/actor.js';
import { applyEvent } from '../protocol/records/apply-event.js';
import {
  isRecordEvent,
  type AuditEvent,
  type NewerChange,
  type PeelChange,
  type PeelEvent,
} from '../protocol/records/audit-event.js';
import { parseAnyEvent } from '../protocol/records/parse-event.js';
import type { PeelRecord } from '../protocol/records/record.js';
import { parseStoredRecord, type StoredRecord } from '../protocol/records/stored-record.js';
import { STORE_OPEN_TIMEOUT_MS } from '../timing.js';
import { withHomeLock } from '../trust/lock.js';
import { openTrustDomain } from '../trust/open.js';
import { ensurePrivateDirectory } from '../trust/private-files.js';
import { withState } from './connect-state.js';
import { auditMessages, bucketValues, putValue } from './fleet-state.js';
import { isVacant, writeHome } from './home-files.js';
import { mustHoldRecovery, revokedSince, takesBackup } from './merge-record.js';
import { damagedBackup, isLeftOut } from './entries.js';
import { readBackup, type BackupPiece } from './read-archive.js';
import { verifyBackup, type VerifiedBackup } from './verify-backup.js';

/** A checked backup, and how to read it again. */
export interface CheckedBackup extends VerifiedBackup {
  path: string;
  identities: readonly string[];
}

/** The result of {@link restoreFleet}. */
export interface RestoredFleet {
  /** The servers that have the account JWT. */
  report: PushReport;
  /** `kept`: the fleet's record is newer, or decided. `revoked`: restored, but revoked since the backup was made. */
  peels: { restored: number; kept: number; revoked: string[] };
  tokens: { restored: number; kept: number };
  events: { restored: number; kept: number };
}

/**
 * Checks a whole backup, so that nothing of a damaged one is restored.
 *
 * @throws as `verifyBackup`
 */
export async function checkBackup(path: string, identities: readonly string[]): Promise<CheckedBackup> {
  return { ...(await verifyBackup(path, identities)), path, identities };
}

/**
 * Requires the backup of this operator: whoever knows a recipient can make a backup of another trust domain.
 *
 * @param operator `O…`
 * @throws BackupError `ERR_BACKUP_OTHER_TRUST`
 */
export function requireOperator({ path, header }: CheckedBackup, operator: string): void {
  const { name, publicKey } = header.operator;
  if (publicKey === operator) return;
  throw new BackupError(
    'ERR_BACKUP_OTHER_TRUST',
    path,
    `${path} is of the operator "${name}" (${publicKey}), not of ${operator}: nothing was changed`,
  );
}

/**
 * Restores the home, unless it already has a trust domain.
 *
 * @returns `kept`: the home has this trust domain already, and is unchanged
 * @throws BackupError `ERR_BACKUP_OTHER_TRUST`, `ERR_BACKUP_HOME`; TrustError, FileError
 */
export async function restoreHome(backup: CheckedBackup, home: string): Promise<'restored' | 'kept'> {
  if (await isVacant(home)) {
    await ensurePrivateDirectory(home);
    return withHomeLock(home, 'zester restore', async (): Promise<'restored'> => {
      if (!(await isVacant(home))) throw homeInUse(home);
      await writeHome(home, filesOf(backup));
      return 'restored';
    });
  }
  const domain = await openTrustDomain(home).catch((cause: unknown) => {
    throw homeInUse(home, cause);
  });
  const { operator, account } = backup.header;
  if (domain.publicKeys.operator === operator.publicKey && domain.publicKeys.account === account.publicKey)
    return 'kept';
  throw new BackupError(
    'ERR_BACKUP_OTHER_TRUST',
    home,
    `${home} is of the operator ${domain.publicKeys.operator}, but the backup is of "${operator.name}" (${operator.publicKey}): ` +
      'pass another --home; nothing was changed',
  );
}

function homeInUse(home: string, cause?: unknown): BackupError {
  const why = cause instanceof Error ? ` (${cause.message})` : '';
  return new BackupError(
    'ERR_BACKUP_HOME',
    home,
    `${home} is not empty, and no trust domain that can be opened${why}: move it away, and run this again; nothing was changed`,
    { cause },
  );
}

async function* filesOf(backup: CheckedBackup) {
  for await (const piece of readAgain(backup)) if (piece.is === 'file' && !isLeftOut(piece.path)) yield piece;
}

/**
 * Reads a backup that was checked. Another process may have replaced the file since, with one that it encrypted to the same
 * recipient.
 *
 * @throws BackupError `ERR_BACKUP_DAMAGED` at the first entry that differs, which is not used; as `readBackup`
 */
function readAgain(
  { path, identities, entries }: CheckedBackup,
  onBytes?: (read: number, size: number) => void,
): AsyncIterable<BackupPiece> {
  let next = 0;
  return readBackup(path, identities, onBytes, (digest) => {
    if (entries[next] !== digest) throw damagedBackup(path, 'it was changed after it had been checked');
    next += 1;
  });
}

/**
 * Restores the servers' state: merges and pushes the account JWT, like `zester account push`, then adds missing entries
 * to the audit log, the join tokens and the registry. A peel that was revoked since the backup was made stays revoked:
 * the account JWTs of backup, home and servers are merged, and a record whose key is revoked there becomes revoked.
 * Idempotent: it may be interrupted and rerun. Masters may be running.
 *
 * Cost: time grows with the backup; memory with the number of audit events that the servers already have.
 *
 * @param home of this trust domain: see {@link restoreHome}
 * @param onBytes called with the bytes read so far, and the size of the backup
 * @throws TrustError, NatsServerError, ConnectError, FleetError; and as `readBackup`
 */
export async function restoreFleet(
  backup: CheckedBackup,
  home: string,
  options: ChangeOptions & { servers: readonly string[]; storeWaitMs?: number },
  onBytes?: (read: number, size: number) => void,
): Promise<RestoredFleet> {
  const now = options.now ?? Date.now;
  const { report, claims } = await pushAccount(home, { ...options, alsoHeld: backup.accounts });
  const domain = await openTrustDomain(home);
  const pieces = readAgain(backup, onBytes);
  return withState(domain, options, async (nc) => {
    const { storeWaitMs: waitMs = STORE_OPEN_TIMEOUT_MS } = options;
    const store = await openStore(nc, { logger: SILENT, waitMs });
    const by: Actor = { kind: 'admin', name: 'zester restore', publicKey: domain.publicKeys.account };
    const restore = new StateRestore(store, by, now, claims.nats.revocations ?? {});
    await restore.run(pieces);
    const { header } = backup;
    const counts = restore.result;
    await restore.note({
      kind: 'backup.restored',
      by,
      detail: {
        backup: header.createdAt,
        peels: counts.peels.restored,
        revoked: counts.peels.revoked.length,
        tokens: counts.tokens.restored,
        events: counts.events.restored,
      },
    });
    return { report, ...counts };
  });
}

/** Concurrent writes of values and events: the servers' answers are awaited together. */
const RESTORE_BATCH = 64;

const nothing = () => undefined;
const SILENT = { debug: nothing, info: nothing, warn: nothing, error: nothing };

/** Adds the values and events of a backup to a fleet. */
class StateRestore {
  readonly result = {
    peels: { restored: 0, kept: 0, revoked: [] as string[] },
    tokens: { restored: 0, kept: 0 },
    events: { restored: 0, kept: 0 },
  };
  readonly #store: Store;
  readonly #by: Actor;
  readonly #now: () => number;
  readonly #revocations: Readonly<Record<string, number>>;
  /** IDs of the events that the servers already have. */
  readonly #known = new Set<string>();
  /** The fleet's records at the start; undefined: written by a newer version. */
  readonly #living = new Map<string, PeelRecord | undefined>();
  /** Peels with a different record in the fleet: the backup's events did not lead to it. */
  readonly #others = new Set<string>();
  /** Records to write after the audit log: no decision may exist without its event. */
  readonly #records: StoredRecord[] = [];

  constructor(store: Store, by: Actor, now: () => number, revocations: Readonly<Record<string, number>>) {
    this.#store = store;
    this.#by = by;
    this.#now = now;
    this.#revocations = revocations;
  }

  async run(pieces: AsyncIterable<BackupPiece>): Promise<void> {
    try {
      for await (const { key, data } of bucketValues(this.#store, PEELS_BUCKET))
        this.#living.set(key, parseStoredRecord(data)?.record);
      for await (const { id, data } of auditMessages(this.#store))
        this.#known.add(parseAnyEvent(data)?.id ?? id);
      await inBatches(pieces, (piece) => this.#restore(piece));
      await inBatches(this.#records, (stored) => this.#restoreRecord(stored));
    } catch (cause) {
      throw storeFailureOf(cause) ?? cause;
    }
  }

  async note(event: Omit<AuditEvent, 'id' | 'at'>): Promise<void> {
    const whole = { ...event, id: nuid.next(), at: new Date(this.#now()).toISOString() };
    await this.#publish(auditSubject(undefined, event.kind), whole.id, JSON.stringify(whole));
  }

  async #restore(piece: BackupPiece): Promise<void> {
    switch (piece.is) {
      case 'peel': {
        const { record } = piece.stored;
        const living = this.#living.get(record.id);
        if (living?.createdAt !== record.createdAt && !takesBackup(record, living))
          this.#others.add(record.id);
        this.#living.delete(record.id);
        this.#records.push(piece.stored);
        return;
      }
      case 'token': {
        const isNew = await putValue(this.#store.fleet, piece.token.id, piece.text, undefined);
        this.result.tokens[isNew ? 'restored' : 'kept'] += 1;
        return;
      }
      case 'event':
        if (this.#known.has(piece.event?.id ?? piece.id) || this.#isOfOther(piece.event)) {
          this.result.events.kept += 1;
          return;
        }
        await this.#publish(piece.subject, piece.id, piece.text);
        this.result.events.restored += 1;
        return;
      default:
    }
  }

  #isOfOther(event: AuditEvent | NewerChange | undefined): boolean {
    return event !== undefined && isRecordEvent(event) && this.#others.has(event.peelId);
  }

  /**
   * Writes the backup's record, then revokes it if the account JWT does: by compare-and-set, since masters may decide
   * concurrently.
   */
  async #restoreRecord(backup: StoredRecord): Promise<void> {
    const { id } = backup.record;
    const { peels } = this.#store;
    for (;;) {
      const entry = await peels.get(id);
      const living = entry?.operation === 'PUT' ? parseStoredRecord(entry.value) : undefined;
      if (living === undefined && entry?.operation === 'PUT') {
        this.result.peels.kept += 1; // written by a newer version
        return;
      }
      const takes = takesBackup(backup.record, living?.record);
      const now = takes ? backup : (living ?? backup);
      const revoked = this.#revoked(now.record);
      const changed = revoked ?? (takes ? this.#held(now.record) : undefined);
      if (takes || changed !== undefined) {
        const value = JSON.stringify(changed ?? now);
        if (!(await putValue(peels, id, value, entry?.revision))) continue;
      }
      if (changed !== undefined) {
        const { event } = changed;
        await this.#publish(auditSubject(id, event.kind), event.id, JSON.stringify(event));
      }
      if (revoked !== undefined) this.result.peels.revoked.push(id);
      this.result.peels[takes ? 'restored' : 'kept'] += 1;
      return;
    }
  }

  #revoked(record: PeelRecord): StoredRecord | undefined {
    const change = revokedSince(record, this.#revocations, nowSeconds(this.#now));
    return change && this.#changed(record, change, 'its key was revoked after the backup was made');
  }

  #held(record: PeelRecord): StoredRecord | undefined {
    if (!mustHoldRecovery(record, nowSeconds(this.#now))) return undefined;
    const reason = 'its key has expired, and may have been revoked after the backup was made';
    return this.#changed(record, { kind: 'recovery.held' }, reason);
  }

  #changed(record: PeelRecord, change: PeelChange, reason: string): StoredRecord {
    const event: PeelEvent = {
      ...change,
      id: nuid.next(),
      at: new Date(this.#now()).toISOString(),
      by: this.#by,
      peelId: record.id,
      number: record.number + 1,
      reason,
    };
    return { record: applyEvent(record, event), event };
  }

  async #publish(subject: string, msgID: string, data: string): Promise<void> {
    await this.#store.js.publish(subject, data, { msgID });
  }
}

/** Runs actions concurrently, in batches; starts them in the order of the source. */
async function inBatches<T>(
  source: Iterable<T> | AsyncIterable<T>,
  act: (item: T) => Promise<void>,
): Promise<void> {
  let batch: Promise<void>[] = [];
  for await (const item of source) {
    const acting = act(item);
    acting.catch(() => undefined); // awaited below, with the others
    batch.push(acting);
    if (batch.length < RESTORE_BATCH) continue;
    await Promise.all(batch);
    batch = [];
  }
  await Promise.all(batch);
}
