// Lists the streams and consumers of an account.
import type { NatsConnection } from '@nats-io/transport-node';
import * as v from 'valibot';
import { requestAll, jsonOf } from './request-all.js';
import { downServers, listServers } from './servers.js';
import { STREAMS_STALL_MS, STREAMS_TIMEOUT_MS } from '../timing.js';

const name = v.object({ name: v.string() });
const transform = v.object({ dest: v.optional(v.string(), '') });
const consumerSchema = v.object({
  name: v.string(),
  config: v.optional(
    v.object({
      durable_name: v.optional(v.string()),
      deliver_subject: v.optional(v.string()),
      ack_policy: v.optional(v.string(), 'none'),
      inactive_threshold: v.optional(v.number()),
    }),
  ),
});
const streamSchema = v.object({
  name: v.string(),
  config: v.optional(
    v.object({
      subjects: v.optional(v.array(v.string()), []),
      /** It does not acknowledge published messages. */
      no_ack: v.optional(v.boolean(), false),
      /** The settings of `STREAM_GUARDS`: servers omit what is off. */
      allow_rollup_hdrs: v.optional(v.boolean()),
      deny_delete: v.optional(v.boolean()),
      deny_purge: v.optional(v.boolean()),
      /** Nanoseconds, and bytes. */
      max_age: v.optional(v.number()),
      max_bytes: v.optional(v.number()),
      mirror: v.optional(v.nullable(name)),
      sources: v.optional(
        v.nullable(
          v.array(v.object({ ...name.entries, subject_transforms: v.optional(v.array(transform)) })),
        ),
      ),
      republish: v.optional(v.nullable(v.object({ src: v.optional(v.string(), '>'), dest: v.string() }))),
      subject_transform: v.optional(v.nullable(transform)),
    }),
  ),
  state: v.optional(
    v.object({ messages: v.number(), bytes: v.number(), first_seq: v.number(), first_ts: v.string() }),
  ),
  consumer_detail: v.optional(v.nullable(v.array(consumerSchema))),
});
const answerSchema = v.object({
  server: v.object({ name: v.string() }),
  data: v.object({
    account_details: v.optional(
      v.nullable(
        v.array(
          v.object({
            id: v.optional(v.string()),
            name: v.string(),
            stream_detail: v.optional(v.nullable(v.array(streamSchema))),
          }),
        ),
      ),
    ),
  }),
});

/** A stream of an account, as a server reports it. */
export type AccountStream = v.InferOutput<typeof streamSchema>;

/**
 * The streams of an account with their consumers, as reported by the servers themselves, so no user of the account can
 * hide one.
 *
 * Source: `$SYS.REQ.SERVER.PING.JSZ` of the system account.
 *
 * @param nc a connection of the system account
 * @param account the public key (`A…`)
 * @returns each stream once per server with a copy; and the servers that did not answer
 * @throws NatsServerError as `listServers`
 */
export async function accountStreams(
  nc: NatsConnection,
  account: string,
): Promise<{ streams: AccountStream[]; silent: string[] }> {
  const up = (await listServers(nc)).filter(({ jetStream }) => jetStream);
  const answers = await requestAll(
    nc,
    '$SYS.REQ.SERVER.PING.JSZ',
    JSON.stringify({ account, accounts: true, streams: true, consumer: true, config: true }),
    (all) => all.length >= up.length,
    { maxWait: STREAMS_TIMEOUT_MS, stall: STREAMS_STALL_MS },
  );
  const streams: AccountStream[] = [];
  const answered = new Set<string>();
  for (const answer of answers) {
    const parsed = v.safeParse(answerSchema, jsonOf(answer));
    if (!parsed.success) continue;
    const { server, data } = parsed.output;
    answered.add(server.name);
    for (const { id, name, stream_detail } of data.account_details ?? [])
      if ((id ?? name) === account || name === account) streams.push(...(stream_detail ?? []));
  }
  const silent = up.map(({ name }) => name).filter((name) => !answered.has(name));
  return { streams, silent: [...silent, ...(await downServers(nc, up))] };
}
