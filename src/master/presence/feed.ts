// Publishes presence to the other masters, on the watching master.
import type { Msg, Subscription } from '@nats-io/nats-core';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { MASTER_INBOX_PREFIX, PRESENCE_CHANGES_SUBJECT, presenceOfSubject } from '../../permissions/names.js';
import { answerBelow } from '../../protocol/answer.js';
import { errorMessage } from '../../text/error-message.js';
import { PRESENCE_GATHER_MS, PRESENCE_HEARTBEAT_MS } from '../../timing.js';
import type { MasterContext } from '../context.js';
import type { PresenceChanges, SeenEntry } from './messages.js';
import { checkPeer, signedForPeers } from './peers.js';

/** Peels per message: a few hundred kilobytes at most. */
const PEELS_PER_MESSAGE = 500;

/** Sends changes, many peels per message, and the full presence to a master that requests it. */
export class PresenceFeed {
  readonly #context: MasterContext;
  readonly #since: number;
  readonly #dirty = new Set<string>();
  readonly #subscription: Subscription;
  readonly #heartbeat: NodeJS.Timeout;
  readonly #stopListening: () => void;
  #number = 0;
  #timer: NodeJS.Timeout | undefined;
  #sending = false;
  #isSettled = false;
  #answering = 0;
  #stopped = false;

  constructor(context: MasterContext) {
    this.#context = context;
    this.#since = context.now();
    this.#stopListening = context.presence.onChange((peelId) => {
      this.#dirty.add(peelId);
      this.#schedule();
    });
    const subject = presenceOfSubject(context.id);
    this.#subscription = context.nc.subscribe(subject, {
      callback: (error, msg) => {
        if (error === null) void this.#answer(subject, msg);
      },
    });
    this.#heartbeat = setInterval(() => this.#send([]), PRESENCE_HEARTBEAT_MS).unref();
  }

  /** All connections have been read: from now on, this master's presence is complete. */
  settled(): void {
    this.#isSettled = true;
    this.#send([]);
  }

  stop(): void {
    this.#stopped = true;
    this.#stopListening();
    clearTimeout(this.#timer);
    clearInterval(this.#heartbeat);
    this.#subscription.unsubscribe();
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#sending || this.#stopped) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#flush();
    }, PRESENCE_GATHER_MS).unref();
  }

  /** No faster than the connection accepts it: changes that arrive meanwhile are coalesced. */
  async #flush(): Promise<void> {
    const { nc } = this.#context;
    this.#sending = true;
    try {
      while (this.#dirty.size > 0 && !this.#stopped) {
        const peels: SeenEntry[] = [];
        for (const peelId of this.#dirty) {
          this.#dirty.delete(peelId);
          const entry = this.#entry(peelId);
          if (entry !== undefined) peels.push(entry);
          if (peels.length >= PEELS_PER_MESSAGE) break;
        }
        this.#number += 1;
        this.#send(peels);
        await nc.flush().catch(() => undefined);
        if (peels.length < PEELS_PER_MESSAGE) break;
      }
    } finally {
      this.#sending = false;
    }
    if (this.#dirty.size > 0) this.#schedule();
  }

  /** Sends nothing until all connections have been read: until then, the others know more than this master. */
  #send(peels: SeenEntry[]): void {
    if (!this.#isSettled || this.#stopped) return;
    const { id, nc, logger } = this.#context;
    const message: PresenceChanges = { holder: id, since: this.#since, number: this.#number, peels };
    try {
      const { data, headers } = signedForPeers(this.#context, PRESENCE_CHANGES_SUBJECT, message);
      nc.publish(PRESENCE_CHANGES_SUBJECT, data, { headers });
    } catch (error) {
      // the others detect the gap by its number
      logger.debug({ error: errorMessage(error) }, 'cannot send presence to the other masters');
    }
  }

  #entry(peelId: string): SeenEntry | undefined {
    const seen = this.#context.presence.seen(peelId);
    return seen && [peelId, seen.at, [...seen.connections], seen.count];
  }

  async #answer(subject: string, msg: Msg): Promise<void> {
    if (msg.reply === undefined || msg.reply === '' || !this.#isSettled) return;
    const { id, nc, presence, logger } = this.#context;
    // another master requests it rarely; requests above that rate get no answer
    if (this.#answering >= 4) return;
    this.#answering += 1;
    try {
      checkPeer(this.#context, subject, msg);
      let peels: SeenEntry[] = [];
      const send = async () => {
        const part = { holder: id, since: this.#since, peels };
        const { data, headers } = signedForPeers(this.#context, msg.reply ?? '', part);
        answerBelow(nc, msg, data, { inboxes: [MASTER_INBOX_PREFIX], headers });
        peels = [];
        await nc.flush();
        await nextTurn();
      };
      for (const peelId of presence.peelIds()) {
        const entry = this.#entry(peelId);
        if (entry !== undefined) peels.push(entry);
        if (peels.length >= PEELS_PER_MESSAGE) await send();
        if (this.#stopped) return;
      }
      await send();
      answerBelow(nc, msg, undefined, { inboxes: [MASTER_INBOX_PREFIX] });
    } catch (error) {
      logger.debug({ error: errorMessage(error) }, 'cannot answer a request for presence');
    } finally {
      this.#answering -= 1;
    }
  }
}
