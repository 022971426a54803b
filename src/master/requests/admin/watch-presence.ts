// The admin request that streams presence changes.
import { setMaxListeners } from 'node:events';
import { sleep } from '../../../async/sleep.js';
import { FleetError } from '../../../errors.js';
import { effectivePresence } from '../../../protocol/records/effective-presence.js';
import {
  PRESENCE_WATCH_GATHER_MS,
  PRESENCE_WATCH_HEARTBEAT_MS,
  PRESENCE_WATCH_LEASE_MS,
} from '../../../timing.js';
import type { MasterContext } from '../../context.js';
import { EncodedAnswer } from '../service.js';

/** Concurrent watches per master: each occupies one of the slots for admin requests. */
const MAX_WATCHES = 64;
/** Concurrent watches per admin: several pages may be open, and each starts its next watch before the last one ends. */
const MAX_WATCHES_PER_ADMIN = 16;
/** Peels in one message; each has a few connections at most. */
const PEELS_AT_ONCE = 200;

/**
 * Answers `presence.watch`: streams the presence of each changed peel for half a minute, in parts. The first part is
 * sent at once, and an empty one now and then as a heartbeat. A caller that continues sends a new request before the
 * end.
 *
 * Memory: per watch, one set entry for each peel that changed since the last part.
 */
export class PresenceWatches {
  readonly #context: Pick<MasterContext, 'presence' | 'registry'>;
  readonly #ended = new AbortController();
  readonly #byAdmin = new Map<string, number>();
  #count = 0;

  constructor(context: Pick<MasterContext, 'presence' | 'registry'>) {
    this.#context = context;
    setMaxListeners(MAX_WATCHES, this.#ended.signal);
  }

  /** Ends all watches, because the master stops. */
  end(): void {
    this.#ended.abort();
  }

  /**
   * @param caller the admin's user
   * @throws FleetError `ERR_FLEET_RATE` when there are too many
   */
  async *watch(caller: string): AsyncIterableIterator<EncodedAnswer> {
    const own = this.#byAdmin.get(caller) ?? 0;
    if (own >= MAX_WATCHES_PER_ADMIN)
      throw new FleetError('ERR_FLEET_RATE', `this admin already has ${own} watches: try again later`);
    if (this.#count >= MAX_WATCHES)
      throw new FleetError('ERR_FLEET_RATE', `${MAX_WATCHES} watches are already running: try again later`);
    this.#byAdmin.set(caller, own + 1);
    this.#count += 1;
    const changed = new Set<string>();
    const stop = this.#context.presence.onChange((peelId) => changed.add(peelId));
    const { signal } = this.#ended;
    try {
      yield this.#part(changed);
      const until = performance.now() + PRESENCE_WATCH_LEASE_MS;
      for (let sentAt = performance.now(); !signal.aborted && performance.now() < until;) {
        await sleep(PRESENCE_WATCH_GATHER_MS, signal).catch(() => undefined);
        if (changed.size === 0 && performance.now() - sentAt < PRESENCE_WATCH_HEARTBEAT_MS) continue;
        sentAt = performance.now();
        yield this.#part(changed);
      }
      while (changed.size > 0 && !signal.aborted) yield this.#part(changed);
    } finally {
      stop();
      this.#count -= 1;
      const left = (this.#byAdmin.get(caller) ?? 1) - 1;
      if (left === 0) this.#byAdmin.delete(caller);
      else this.#byAdmin.set(caller, left);
    }
  }

  /** Takes some of the changed peels, with their current presence. */
  #part(changed: Set<string>): EncodedAnswer {
    const { presence, registry } = this.#context;
    const peels: object[] = [];
    for (const id of changed) {
      if (peels.length >= PEELS_AT_ONCE) break;
      changed.delete(id);
      const record = registry.get(id);
      const present = record === undefined ? undefined : effectivePresence(record, presence.get(id));
      if (present !== undefined) peels.push({ id, presence: present });
    }
    return new EncodedAnswer(JSON.stringify({ peels }));
  }
}
