// Creates a consistent backup of a fleet: its home, account JWTs, registry, join tokens and audit log.
import { withOpenHome, type ChangeOptions } from '../account/change-account.js';
import { heldAccountJwts } from '../account/held-account.js';
import { nowSeconds } from '../jwt/time.js';
import { parseJson } from '../protocol/messages.js';
import { packageVersion } from '../protocol/package-version.js';
import { isRecordEvent, type AuditEvent } from '../protocol/records/audit-event.js';
import { parseAnyEvent } from '../protocol/records/parse-event.js';
import { RecentIds } from '../protocol/recent-ids.js';
import { auditSubject, FLEET_BUCKET, PEELS_BUCKET } from '../permissions/names.js';
import { encrypterFor } from '../provision/sinks/encrypter.js';
import type { TrustDomain } from '../trust/domain.js';
import { openTrustDomain } from '../trust/open.js';
import { masterSigner, withState } from './connect-state.js';
import { BACKUP_VERSION, type BackupHeader, type BackupSummary } from './entries.js';
import { auditMessages, auditTrimmedBefore, bucketValues, type StateReader } from './fleet-state.js';
import { homeFiles } from './home-files.js';
import { ArchiveWriter } from './write-archive.js';

/** The options of {@link createBackup}. */
export interface CreateBackupOptions extends ChangeOptions {
  servers: readonly string[];
  /** `age1…` keys that can restore it, at least one. */
  recipients: readonly string[];
  /** Called with each skipped file of the home: a link, an age file, or a name that Zester does not use. */
  onSkipped?: (path: string) => void;
  /** Called as values and events are read. */
  onProgress?: (count: number) => void;
}

/**
 * Creates a backup, encrypted to recipients as it is written. The fleet keeps running; the backup is consistent:
 * records and tokens come first, then the home and the account JWTs, which may have more revocations but never fewer,
 * and the audit events that led to the records.
 *
 * Cost: time grows with the number of records and audit events, memory with the number of records (about 0.5 KB each).
 *
 * @returns the number of items of each kind
 * @throws UsageError for an invalid recipient; FileError, TrustError, NatsServerError, ConnectError, FleetError: `path`
 *   is unchanged then
 * @example
 * await createBackup('/var/lib/zester', 'fleet.age', { servers, recipients: ['age1…'] });
 */
export async function createBackup(
  home: string,
  path: string,
  options: CreateBackupOptions,
): Promise<BackupSummary> {
  const domain = await openTrustDomain(home);
  encrypterFor(options.recipients); // report invalid recipients before doing anything
  return withState(domain, options, async (_nc, store) => {
    const archive = await ArchiveWriter.open(
      path,
      options.recipients,
      await headerOf(domain, store, options),
    );
    try {
      const records = await addValues(archive, store, options);
      await addHome(archive, home, options);
      await addAudit(archive, store, records, options);
      const signer = await masterSigner(domain);
      try {
        return await archive.finish(signer);
      } finally {
        signer.key.wipe();
      }
    } catch (error) {
      await archive.abort();
      throw error;
    }
  });
}

async function headerOf(
  { names, publicKeys }: TrustDomain,
  store: StateReader,
  { now = Date.now }: CreateBackupOptions,
): Promise<BackupHeader> {
  const trimmedBefore = await auditTrimmedBefore(store);
  return {
    format: 'zester-backup',
    version: BACKUP_VERSION,
    createdAt: new Date(nowSeconds(now) * 1000).toISOString(),
    zester: packageVersion(),
    operator: { name: names.operator, publicKey: publicKeys.operator },
    account: { name: names.account, publicKey: publicKeys.account },
    ...(trimmedBefore !== undefined && { auditTrimmedBefore: trimmedBefore }),
  };
}

/** The last event of each record, by the peel's ID. */
type LastEvents = Map<string, { number: number; id: string; text: string; kind: string }>;

async function addValues(
  archive: ArchiveWriter,
  store: StateReader,
  { onProgress = () => undefined }: CreateBackupOptions,
): Promise<LastEvents> {
  const values = new Map<string, string>();
  for await (const { key, text } of bucketValues(store, PEELS_BUCKET)) {
    values.set(key, text);
    onProgress(1);
  }
  const last: LastEvents = new Map();
  for (const [key, text] of values) {
    const { event } = (parseJson(Buffer.from(text)) ?? {}) as { event?: AuditEvent };
    if (event !== undefined)
      last.set(key, {
        number: event.number ?? 0,
        id: event.id,
        text: JSON.stringify(event),
        kind: event.kind,
      });
    await archive.value('peels', key, text);
    values.delete(key);
  }
  const tokens = new Map<string, string>();
  for await (const { key, text } of bucketValues(store, FLEET_BUCKET)) tokens.set(key, text);
  for (const [key, text] of tokens) await archive.value('tokens', key, text);
  return last;
}

async function addHome(archive: ArchiveWriter, home: string, options: CreateBackupOptions): Promise<void> {
  await withOpenHome(home, 'zester backup', options, async ({ domain, connected }) => {
    const held =
      connected === undefined
        ? []
        : await heldAccountJwts(connected.nc, domain, domain.publicKeys.account, connected.up);
    await archive.accounts(held.map(({ jwt }) => jwt));
    for await (const { path, content } of homeFiles(domain.home, options.onSkipped ?? (() => undefined)))
      await archive.file(path, content);
  });
}

/** Adds the events that led to the records, and those that concern no peel. Later events belong to the next backup. */
async function addAudit(
  archive: ArchiveWriter,
  store: StateReader,
  records: LastEvents,
  { onProgress = () => undefined }: CreateBackupOptions,
): Promise<void> {
  const missing = new Set(records.keys());
  // a leader election during a publish may have stored an event twice
  const known = new RecentIds();
  for await (const { id, subject, text, data } of auditMessages(store)) {
    onProgress(1);
    const event = parseAnyEvent(data);
    if (event !== undefined && isRecordEvent(event)) {
      const record = records.get(event.peelId);
      if (record === undefined || event.number > record.number) continue;
      if (event.id === record.id) missing.delete(event.peelId);
    }
    if (known.add(event?.id ?? id)) await archive.event(id, subject, text);
  }
  // a master has made the decision, but not published it yet
  for (const peelId of missing) {
    const { id, kind, text } = records.get(peelId) ?? { id: '', kind: '', text: '' };
    await archive.event(id, auditSubject(peelId, kind), text);
  }
}
