// Sends audit events and changed peels as server-sent events.
import type { ServerResponse } from 'node:http';
import type { AuditEvent } from '../../protocol/records/audit-event.js';
import { withoutWholeSeeds } from '../../text/whole-seeds.js';
import { UI_HEARTBEAT_INTERVAL_MS, UI_PUSH_INTERVAL_MS } from '../../timing.js';
import { peelDocument } from '../fleet/peel-document.js';
import type { LiveFleet } from './live-fleet.js';

/** Peels in one message. */
const PEELS_AT_ONCE = 500;
/**
 * The most audit events that are queued for a slow reader. Beyond that, events are dropped, and `missed` counts them.
 */
const WAITING_EVENTS = 1_000;

/** The options of the event stream. */
export interface SendEvents {
  /** The position to resume from; undefined: only new changes. */
  since: string | undefined;
  /** Whether the caller is still authorized; checked periodically. */
  isAllowed: () => Promise<boolean>;
}

/**
 * Sends changes until the caller disconnects. Changes of one peel are coalesced, so the memory for a slow reader is
 * bounded by the number of peels.
 */
export function sendEvents(live: LiveFleet, response: ServerResponse, options: SendEvents): void {
  const stream = new EventStream(live, response);
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  });
  stream.begin(options);
}

class EventStream {
  readonly #live: LiveFleet;
  readonly #response: ServerResponse;
  readonly #changed = new Set<string>();
  #events: AuditEvent[] = [];
  #isReset = false;
  #missed = 0;
  #isBlocked = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(live: LiveFleet, response: ServerResponse) {
    this.#live = live;
    this.#response = response;
  }

  begin({ since, isAllowed }: SendEvents): void {
    const live = this.#live;
    const stop = live.listen({
      audit: (event) => this.#add(event),
      peel: (peelId) => {
        this.#changed.add(peelId);
        this.#soon();
      },
      reset: () => {
        this.#isReset = true;
        this.#soon();
      },
    });
    const heartbeat = setInterval(() => {
      this.#write(':\n\n');
      void isAllowed().then((is) => {
        if (!is) this.#response.end();
      });
    }, UI_HEARTBEAT_INTERVAL_MS);
    this.#response.on('drain', () => {
      this.#isBlocked = false;
      this.#soon();
    });
    this.#response.once('close', () => {
      stop();
      clearInterval(heartbeat);
      clearTimeout(this.#timer);
    });
    const missed = since === undefined ? [] : live.changedSince(since);
    if (missed === undefined) this.#isReset = true;
    else for (const peelId of missed) this.#changed.add(peelId);
    this.#write(`retry: 2000\n\n`);
    this.#send();
  }

  #add(event: AuditEvent): void {
    if (this.#events.length < WAITING_EVENTS) this.#events.push(event);
    else this.#missed += 1;
    this.#soon();
  }

  #soon(): void {
    if (this.#isBlocked) return;
    this.#timer ??= setTimeout(() => this.#send(), UI_PUSH_INTERVAL_MS);
  }

  #send(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const live = this.#live;
    if (this.#isReset) {
      this.#isReset = false;
      this.#changed.clear();
      this.#message('reset', {});
    }
    const now = live.now;
    const peels: object[] = [];
    for (const peelId of this.#changed) {
      if (peels.length >= PEELS_AT_ONCE) break;
      this.#changed.delete(peelId);
      const peel = live.get(peelId);
      if (peel !== undefined) peels.push(peelDocument(peel.record, peel.presence, now));
    }
    if (peels.length > 0) this.#message('peels', { peels });
    if (this.#events.length > 0 || this.#missed > 0) {
      this.#message('audit', { events: this.#events, missed: this.#missed });
      this.#events = [];
      this.#missed = 0;
    }
    if (this.#changed.size > 0) this.#soon();
  }

  /** A message carries a position only if the caller then has every change up to it. */
  #message(name: string, data: object): void {
    const id = this.#changed.size === 0 ? `id: ${this.#live.position}\n` : '';
    this.#write(`event: ${name}\n${id}data: ${withoutWholeSeeds(JSON.stringify(data))}\n\n`);
  }

  #write(text: string): void {
    if (this.#response.writableEnded || this.#response.destroyed) return;
    if (!this.#response.write(text)) this.#isBlocked = true;
  }
}
