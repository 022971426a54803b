// Follows the presence that the watching master publishes, on the other masters.
import type { Msg, NatsConnection, Subscription } from '@nats-io/nats-core';
import * as v from 'valibot';
import { withDeadline } from '../../async/deadline.js';
import { FleetError } from '../../errors.js';
import { PRESENCE_CHANGES_SUBJECT, presenceOfSubject } from '../../permissions/names.js';
import { parseJson } from '../../protocol/messages.js';
import { errorMessage } from '../../text/error-message.js';
import {
  PRESENCE_FIRST_RETRY_MS,
  PRESENCE_HEARTBEAT_MS,
  PRESENCE_MAX_RETRY_MS,
  PRESENCE_PART_TIMEOUT_MS,
  PRESENCE_SILENCE_MS,
} from '../../timing.js';
import type { MasterContext } from '../context.js';
import { PresenceKeeper } from '../watch/presence-keeper.js';
import { readingPause } from '../watch/reading.js';
import { connectionsNow } from '../watch/system-events.js';
import { feedStep, type FeedState } from './feed-step.js';
import { changesSchema, partSchema, type SeenEntry } from './messages.js';
import { checkPeer, signedForPeers } from './peers.js';

/**
 * Keeps a copy of the watching master's presence: applies its batched changes, and reads everything after a missed
 * message. If no watching master is heard, it polls the servers now and then.
 */
export class PresenceFollower {
  readonly #context: MasterContext;
  readonly #system: NatsConnection;
  #subscription: Subscription | undefined;
  #looking: NodeJS.Timeout | undefined;
  #state: FeedState | undefined;
  /** Peels whose changes arrived during a full read: the changes are newer. */
  #touched: Set<string> | undefined;
  #isSyncing = false;
  #retry: NodeJS.Timeout | undefined;
  #retryMs = PRESENCE_FIRST_RETRY_MS;
  #heardAt = 0;
  #readAfter = 0;
  #isReading = false;
  #isTold = false;
  #stopped = true;

  /** @param system a connection of the system account */
  constructor(context: MasterContext, system: NatsConnection) {
    this.#context = context;
    this.#system = system;
  }

  start(): void {
    if (!this.#stopped) return;
    this.#stopped = false;
    this.#heardAt = performance.now();
    this.#subscription = this.#context.nc.subscribe(PRESENCE_CHANGES_SUBJECT, {
      callback: (error, msg) => {
        if (error === null) this.#hear(msg);
      },
    });
    this.#looking = setInterval(() => void this.#lookForSilence(), PRESENCE_HEARTBEAT_MS).unref();
  }

  stop(): void {
    this.#stopped = true;
    this.#state = undefined;
    clearInterval(this.#looking);
    clearTimeout(this.#retry);
    this.#retry = undefined;
    this.#subscription?.unsubscribe();
    this.#subscription = undefined;
  }

  #hear(msg: Msg): void {
    const parsed = v.safeParse(changesSchema, parseJson(msg.data));
    if (!parsed.success || this.#stopped) return;
    const heard = parsed.output;
    if (heard.holder === this.#context.id) return;
    try {
      checkPeer(this.#context, PRESENCE_CHANGES_SUBJECT, msg);
    } catch (error) {
      this.#context.logger.debug({ error: errorMessage(error) }, 'a presence message is ignored');
      return;
    }
    const { state, isOld, isMissing } = feedStep(this.#state, heard, this.#context.watching());
    if (isOld) return;
    this.#state = state;
    this.#heardAt = performance.now();
    this.#apply(heard.peels);
    for (const [peelId] of heard.peels) this.#touched?.add(peelId);
    if (isMissing) void this.#sync();
  }

  #apply(peels: readonly SeenEntry[]): void {
    const { presence } = this.#context;
    for (const [peelId, at, connections, count] of peels) presence.set(peelId, connections, count, at);
  }

  /** Requests everything; one request at a time, with backoff. */
  async #sync(): Promise<void> {
    if (this.#isSyncing || this.#retry !== undefined || this.#stopped || this.#state === undefined) return;
    this.#isSyncing = true;
    const { holder } = this.#state;
    try {
      await this.#readFrom(holder);
      this.#retryMs = PRESENCE_FIRST_RETRY_MS;
    } catch (error) {
      this.#context.logger.debug({ error: errorMessage(error), holder }, 'presence cannot be read; retrying');
      if (this.#state !== undefined) this.#state = { ...this.#state, isWhole: false };
    } finally {
      this.#isSyncing = false;
      this.#touched = undefined;
    }
    if (this.#stopped || this.#state?.isWhole !== false) return;
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      void this.#sync();
    }, this.#retryMs).unref();
    this.#retryMs = Math.min(PRESENCE_MAX_RETRY_MS, this.#retryMs * 2);
  }

  async #readFrom(holder: string): Promise<void> {
    const { nc, presence, now } = this.#context;
    const touched = new Set<string>();
    this.#touched = touched;
    const isCurrent = () => !this.#stopped && this.#state?.holder === holder;
    if (this.#state !== undefined) this.#state = { ...this.#state, isWhole: true };
    const subject = presenceOfSubject(holder);
    const { data, headers } = signedForPeers(this.#context, subject, {});
    const parts = await nc.requestMany(subject, data, {
      strategy: 'sentinel',
      maxWait: PRESENCE_PART_TIMEOUT_MS * 12,
      headers,
    });
    const there = new Set<string>();
    const iterator = parts[Symbol.asyncIterator]();
    for (;;) {
      const part = await withDeadline(iterator.next(), Date.now() + PRESENCE_PART_TIMEOUT_MS);
      if (!isCurrent()) return;
      if (part === undefined || part.done === true) {
        throw new FleetError(
          'ERR_FLEET_TIMEOUT',
          'the master that watches stopped in the middle of its answer',
        );
      }
      if (part.value.data.length === 0) break;
      checkPeer(this.#context, part.value.subject, part.value);
      const { peels } = v.parse(partSchema, parseJson(part.value.data));
      for (const [peelId] of peels) there.add(peelId);
      this.#apply(peels.filter(([peelId]) => !touched.has(peelId)));
    }
    for (const peelId of presence.peelIds()) {
      if (presence.isConnected(peelId) && !there.has(peelId) && !touched.has(peelId))
        presence.set(peelId, [], 0, now());
    }
  }

  /** No master publishes presence: the watching one is of an older version, or hangs. */
  async #lookForSilence(): Promise<void> {
    const at = performance.now();
    if (at - this.#heardAt < PRESENCE_SILENCE_MS || at < this.#readAfter || this.#isReading) return;
    this.#isReading = true;
    const { trust, presence, logger } = this.#context;
    if (!this.#isTold) {
      this.#isTold = true;
      logger.info({}, "no master publishes presence: polling the servers' connection lists");
    }
    try {
      const { connections } = await connectionsNow(this.#system, trust.domain.publicKeys.account);
      if (this.#stopped || this.#heardAt > at) return;
      const keeper = new PresenceKeeper(presence);
      for (const connection of connections) keeper.add(connection);
      keeper.correct();
    } catch (error) {
      logger.debug({ error: errorMessage(error) }, 'the connections cannot be read');
    } finally {
      this.#isReading = false;
      const tookMs = performance.now() - at;
      this.#readAfter = performance.now() + readingPause({ tookMs, early: 0, isWanted: false });
    }
  }
}
