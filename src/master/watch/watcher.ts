// Follows the servers' events and keeps presence, on the master that has the lease.
import type { Subscription } from '@nats-io/nats-core';
import { setTimeout as delay } from 'node:timers/promises';
import type { ZesterConnection } from '../../connection/connect.js';
import type { AccountClaims } from '../../jwt/claims.js';
import { nowSeconds } from '../../jwt/time.js';
import type { MasterContext } from '../context.js';
import { MAX_CONNECTIONS } from './admission.js';
import { Gatekeeper } from './gatekeeper.js';
import { RetiredKeys, revokedInAccount, revokingOf, type RetiredKey } from './key-retirement.js';
import { PresenceKeeper } from './presence-keeper.js';
import type { Revoker } from '../revocation/revoker.js';
import {
  connectionKey,
  connectionsNow,
  listenToSystem,
  serversNow,
  type UserConnection,
} from './system-events.js';
import { errorMessage } from '../../text/error-message.js';
import {
  CONNECTIONS_INTERVAL_MS,
  MASTER_CLOCK_WARNING_MS,
  SERVERS_INTERVAL_MS,
  WATCH_RETRY_MS,
  WATCH_TICK_MS,
} from '../../timing.js';

/**
 * Follows the servers' events, keeps presence, and has each new connection judged. Only the master that has the lease
 * does this; a master that takes over starts by reading all connections, so nothing is missed.
 */
export class Watcher {
  readonly #context: MasterContext;
  readonly #system: ZesterConnection;
  readonly #keeper: PresenceKeeper;
  readonly #gatekeeper: Gatekeeper;
  readonly #subscriptions: Subscription[] = [];
  readonly #retired = new RetiredKeys();
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #endings: (() => void)[] = [];
  /** Events wait while all connections are being read. */
  #waiting: (() => void)[] | undefined = [];
  #stopped = false;
  #clockTold = false;
  #reading = false;
  /** Another reading is wanted as soon as the one under way is done, or as servers answer. */
  #readAgain = false;
  #issuers: string;

  constructor(context: MasterContext, system: ZesterConnection, revoker: Revoker) {
    this.#context = context;
    this.#system = system;
    this.#keeper = new PresenceKeeper(context.presence, context.logger);
    this.#gatekeeper = new Gatekeeper(context, {
      system,
      revoker,
      keeper: this.#keeper,
      isReading: () => this.#reading,
    });
    this.#issuers = issuersOf(context.trust.claims);
  }

  async start(): Promise<void> {
    const { registry, trust, tokens, logger } = this.#context;
    const account = trust.domain.publicKeys.account;
    this.#subscriptions.push(
      ...listenToSystem(this.#system, account, {
        connected: (connection) => this.#inTurn(() => this.#connected(connection)),
        disconnected: (of) => this.#inTurn(() => this.#disconnected(of)),
        clock: (time) => this.#clock(time),
      }),
    );
    this.#endings.push(
      registry.onChange((record) => this.#retired.note(record, performance.now())),
      trust.onChange(() => {
        void this.#followRevocations();
        this.#followSigningKeys();
      }),
      tokens.onChange((_id, token) => {
        if (token?.removedAt !== undefined)
          this.#judgeAll((connection) => connection.publicKey === token.publicKey);
      }),
    );
    for (const record of registry.records()) this.#retired.note(record, performance.now());
    await this.#openBreaker();
    while (!this.#stopped && !(await this.#readAll())) await delay(WATCH_RETRY_MS, undefined, { ref: false });
    if (this.#stopped) return;
    this.#keeper.correct();
    logger.info({ connections: [...this.#keeper.all()].length }, "following the servers' events");
    this.#every(WATCH_TICK_MS, () => this.#retire());
    this.#every(WATCH_TICK_MS, () => this.#gatekeeper.turn());
    this.#every(SERVERS_INTERVAL_MS, () => this.#lookAtServers());
    this.#every(CONNECTIONS_INTERVAL_MS, () => this.#readAll());
    void this.#followReconnects();
    await this.#followRevocations();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#gatekeeper.stop();
    for (const timer of this.#timers) clearInterval(timer);
    for (const end of this.#endings) end();
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
    await this.#keeper.stop();
  }

  #every(ms: number, act: () => unknown): void {
    const timer = setInterval(() => void act(), ms);
    timer.unref();
    this.#timers.push(timer);
  }

  #inTurn(act: () => void): void {
    if (this.#stopped) return;
    if (this.#waiting !== undefined) this.#waiting.push(act);
    else act();
  }

  /** Events during an outage are lost: all connections are read as soon as it is over. */
  async #followReconnects(): Promise<void> {
    for await (const { type } of this.#system.status()) {
      if (this.#stopped) return;
      if (type !== 'reconnect') continue;
      void this.#lookAtServers();
      void this.#readAnew();
    }
  }

  /** Reads all, and again at the next look at the servers where that fails: each request for it counts. */
  async #readAnew(): Promise<void> {
    this.#readAgain = this.#reading;
    if (!this.#reading && !(await this.#readAll())) this.#readAgain = true;
  }

  /** Reads who is connected now; what happened meanwhile is applied after it. One reading at a time. */
  async #readAll(): Promise<boolean> {
    if (this.#reading) return true;
    this.#reading = true;
    this.#readAgain = false;
    this.#waiting ??= [];
    let succeeded = false;
    try {
      const account = this.#context.trust.domain.publicKeys.account;
      const { servers, connections } = await connectionsNow(this.#system, account);
      if (this.#stopped) return true;
      const there = new Set(connections.map(connectionKey));
      for (const known of [...this.#keeper.all()]) {
        // of a server that did not answer nothing is known; whether it is gone is looked at apart
        if (servers.has(known.server) && !there.has(connectionKey(known))) this.#disconnected(known);
      }
      for (const connection of connections) this.#connected(connection);
      succeeded = true;
      return true;
    } catch (error) {
      this.#context.logger.debug({ error: String(error) }, 'the connections cannot be read');
      return false;
    } finally {
      this.#reading = false;
      const waiting = this.#waiting;
      this.#waiting = undefined;
      for (const act of waiting) act();
      // a reading that had begun before it was asked for again may have missed what it is about
      if (this.#readAgain && !this.#stopped && succeeded) void this.#readAll();
    }
  }

  readonly #gone = new Map<string, number>();
  #servers: ReadonlyMap<string, string> | undefined;
  #looking = false;
  async #lookAtServers(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    try {
      const servers = await serversNow(this.#system);
      const before = this.#servers;
      this.#servers = servers;
      // a server does not report users who connect before it has joined the cluster
      const isNew = before !== undefined && [...servers.keys()].some((id) => !before.has(id));
      if (isNew || this.#readAgain) void this.#readAnew();
      const names = new Set(servers.values());
      const known = new Set([...this.#keeper.all()].map(({ server }) => server));
      for (const server of known) {
        const missed = servers.has(server) ? 0 : (this.#gone.get(server) ?? 0) + 1;
        this.#gone.set(server, missed);
        // restarted: the same name has another id now
        const name = before?.get(server);
        const isRestarted = missed > 0 && name !== undefined && names.has(name);
        if (missed < 2 && !isRestarted) continue;
        this.#gone.delete(server);
        this.#context.logger.warn({ server }, 'a server is gone, with its connections');
        for (const connection of [...this.#keeper.all()]) {
          if (connection.server === server) this.#disconnected(connection);
        }
      }
    } catch {
      // this master's own server may be the one: the next look will tell
    } finally {
      this.#looking = false;
    }
  }

  #connected(connection: UserConnection): void {
    const known = this.#keeper.get(connection);
    // earlier reports about it may have been wrong
    if (known !== undefined && known.name === connection.name && known.jwt === connection.jwt) return;
    if (known !== undefined) this.#keeper.remove(known);
    this.#keeper.add(connection);
    // counted now: by the time it is judged, more may have come
    const isSurplus = this.#keeper.countOf(connection.name) > MAX_CONNECTIONS;
    void this.#gatekeeper.check(connection, isSurplus);
  }

  #disconnected(of: { server: string; cid: number }): void {
    this.#keeper.remove(of);
  }

  #judgeAll(which: (connection: UserConnection) => boolean): void {
    for (const connection of [...this.#keeper.all()])
      if (which(connection)) void this.#gatekeeper.check(connection);
  }

  /** Nothing may be revoked before it is known whether the master before held revocations. */
  async #openBreaker(): Promise<void> {
    while (!this.#stopped) {
      try {
        return await this.#gatekeeper.open();
      } catch (error) {
        this.#context.logger.debug(
          { error: errorMessage(error) },
          'cannot read whether revocations are held',
        );
        await delay(WATCH_RETRY_MS, undefined, { ref: false });
      }
    }
  }

  /** Keys that were replaced, and whose connections have ended or have had their time, are revoked. */
  async #retire(): Promise<void> {
    if (this.#reading) return;
    const { registry, actor, now } = this.#context;
    const isConnected = ({ peelId, publicKey }: RetiredKey) =>
      this.#keeper.of(peelId).some((connection) => connection.publicKey === publicKey);
    for (const key of this.#retired.due(performance.now(), isConnected)) {
      const { publicKey, peelId } = key;
      this.#retired.remove(key);
      try {
        await registry.decide(peelId, (record) => {
          const change = revokingOf(record, { publicKey, state: 'retired', upTo: nowSeconds(now) });
          return change && { change, by: actor, reason: 'replaced' };
        });
      } catch {
        this.#retired.add(key);
      }
    }
  }

  /** What `zester revoke` revokes in the home of this master is in the registry too. */
  async #followRevocations(): Promise<void> {
    const { trust, registry } = this.#context;
    const revocations = trust.claims.nats.revocations ?? {};
    const by = { kind: 'unknown' as const, name: 'the account JWT' };
    for (const record of registry.records()) {
      const change = revokedInAccount(record, revocations);
      if (change === undefined || this.#stopped) continue;
      await registry
        .decide(record.id, (standing) =>
          standing?.number === record.number
            ? { change, by, reason: 'revoked in the account JWT' }
            : undefined,
        )
        .catch(() => undefined);
    }
  }

  /** When the account has other signing keys, a chain that held may not hold any more. */
  #followSigningKeys(): void {
    const keys = issuersOf(this.#context.trust.claims);
    if (keys === this.#issuers) return;
    this.#issuers = keys;
    this.#judgeAll(() => true);
  }

  #clock(time: number): void {
    const off = this.#context.now() - time;
    if (this.#clockTold || Math.abs(off) < MASTER_CLOCK_WARNING_MS) return;
    this.#clockTold = true;
    this.#context.logger.warn(
      { offMs: Math.round(off) },
      `this master's clock is ${Math.abs(Math.round(off / 1000))} s ${off > 0 ? 'ahead of' : 'behind'} a server's: JWTs expire by the ` +
        "servers' clocks; correct it",
    );
  }
}

function issuersOf({ nats }: AccountClaims): string {
  return (nats.signing_keys ?? []).map((key) => (typeof key === 'string' ? key : key.key)).join();
}
