// What every stream of the fleet must refuse: roll-ups, purging and deletion.
import { FLEET_STREAMS } from '../permissions/names.js';
import type { AccountStream } from '../system-account/account-streams.js';

/**
 * The settings of every stream and bucket of the fleet that protect what it keeps.
 *
 * A stream that allows roll-ups is emptied by one message with the header `Nats-Rollup`, from anyone who may publish to one
 * of its subjects: no permission names headers. The other two hold against users who have JetStream's whole API. A server
 * never takes either of them back.
 *
 * Source: docs/nats-facts.md, 35.
 */
export const STREAM_GUARDS = { allow_rollup_hdrs: false, deny_delete: true, deny_purge: true } as const;

/** A stream of the fleet that was made before there were guards, or changed since. */
export interface UnguardedStream {
  name: string;
  /** What it still allows, for people. */
  allows: string[];
}

/** What a stream still allows; empty: it is guarded. A setting that a server leaves out is off. */
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
 * The streams of the fleet that lack a guard, by name.
 *
 * @param streams as often as a server has a copy of each: one copy without guards is enough to be named
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
