// The settings that protect every stream of the fleet: no roll-ups, no purging, no deletion.
import { FLEET_STREAMS } from '../permissions/names.js';
import type { AccountStream } from '../system-account/account-streams.js';

/**
 * The settings that protect the content of every stream and bucket of the fleet. A stream that allows roll-ups is
 * emptied by one message with the header `Nats-Rollup`, from anyone who may publish to one of its subjects, since
 * permissions do not cover headers. The other two protect against users with JetStream's whole API. A server never
 * reverts these two. Source: docs/nats-facts.md, 35.
 */
export const STREAM_GUARDS = { allow_rollup_hdrs: false, deny_delete: true, deny_purge: true } as const;

/** A stream of the fleet without all guards: it is older than they are, or was changed. */
export interface UnguardedStream {
  name: string;
  /** What it still allows, for display. */
  allows: string[];
}

/** What a stream still allows; empty: it is guarded. A setting that a server omits is off. */
export function allowedByStream(config: {
  allow_rollup_hdrs?: boolean | undefined;
  deny_delete?: boolean | undefined;
  deny_purge?: boolean | undefined;
}): string[] {
  return [
    ...(config.allow_rollup_hdrs === true ? ['roll-ups'] : []),
    ...(config.deny_purge === true ? [] : ['purging']),
    ...(config.deny_delete === true ? [] : ['deleting messages']),
  ];
}

/**
 * The names of the fleet's streams that lack a guard.
 *
 * @param streams one entry per copy: a stream is listed if any copy lacks a guard
 */
export function unguardedStreams(
  streams: readonly Pick<AccountStream, 'name' | 'config'>[],
): UnguardedStream[] {
  const found = new Map<string, UnguardedStream>();
  for (const { name, config } of streams) {
    if (!FLEET_STREAMS.has(name) || config === undefined || config === null) continue;
    const allows = allowedByStream(config);
    if (allows.length > 0 && !found.has(name)) found.set(name, { name, allows });
  }
  return [...found.values()].sort((one, other) => (one.name < other.name ? -1 : 1));
}
