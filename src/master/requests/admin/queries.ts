// Admin requests that read: peels, audit log, status.
import { withDeadline } from '../../../async/deadline.js';
import { matchesGlob } from '../../../protocol/glob.js';
import { parseLabelSelector, selectsLabels } from '../../../protocol/label-selector.js';
import { sortPeels } from '../../../protocol/records/peel-order.js';
import { isPeelConnected, effectivePresence } from '../../../protocol/records/effective-presence.js';
import type { ListedPeel, RequestOf } from '../../../protocol/messages.js';
import { currentKey } from '../../../protocol/records/record.js';
import { packageVersion } from '../../../protocol/package-version.js';
import { changeBreaker, readBreaker } from '../../revocation/breaker-store.js';
import { readAuditWithin, readStoredAudit } from '../../audit/read-audit.js';
import type { MasterContext } from '../../context.js';
import { unknownPeel } from '../../registry/registry.js';
import { EncodedAnswer, type Call } from '../service.js';
import { QUERY_STORE_TIMEOUT_MS } from '../../../timing.js';

/** Limits of each message of a multi-part answer: its size in bytes, and its items. */
const PART_BYTES = 500 * 1024;
const PART_ITEMS = 500;
/** The bytes of a part besides its items. */
const PART_OVERHEAD = 256;
/** The number of skipped peels that a list names. */
const MAX_SKIPPED_SHOWN = 100;
/** Events that `peel.show` returns by default. */
const SHOWN_EVENTS = 10;

/** `peel.list`: from memory, by ID. */
export async function* listPeels(
  context: MasterContext,
  { request }: Call<'peel.list'>,
): AsyncIterableIterator<EncodedAnswer> {
  const { presence, nc } = context;
  const ids = selectedIds(context, request);
  const maxBytes = (nc.info?.max_payload ?? Infinity) - PART_OVERHEAD;
  const skipped: string[] = [];
  const sendable = function* (): IterableIterator<string> {
    let left = request.top?.limit ?? request.limit ?? Infinity;
    for (const id of ids) {
      if (left === 0) return;
      const record = context.registry.get(id);
      if (record === undefined) continue;
      const present = effectivePresence(record, presence.get(id));
      const peel: ListedPeel = { record, ...(present !== undefined && { presence: present }) };
      const text = JSON.stringify(peel);
      // a record that does not fit a message must not hide the others, nor count: clients take a shorter page as the last one
      if (text.length * 3 > maxBytes && Buffer.byteLength(text) > maxBytes) {
        skipped.push(id);
        continue;
      }
      left -= 1;
      yield text;
    }
  };
  if (request.labels !== undefined) yield new EncodedAnswer(JSON.stringify({ peels: [], selected: true }));
  yield* splitIntoParts('peels', sendable(), { encoded: (text) => text });
  if (skipped.length > 0) {
    const shown = skipped.slice(0, MAX_SKIPPED_SHOWN);
    yield new EncodedAnswer(JSON.stringify({ peels: [], skipped: shown, skippedCount: skipped.length }));
  }
}

/** The IDs of the peels that match the request, in order. */
function selectedIds(context: MasterContext, request: RequestOf<'peel.list'>): string[] {
  const { top, limit } = request;
  const ids = [...matching(context, request)].sort();
  if (top === undefined) return ids;
  const peels = ids.slice(0, limit).flatMap((id) => {
    const record = context.registry.get(id);
    return record === undefined ? [] : { record, presence: context.presence.get(id) };
  });
  return sortPeels(peels, top.by).map(({ record }) => record.id);
}

function* matching(
  { registry, presence, now }: MasterContext,
  { pattern, state, expiringWithin, connected, labels, after }: RequestOf<'peel.list'>,
): IterableIterator<string> {
  const selector = labels === undefined ? undefined : parseLabelSelector(labels);
  for (const record of registry.records()) {
    if (after !== undefined && record.id <= after) continue;
    if (pattern !== undefined && !matchesGlob(pattern, record.id)) continue;
    if (state !== undefined && record.state !== state) continue;
    if (selector !== undefined && !selectsLabels(selector, record.labels)) continue;
    if (expiringWithin !== undefined) {
      const expiresAt = currentKey(record)?.expiresAt;
      if (expiresAt === undefined || expiresAt > now() / 1000 + expiringWithin) continue;
    }
    if (connected !== undefined && connected !== isPeelConnected(record, presence.seen(record.id))) continue;
    yield record.id;
  }
}

/**
 * `peel.show`: the record, who is connected, and the last events. While JetStream elects a leader, shows the record in
 * memory, without events: operators look at peels during outages.
 */
export async function showPeel(
  { registry, presence, store, logger }: MasterContext,
  { request: { peelId, events: last = SHOWN_EVENTS } }: Call<'peel.show'>,
) {
  const deadline = Date.now() + QUERY_STORE_TIMEOUT_MS;
  const fresh = withDeadline(
    registry.refresh(peelId).catch(() => undefined),
    deadline,
  );
  const record = (await fresh) ?? registry.get(peelId);
  if (record === undefined) throw unknownPeel(peelId);
  const events = last > 0 ? await readAuditWithin(store, { peelId, last }, deadline, logger) : [];
  const present = effectivePresence(record, presence.get(peelId));
  return {
    record,
    events: events ?? [],
    ...(events === undefined && { eventsMissing: true }),
    ...(present !== undefined && { presence: present }),
  };
}

/** `audit`: the events in the stream, oldest first. */
export async function* readAudit(
  { store }: MasterContext,
  { request }: Call<'audit'>,
): AsyncIterableIterator<EncodedAnswer> {
  let newest = 0;
  const stored = readStoredAudit(store, request, { onNewest: (seq) => (newest = seq) });
  yield* splitIntoParts('events', stored, {
    encoded: ({ event }) => JSON.stringify(event),
    extra: ({ seq }) => ({ lastSeq: seq }),
  });
  // events that were read but did not match need not be read again
  yield new EncodedAnswer(JSON.stringify({ events: [], lastSeq: newest }));
}

/** `status`: the state of this master, and of the fleet in its view. */
export async function status(context: MasterContext) {
  const { id, policy, lifetime, registry, tally } = context;
  const watcher = context.watching();
  const held = await heldRevocations(context);
  return {
    master: id,
    version: packageVersion(),
    policy: policy.name,
    lifetime,
    peels: registry.states,
    connected: tally.connected,
    ...(watcher !== undefined && { watching: watcher }),
    ...(held !== undefined && { held }),
  };
}

/** The revocations that the breaker holds; undefined: none, or JetStream does not respond at the moment. */
async function heldRevocations({
  store,
}: MasterContext): Promise<{ peels: number; since: string } | undefined> {
  const stored = readBreaker(store).catch(() => undefined);
  const breaker = await withDeadline(stored, Date.now() + QUERY_STORE_TIMEOUT_MS);
  return breaker?.open === true ? { peels: breaker.held, since: breaker.since } : undefined;
}

/** `master.resume`: releases the breaker's held revocations; the watching master carries them out. */
export async function resumeRevocations(
  { store, audit }: MasterContext,
  { request: { reason }, by }: Call<'master.resume'>,
) {
  const breaker = await changeBreaker(store, (stored) =>
    stored?.open === true ? { ...stored, open: false } : undefined,
  );
  if (breaker === undefined) return {};
  audit.note({
    kind: 'revocations.resumed',
    by,
    ...(reason !== undefined && { reason }),
    detail: { peels: breaker.held },
  });
  return { resumed: { peels: breaker.held, since: breaker.since } };
}

/** Answers with a named list, split into messages of limited size. Each item is serialized once. */
async function* splitIntoParts<T>(
  name: string,
  items: Iterable<T> | AsyncIterable<T>,
  {
    encoded: encode = JSON.stringify,
    extra,
  }: { encoded?: (item: T) => string; extra?: (last: T) => object } = {},
): AsyncIterableIterator<EncodedAnswer> {
  let part: string[] = [];
  let bytes = 0;
  let last: T | undefined;
  const encoded = () => {
    const more =
      extra === undefined || last === undefined ? '' : `,${JSON.stringify(extra(last)).slice(1, -1)}`;
    return new EncodedAnswer(`{"${name}":[${part.join(',')}]${more}}`);
  };
  for await (const item of items) {
    const text = encode(item);
    const size = Buffer.byteLength(text) + 1;
    if (part.length > 0 && (part.length >= PART_ITEMS || bytes + size > PART_BYTES)) {
      yield encoded();
      part = [];
      bytes = 0;
    }
    part.push(text);
    bytes += size;
    last = item;
  }
  if (part.length > 0) yield encoded();
}
