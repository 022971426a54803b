// Moves subscriptions and publishing from one connection to the next.
import type { NatsConnection, Stats, Status } from '@nats-io/transport-node';
import { withDeadline } from '../async/deadline.js';
import type { ConnectionEvents } from './connection-events.js';
import type { Link } from './link.js';
import type { ManagedSubscription } from './managed-subscription.js';
import type { Outbound } from './outbound.js';
import { FLUSH_TIMEOUT_MS } from '../timing.js';

/** The parts of the connection that a handover uses. */
export interface HandoverHost {
  readonly outbound: Outbound;
  readonly events: ConnectionEvents;
  readonly subscriptions: ReadonlySet<ManagedSubscription>;
  /** Observes a second connection. */
  adoptLink(nc: NatsConnection): Link;
}

/** The connection in use, replaced connections that are closing, and the move between them. */
export class Handover {
  readonly #host: HandoverHost;
  readonly #timeoutMs: number;
  readonly #retiring = new Set<Link>();
  readonly #retiredStats: Stats = { inBytes: 0, outBytes: 0, inMsgs: 0, outMsgs: 0 };
  #link: Link;
  #moving: Promise<void> = Promise.resolve();
  #leaving = false;

  /** @param timeoutMs how long a replaced connection stays open for its pending work, in milliseconds */
  constructor(host: HandoverHost, nc: NatsConnection, timeoutMs: number) {
    this.#host = host;
    this.#timeoutMs = timeoutMs;
    this.#link = host.adoptLink(nc);
  }

  /** The link in use. */
  get link(): Link {
    return this.#link;
  }

  /** Whether a move away from this link is in progress: its requests are answered on it, before the move ends. */
  get isLeaving(): boolean {
    return this.#leaving;
  }

  /** Resolves when no move is in progress. */
  get settled(): Promise<void> {
    return this.#moving;
  }

  get stats(): Stats {
    const sum = { ...this.#retiredStats };
    for (const { nc } of [this.#link, ...this.#retiring]) add(sum, nc.stats());
    return sum;
  }

  /** Drops the connection and dials again. */
  async reconnect(): Promise<void> {
    const link = this.#link;
    if (!link.up) return;
    link.setDown();
    await link.nc.reconnect();
  }

  /**
   * Like {@link reconnect}, but sends published messages first: publishing is put on hold, the server confirms
   * everything before, and only then is the socket dropped.
   */
  async renew(): Promise<void> {
    const link = this.#link;
    if (!link.up) return; // a pending reconnect reads the file anyway
    const { outbound } = this.#host;
    outbound.hold();
    await flushed(link);
    outbound.unhold();
    if (outbound.flow.phase !== 'open' || link !== this.#link) outbound.release();
    else await this.reconnect();
  }

  /**
   * Moves to a second connection, make before break: subscribes there, publishes there from now on, and closes the
   * first connection once its pending work is done. If the second connection does not respond, nothing changes.
   *
   * @throws the client's error if the second connection does not respond
   */
  moveTo(nc: NatsConnection): Promise<void> {
    const move = this.#moving.then(() => this.#move(nc));
    this.#moving = move.catch(() => undefined);
    return move;
  }

  /** Closes all links. */
  async close(): Promise<void> {
    await Promise.all([...this.#retiring].map((link) => link.nc.close()));
    await this.#link.nc.close();
  }

  async #move(nc: NatsConnection): Promise<void> {
    const { outbound, events } = this.#host;
    const phase = () => outbound.flow.phase;
    if (phase() !== 'open') return nc.close();
    const old = this.#link;
    const next = this.#host.adoptLink(nc);
    const leave = await this.#switch(old, next);
    if (phase() === 'closed') return nc.close();
    // the first connection was down, so for the user this is the reconnect
    if (!old.up) {
      const server = nc.getServer();
      const status: Status = { type: 'reconnect', server };
      events.emitFor(status, server);
      events.status(status);
    }
    this.#retiring.add(old);
    // the first connection may have stalled before a heartbeat noticed
    await withDeadline(Promise.all(leave.map((end) => end())), Date.now() + this.#timeoutMs);
    void this.#retire(old);
  }

  /** @returns functions that end the subscriptions on the old connection */
  async #switch(old: Link, next: Link): Promise<(() => Promise<void>)[]> {
    const { outbound, subscriptions } = this.#host;
    const leave: (() => Promise<void>)[] = [];
    const moveSubscriptions = (): void => {
      for (const subscription of subscriptions) {
        if (subscription.isOn(old)) leave.push(subscription.moveTo(next));
      }
    };
    outbound.hold();
    this.#leaving = true;
    try {
      moveSubscriptions();
      await next.nc.flush();
      // the server must have everything published on the first connection before anything is sent on the second
      if (old.up) await flushed(old);
      // Subscriptions made in the meantime are sent on `next` before the messages published after them: a server keeps
      // the order of one connection, not of two.
      moveSubscriptions();
      old.retired = true;
      this.#link = next;
      outbound.setMaxPayload(next.nc.info?.max_payload);
      return leave;
    } catch (error) {
      next.retired = true;
      for (const subscription of subscriptions) subscription.moveBack();
      await next.nc.close();
      throw error;
    } finally {
      this.#leaving = false;
      outbound.unhold();
      outbound.release();
    }
  }

  async #retire(link: Link): Promise<void> {
    await link.whenIdle(this.#timeoutMs);
    await withDeadline(
      link.nc.drain().catch(() => undefined),
      Date.now() + FLUSH_TIMEOUT_MS,
    );
    await link.nc.close();
    add(this.#retiredStats, link.nc.stats());
    this.#retiring.delete(link);
  }
}

/** Resolves when the server has all published messages, or after a second. */
async function flushed(link: Link): Promise<void> {
  await withDeadline(
    link.nc.flush().catch(() => undefined),
    Date.now() + FLUSH_TIMEOUT_MS,
  );
}

function add(sum: Stats, { inBytes, outBytes, inMsgs, outMsgs }: Stats): void {
  sum.inBytes += inBytes;
  sum.outBytes += outBytes;
  sum.inMsgs += inMsgs;
  sum.outMsgs += outMsgs;
}
