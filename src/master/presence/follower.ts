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
 * message. If no master publishes presence, it polls the servers now and then.
 */
export class PresenceFollower {
  readonly #context: MasterContext;
  readonly #system: NatsConnection;
  #subscription: Subscription | undefined;
  #checking: NodeJS.Timeout | undefined;
  #state: FeedState | undefined;
  /** Peels whose changes arrived during a full read: the changes are newer. */
  #touched: Set<string> | undefined;
  #isSyncing = false;
  #retry: NodeJS.Timeout | undefined;
  #retryMs = PRESENCE_FIRST_RETRY_MS;
  #receivedAt = 0;
  #pollAfter = 0;
  #isPolling = false;
  #isSilenceLogged = false;
  #stopped = true;

  /** @param system a connection of the system account */
  constructor(context: MasterContext, system: NatsConnection) {
    this.#context = context;
    this.#system = system;
  }

  start(): void {
    if (!this.#stopped) return;
    this.#stopped = false;
    this.#receivedAt = performance.now();
    this.#subscription = this.#context.nc.subscribe(PRESENCE_CHANGES_SUBJECT, {
      callback: (error, msg) => {
        if (error === null) this.#onMessage(msg);
      },
    });
    this.#checking = setInterval(() => void this.#checkSilence(), PRESENCE_HEARTBEAT_MS).unref();
  }

  stop(): void {
    this.#stopped = true;
    this.#state = undefined;
    clearInterval(this.#checking);
    clearTimeout(this.#retry);
    this.#retry = undefined;
    this.#subscription?.unsubscribe();
    this.#subscription = undefined;
  }

  #onMessage(msg: Msg): void {
    const parsed = v.safeParse(changesSchema, parseJson(msg.data));
    if (!parsed.success || this.#stopped) return;
    const changes = parsed.output;
    if (changes.holder === this.#context.id) return;
    try {
      checkPeer(this.#context, PRESENCE_CHANGES_SUBJECT, msg);
    } catch (error) {
      this.#context.logger.debug({ error: errorMessage(error) }, 'ignored a presence message');
      return;
    }
    const { state, isIgnored, hasGap } = feedStep(this.#state, changes, this.#context.watching());
    if (isIgnored) return;
    this.#state = state;
    this.#receivedAt = performance.now();
    this.#apply(changes.peels);
    for (const [peelId] of changes.peels) this.#touched?.add(peelId);
    if (hasGap) void this.#sync();
  }

  #apply(peels: readonly SeenEntry[]): void {
    const { presence } = this.#context;
    for (const [peelId, at, connections, count] of peels) presence.set(peelId, connections, count, at);
  }

  /** Reads everything; one request at a time, with backoff. */
  async #sync(): Promise<void> {
    if (this.#isSyncing || this.#retry !== undefined || this.#stopped || this.#state === undefined) return;
    this.#isSyncing = true;
    const { holder } = this.#state;
    try {
      await this.#readFrom(holder);
      this.#retryMs = PRESENCE_FIRST_RETRY_MS;
    } catch (error) {
      this.#context.logger.debug({ error: errorMessage(error), holder }, 'cannot read presence; retrying');
      if (this.#state !== undefined) this.#state = { ...this.#state, isComplete: false };
    } finally {
      this.#isSyncing = false;
      this.#touched = undefined;
    }
    if (this.#stopped || this.#state?.isComplete !== false) return;
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
    if (this.#state !== undefined) this.#state = { ...this.#state, isComplete: true };
    const subject = presenceOfSubject(holder);
    const { data, headers } = signedForPeers(this.#context, subject, {});
    const parts = await nc.requestMany(subject, data, {
      strategy: 'sentinel',
      maxWait: PRESENCE_PART_TIMEOUT_MS * 12,
      headers,
    });
    const present = new Set<string>();
    const iterator = parts[Symbol.asyncIterator]();
    for (;;) {
      const part = await withDeadline(iterator.next(), Date.now() + PRESENCE_PART_TIMEOUT_MS);
      if (!isCurrent()) return;
      if (part === undefined || part.done === true) {
        throw new FleetError('ERR_FLEET_TIMEOUT', 'the watching master stopped in the middle of its answer');
      }
      if (part.value.data.length === 0) break;
      checkPeer(this.#context, part.value.subject, part.value);
      const { peels } = v.parse(partSchema, parseJson(part.value.data));
      for (const [peelId] of peels) present.add(peelId);
      this.#apply(peels.filter(([peelId]) => !touched.has(peelId)));
    }
    for (const peelId of presence.peelIds()) {
      if (presence.isConnected(peelId) && !present.has(peelId) && !touched.has(peelId))
        presence.set(peelId, [], 0, now());
    }
  }

  /** Polls the servers while no master publishes presence, because the watching one is of an older version or hangs. */
  async #checkSilence(): Promise<void> {
    const at = performance.now();
    if (at - this.#receivedAt < PRESENCE_SILENCE_MS || at < this.#pollAfter || this.#isPolling) return;
    this.#isPolling = true;
    const { trust, presence, logger } = this.#context;
    if (!this.#isSilenceLogged) {
      this.#isSilenceLogged = true;
      logger.info({}, "no master publishes presence: polling the servers' connection lists");
    }
    try {
      const { connections } = await connectionsNow(this.#system, trust.domain.publicKeys.account);
      if (this.#stopped || this.#receivedAt > at) return;
      const keeper = new PresenceKeeper(presence);
      for (const connection of connections) keeper.add(connection);
      keeper.correct();
    } catch (error) {
      logger.debug({ error: errorMessage(error) }, 'cannot read the connections');
    } finally {
      this.#isPolling = false;
      const tookMs = performance.now() - at;
      this.#pollAfter = performance.now() + readingPause({ tookMs, early: 0, isWanted: false });
    }
  }
}
