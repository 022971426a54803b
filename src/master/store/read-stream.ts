// Reads a range of a stream's messages.
import { DeliverPolicy, type JsMsg } from '@nats-io/jetstream';
import { FleetError } from '../../errors.js';
import type { Store } from './store.js';
import { STREAM_HEARTBEAT_MS, STREAM_SILENCE_MS, STREAM_SILENCE_POLL_MS } from '../../timing.js';

/** The options of {@link readStream}. */
export interface StreamQuery {
  /** The subjects to read. */
  filter: string;
  /** ISO 8601, by the servers' clock. */
  since?: string | undefined;
  /** The end: ISO 8601, by the servers' clock. */
  until?: string | undefined;
  /** Start after this sequence; `since` and `last` are ignored then. */
  after?: number | undefined;
  /** Start this many messages before the newest, if the filter matches the whole stream. */
  last?: number | undefined;
  /** Only the last message of each subject; the other limits are ignored then. */
  lastPerSubject?: boolean | undefined;
  /** Called with the sequence of the newest message at the start, 0 if there is none. */
  onNewest?: ((seq: number) => void) | undefined;
}

/** Attempts to read a stream to its end. */
const MAX_TRIES = 2;

/**
 * The messages in a stream now, oldest first. If the stream stops in the middle, as when its leader changes, reading
 * resumes from there, once.
 *
 * @throws FleetError `ERR_FLEET_STORE` when it stops again
 */
export async function* readStream(
  store: Pick<Store, 'js' | 'jsm'>,
  stream: string,
  query: StreamQuery,
): AsyncGenerator<JsMsg, void, undefined> {
  let seen: number | undefined;
  for (let tries = 1; ; tries += 1) {
    const from = seen === undefined ? query : { ...query, after: seen };
    try {
      for await (const message of readOnce(store, stream, from)) {
        yield message;
        seen = message.seq;
      }
      return;
    } catch (error) {
      const hasStopped = error instanceof FleetError && error.code === 'ERR_FLEET_STORE';
      // the last message of each subject cannot be read from the middle
      const canResume = seen === undefined || query.lastPerSubject !== true;
      if (!hasStopped || !canResume || tries === MAX_TRIES) throw error;
    }
  }
}

async function* readOnce(
  { js, jsm }: Pick<Store, 'js' | 'jsm'>,
  stream: string,
  { filter, since, until, after, last, lastPerSubject, onNewest }: StreamQuery,
): AsyncGenerator<JsMsg, void, undefined> {
  // take the end from the stream: nats-server 2.9 miscounts pending messages when a consumer starts in the middle
  const newest = await jsm.streams.getMessage(stream, { last_by_subj: filter });
  onNewest?.(newest?.seq ?? 0);
  if (newest === null) return;
  if (after !== undefined ? newest.seq <= after : since !== undefined && newest.time < new Date(since))
    return;
  const end = until === undefined ? Infinity : Date.parse(until);
  const consumer = await js.consumers.get(stream, {
    filter_subjects: filter,
    ...(lastPerSubject === true
      ? { deliver_policy: DeliverPolicy.LastPerSubject }
      : after !== undefined
        ? { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: after + 1 }
        : since !== undefined
          ? { deliver_policy: DeliverPolicy.StartTime, opt_start_time: since }
          : last !== undefined
            ? {
                deliver_policy: DeliverPolicy.StartSequence,
                opt_start_seq: Math.max(1, newest.seq - last + 1),
              }
            : {}),
  });
  let whole = false;
  const messages = await consumer.consume({ max_messages: 5_000, idle_heartbeat: STREAM_HEARTBEAT_MS });
  // a server that dies in the middle may fall silent
  let receivedAt = performance.now();
  let waiting = true;
  const silence = setInterval(() => {
    if (waiting && performance.now() - receivedAt > STREAM_SILENCE_MS) void messages.close();
  }, STREAM_SILENCE_POLL_MS);
  try {
    for await (const message of messages) {
      waiting = false;
      whole = message.time.getTime() > end;
      if (whole) break;
      yield message;
      whole = message.seq >= newest.seq;
      if (whole) break;
      receivedAt = performance.now();
      waiting = true;
    }
  } finally {
    clearInterval(silence);
    await messages.close();
    // otherwise the server keeps it for minutes, and readers could use up its limit of consumers
    void consumer.delete().catch(() => undefined);
  }
  if (!whole) {
    throw new FleetError('ERR_FLEET_STORE', `JetStream stopped in the middle of ${stream}: try again`);
  }
}
