import type { JetStreamManager, MsgRequest } from '@nats-io/jetstream';

/** A revision of a key in a bucket. */
export interface Revision {
  revision: number;
  data: Uint8Array;
  /** A deletion has no value. */
  isValue: boolean;
}

/**
 * The first revision of a key after another.
 *
 * With this a writer sees whether its compare-and-set was one. A cluster of nats-server 2.9 compares a write with what is
 * stored, not with what is on its way to be stored: two writes within milliseconds that name the same revision may both be
 * taken (docs/nats-facts.md, 27). Of these the first in the stream is the one that counts.
 *
 * @param after a revision; 0 for the first of all
 */
export async function nextRevision(
  jsm: JetStreamManager,
  bucket: string,
  key: string,
  after: number,
): Promise<Revision | undefined> {
  // the server's API has had `next_by_subj` beside `seq` since 2.9; the client's type for this call lacks it
  const request = { seq: after + 1, next_by_subj: `$KV.${bucket}.${key}` };
  const message = await jsm.streams.getMessage(`KV_${bucket}`, request as MsgRequest);
  if (message === null) return undefined;
  const operation = message.header.get('KV-Operation');
  return { revision: message.seq, data: message.data, isValue: operation === '' };
}
