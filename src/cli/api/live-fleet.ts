// LiveFleet: a copy of the registry that follows the audit log, for the page and for programs.
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { errorTraits } from '../../error-traits.js';
import { ZesterError } from '../../errors.js';
import type { Fleet } from '../../fleet-client/fleet.js';
import { followPresence } from '../../fleet-client/follow-presence.js';
import { applyEvent } from '../../protocol/records/apply-event.js';
import { isPeelEvent, type AuditEvent } from '../../protocol/records/audit-event.js';
import type { ListedPeel } from '../../protocol/messages.js';
import type { Presence } from '../../protocol/records/presence.js';
import { effectivePresence } from '../../protocol/records/effective-presence.js';
import { FOLLOW_RETRY_MS, UI_OVERLAP_MS } from '../../timing.js';
import { errorMessage } from '../../text/error-message.js';
import { FleetHistory } from './fleet-history.js';

/** Peels whose connections are known before their records. */
const MAX_EARLY = 100_000;

/** Receives changes. It must not throw, and must be fast. */
export interface FleetListener {
  audit: (event: AuditEvent) => void;
  peel: (peelId: string) => void;
  /** The copy was rebuilt: data read from it before may be outdated. */
  reset: () => void;
}

/**
 * A copy of the registry and of presence, kept up to date by the audit log's events and by masters' presence messages.
 * It does not poll: each event costs one peel.
 */
export class LiveFleet {
  readonly history: FleetHistory;
  readonly #fleet: Fleet;
  readonly #now: () => number;
  readonly #ended = new AbortController();
  readonly #listeners = new Set<FleetListener>();
  #peels = new Map<string, ListedPeel>();
  /** The change number of each peel that has changed since the copy was built; numbers increase. */
  #changed = new Map<string, number>();
  #number = 0;
  #copy = '';
  #loading: Promise<void> | undefined;
  #stale: string | undefined;
  /** Why connections are not pushed. */
  #unpushed: string | undefined;
  /** The presence of peels whose records are not known yet. */
  readonly #early = new Map<string, Presence>();

  /** @param now milliseconds since 1970 */
  constructor(fleet: Fleet, now: () => number) {
    this.#fleet = fleet;
    this.#now = now;
    this.history = new FleetHistory(now);
  }

  /**
   * Resolves when the copy is ready. The first call builds it.
   *
   * @throws FleetError as `fleet.peels.list`: a later call retries
   */
  ready(): Promise<void> {
    this.#loading ??= this.#load().catch((error: unknown) => {
      this.#loading = undefined;
      throw error;
    });
    return this.#loading;
  }

  /** Why the copy may lag behind; undefined: no known reason. */
  get stale(): string | undefined {
    return this.#stale ?? this.#unpushed;
  }

  /** The current position, for `changedSince`. */
  get position(): string {
    return `${this.#copy}.${this.#number}`;
  }

  get size(): number {
    return this.#peels.size;
  }

  get(peelId: string): ListedPeel | undefined {
    return this.#peels.get(peelId);
  }

  peels(): IterableIterator<ListedPeel> {
    return this.#peels.values();
  }

  /**
   * The IDs of the peels that changed after a position.
   *
   * Cost: one pass over the peels that have changed since the copy was built.
   *
   * @returns undefined if the position belongs to another copy, or is invalid
   */
  changedSince(position: string): string[] | undefined {
    const [copy, number] = position.split('.');
    const from = Number(number);
    if (copy !== this.#copy || !Number.isSafeInteger(from)) return undefined;
    return [...this.#changed].flatMap(([peelId, at]) => (at > from ? [peelId] : []));
  }

  /** @returns a function that stops listening */
  listen(listener: FleetListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#ended.abort();
  }

  /** Applies a master's report on a peel's connections. The report with the later time wins. */
  #setPresence(peelId: string, presence: Presence): void {
    const known = this.#peels.get(peelId);
    if (known === undefined) {
      // its record has not arrived yet
      if (this.#early.size < MAX_EARLY) this.#early.set(peelId, presence);
    } else if (!isOlder(presence, known.presence)) this.#set({ record: known.record, presence });
  }

  async #load(): Promise<void> {
    const ended = this.#ended.signal;
    const attempt = new AbortController();
    const signal = AbortSignal.any([ended, attempt.signal]);
    const waiting: AuditEvent[] = [];
    let take = (event: AuditEvent): void | Promise<void> => void waiting.push(event);
    // subscribe first: changes during the read are applied to the list
    const following = this.#follow((event) => take(event), signal);
    // masters may refuse at any time, also while the list is read
    const refused = new Promise<never>((_resolve, reject) => void following.catch(reject));
    const read = async (): Promise<void> => {
      await this.#followPresence(signal);
      const peels = new Map<string, ListedPeel>();
      for await (const peel of this.#fleet.peels.list({ signal })) peels.set(peel.record.id, peel);
      signal.throwIfAborted();
      this.#peels = peels;
      this.#changed = new Map();
      this.#copy = randomBytes(6).toString('hex');
      this.#number = 0;
      this.#stale = undefined;
      this.history.start(() => this.#counts(), ended);
      for (const [peelId, presence] of this.#early) this.#setPresence(peelId, presence);
      for (const event of waiting) await this.#apply(event, false);
      take = (event) => this.#apply(event, true);
    };
    try {
      await Promise.race([read(), refused]);
    } catch (error) {
      attempt.abort();
      throw error;
    }
    refused.catch((error: unknown) => {
      if (ended.aborted) return;
      // a permanent failure: the next caller rebuilds the copy
      attempt.abort();
      this.#stale = errorMessage(error);
      this.#loading = undefined;
      for (const listener of this.#listeners) listener.reset();
    });
  }

  /** Resolves once presence is pushed, or is unavailable: masters of an earlier version report it in lists only. */
  #followPresence(signal: AbortSignal): Promise<void> {
    this.#unpushed = undefined;
    return new Promise((resolve) => {
      followPresence(
        this.#fleet.client,
        {
          onPresence: (peelId, presence) => this.#setPresence(peelId, presence),
          onMissed: () => void this.#readConnected(signal),
          onWait: (error) => {
            this.#stale = errorMessage(error);
            resolve();
          },
          signal,
        },
        resolve,
      ).catch((error: unknown) => {
        if (!signal.aborted) this.#unpushed = `connections are shown as of the start: ${errorMessage(error)}`;
        resolve();
      });
    });
  }

  /** Reads presence again after a gap without reports. */
  async #readConnected(signal: AbortSignal): Promise<void> {
    const before = [...this.#peels.values()].filter(
      ({ presence }) => (presence?.connections.length ?? 0) > 0,
    );
    const connected = new Set<string>();
    try {
      for await (const { record, presence } of this.#fleet.peels.list({ connected: true, signal })) {
        connected.add(record.id);
        if (presence !== undefined) this.#setPresence(record.id, presence);
      }
    } catch (error) {
      if (!signal.aborted) this.#stale = errorMessage(error);
      return;
    }
    for (const { record, presence } of before) {
      const now = this.#peels.get(record.id);
      // a newer report wins
      if (connected.has(record.id) || presence === undefined || now?.presence !== presence) continue;
      this.#set({ record: now.record, presence: { ...presence, connections: [] } });
    }
    this.#stale = undefined;
  }

  /** Follows the audit log. Retries transient failures, also at the start. */
  async #follow(take: (event: AuditEvent) => void | Promise<void>, signal: AbortSignal): Promise<void> {
    for (let failed = 0; !signal.aborted; failed += 1) {
      try {
        const events = this.#fleet.audit({
          // longer than any clock difference; events that were read before are recognized by their number
          since: new Date(this.#now() - UI_OVERLAP_MS).toISOString(),
          follow: true,
          signal,
          onWait: (why) => (this.#stale = why),
        });
        for await (const event of events) {
          failed = 0;
          this.#stale = undefined;
          await take(event);
        }
        return;
      } catch (error) {
        if (signal.aborted) return;
        const isTransient = error instanceof ZesterError && errorTraits(error.code)?.retryable === true;
        if (!isTransient) throw error;
        this.#stale = errorMessage(error);
        await delay(FOLLOW_RETRY_MS[Math.min(failed, FOLLOW_RETRY_MS.length - 1)], undefined, {
          signal,
        }).catch(() => undefined);
      }
    }
  }

  async #apply(event: AuditEvent, isNew: boolean): Promise<void> {
    this.history.count(event);
    if (isNew) for (const listener of this.#listeners) listener.audit(event);
    if (!isPeelEvent(event)) return;
    const known = this.#peels.get(event.peelId);
    const number = known?.record.number ?? 0;
    if (event.number <= number) return;
    if (event.number === number + 1) {
      try {
        return this.#set({ record: applyEvent(known?.record, event), presence: known?.presence });
      } catch {
        // an event kind of a newer version: get the record from the master
      }
    }
    const { record, presence } = await this.#fleet.peels.show(event.peelId, {
      events: 0,
      signal: this.#ended.signal,
    });
    this.#set({ record, presence });
  }

  #set({ record, presence = this.#early.get(record.id) }: ListedPeel): void {
    this.#early.delete(record.id);
    const present = effectivePresence(record, presence);
    this.#peels.set(record.id, { record, ...(present !== undefined && { presence: present }) });
    this.#number += 1;
    this.#changed.set(record.id, this.#number);
    for (const listener of this.#listeners) listener.peel(record.id);
  }

  /** For the charts. */
  #counts(): { connected: number; peels: number } {
    let connected = 0;
    for (const { presence } of this.#peels.values())
      if ((presence?.connections.length ?? 0) > 0) connected += 1;
    return { connected, peels: this.#peels.size };
  }

  /** Milliseconds since 1970. */
  get now(): number {
    return this.#now();
  }
}

function isOlder(one: Presence, other: Presence | undefined): boolean {
  return other !== undefined && Date.parse(one.lastSeen) < Date.parse(other.lastSeen);
}
