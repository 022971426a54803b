// Decides which streams and consumers do not belong to the fleet.
import { subjectsOverlap } from '../../permissions/subjects-overlap.js';
import type { Finding } from '../../trust/finding.js';
import {
  AUDIT_STREAM,
  AUDIT_SUBJECTS,
  FLEET_STREAMS,
  FLEET_SUBJECTS,
  STORED_AUDIT_SUBJECTS,
} from '../../permissions/names.js';
import { shellWord } from '../../text/shell-word.js';
import { MASTER_CONSUMER_IDLE_MS } from '../../timing.js';

/** The relevant part of a stream's configuration, as a server reports it. */
export interface StreamSeen {
  name: string;
  subjects: readonly string[];
  mirror?: string | undefined;
  sources: readonly string[];
  republish?: { src: string; dest: string } | undefined;
  /** The target subjects of its transforms. */
  transforms: readonly string[];
  consumers: readonly ConsumerSeen[];
}

/** The relevant part of a consumer's configuration. */
export interface ConsumerSeen {
  name: string;
  durable: boolean;
  /** The delivery subject; undefined: it is a pull consumer. */
  deliver?: string | undefined;
  acknowledges: boolean;
  /** Milliseconds of inactivity after which it is removed; undefined: never. */
  inactiveMs?: number | undefined;
}

/** Subjects of the fleet and of JetStream itself: a stream on them reads, answers or forges. */
const GUARDED_SUBJECTS = [FLEET_SUBJECTS, '$JS.>', '$KV.>'] as const;

/** Whether a subject belongs to the fleet or to JetStream. `$KV` subjects of other buckets belong to the user. */
function isOfFleet(subject: string): boolean {
  if (!GUARDED_SUBJECTS.some((own) => subjectsOverlap(own, subject))) return false;
  const [root, bucket = ''] = subject.split('.');
  return root !== '$KV' || bucket === '*' || bucket === '>' || bucket.startsWith('zester-');
}

/**
 * Finds foreign streams and consumers in the fleet's account that receive, store or write the fleet's data.
 *
 * @param inboxes the prefixes of the masters' inboxes
 * @param allowed the user's own streams
 */
export function judgeStreams(
  streams: readonly StreamSeen[],
  { inboxes, allowed = [] }: { inboxes: readonly string[]; allowed?: readonly string[] },
): Finding[] {
  const findings: Finding[] = [];
  const found = (check: string, subject: string, message: string, fix: string): void =>
    void findings.push({ severity: 'error', check, subject, message, fix });
  for (const stream of streams) {
    const own = FLEET_STREAMS.get(stream.name);
    const known = own !== undefined || allowed.includes(stream.name);
    const word = shellWord(stream.name);
    const remove = `if none of your admins created it, delete it ("nats stream rm ${word}"); otherwise pass --allow-stream ${word}`;
    for (const subject of stream.subjects) {
      if (own === undefined ? !known && isOfFleet(subject) : subject !== own) {
        const what = own === undefined ? 'a foreign stream stores' : 'this stream of the fleet stores';
        found('stream', stream.name, `${what} ${subject}`, own === undefined ? remove : RESTORE);
      }
    }
    for (const from of [...(stream.mirror === undefined ? [] : [stream.mirror]), ...stream.sources]) {
      if (own !== undefined) found('stream', stream.name, `it copies ${from}`, RESTORE);
      else if (!known && FLEET_STREAMS.has(from))
        found('stream', stream.name, `a foreign stream copies ${from}`, remove);
    }
    const { republish } = stream;
    const isAudits =
      stream.name === AUDIT_STREAM &&
      republish?.src === AUDIT_SUBJECTS &&
      republish.dest === STORED_AUDIT_SUBJECTS;
    if (
      republish !== undefined &&
      !isAudits &&
      (own !== undefined || (!known && isOfFleet(republish.dest)))
    ) {
      found(
        'stream',
        stream.name,
        `it republishes to ${republish.dest}`,
        own === undefined ? remove : RESTORE,
      );
    }
    for (const dest of stream.transforms) {
      if (own !== undefined || (!known && isOfFleet(dest)))
        found(
          'stream',
          stream.name,
          `it transforms subjects to ${dest}`,
          own === undefined ? remove : RESTORE,
        );
    }
    if (own !== undefined) {
      for (const consumer of stream.consumers) {
        const why = foreignConsumer(consumer, inboxes);
        if (why === undefined) continue;
        const fix = `masters create no such consumer: delete it ("nats consumer rm ${word} ${shellWord(consumer.name)}")`;
        found('consumer', `${stream.name} > ${consumer.name}`, why, fix);
      }
    }
  }
  for (const name of FLEET_STREAMS.keys()) {
    if (!streams.some((stream) => stream.name === name))
      found('stream', name, 'this stream of the fleet is gone', RESTORE);
  }
  return findings;
}

const RESTORE =
  'its configuration was changed: stop the masters, restore the stream from a backup, and start them again';

/** Why a consumer of a fleet stream is not a master's; undefined: it may be one. */
function foreignConsumer(consumer: ConsumerSeen, inboxes: readonly string[]): string | undefined {
  const { durable, deliver, acknowledges, inactiveMs } = consumer;
  if (durable) return 'a durable consumer reads it';
  if (deliver !== undefined && !inboxes.some((inbox) => deliver.startsWith(`${inbox}.`)))
    return `a consumer delivers it to ${deliver}, which is not a master's inbox`;
  if (acknowledges) return 'an acknowledging consumer reads it';
  if (inactiveMs === undefined || inactiveMs > MASTER_CONSUMER_IDLE_MS)
    return 'a consumer without an inactivity limit reads it';
  return undefined;
}
