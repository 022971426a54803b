// Reads what masters have written lately: events of the audit log, and records.
import type { JsMsg } from '@nats-io/jetstream';
import { AUDIT_STREAM, AUDIT_SUBJECTS, PEELS_BUCKET } from '../../permissions/names.js';
import { readStream, type StreamQuery } from '../store/read-stream.js';
import type { Store } from '../store/store.js';

type Streams = Pick<Store, 'js' | 'jsm'>;
type Messages = AsyncGenerator<JsMsg, void, undefined>;

/** The events in the audit log since then. @param since milliseconds since 1970 by the servers' clock */
export function eventsSince(
  store: Streams,
  since: number,
  query: Pick<StreamQuery, 'onNewest'> = {},
): Messages {
  return readStream(store, AUDIT_STREAM, { filter: AUDIT_SUBJECTS, since: isoTime(since), ...query });
}

/** The records written since then, overwritten ones included as far as the bucket keeps them. As {@link eventsSince}. */
export function recordsSince(store: Streams, since: number): Messages {
  const query = { filter: `$KV.${PEELS_BUCKET}.>`, since: isoTime(since) };
  return readStream(store, `KV_${PEELS_BUCKET}`, query);
}

/** For a query: undefined, which means everything, if it is before 1970. */
function isoTime(ms: number): string | undefined {
  return ms < 0 ? undefined : new Date(ms).toISOString();
}
