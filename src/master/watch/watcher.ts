// Follows the servers' events and maintains presence, on the master that holds the lease.
import { setTimeout as delay } from 'node:timers/promises';
import type { ConnectionId } from '../../system-account/kick.js';
import { signingKeyIds } from '../../jwt/signing-key-ids.js';
import { nowSeconds } from '../../jwt/time.js';
import type { MasterContext } from '../context.js';
import { maxConnections } from './admission.js';
import { ConnectionReader } from './connection-reader.js';
import { Gatekeeper, type GatekeeperContext } from './gatekeeper.js';
import { JudgingQueue } from './judging-queue.js';
import { Recheck } from './recheck.js';
import { RetiredKeys, revokedInAccount, revokingOf, type RetiredKey } from './key-retirement.js';
import { PresenceKeeper } from './presence-keeper.js';
import type { Revoker } from '../revocation/revoker.js';
import { ServerRoster } from './server-roster.js';
import { SilentServers } from './silent-servers.js';
import type { UserConnection } from './system-events.js';
import type { SystemView } from './system-view.js';
import { errorMessage } from '../../text/error-message.js';
import { MASTER_CLOCK_WARNING_MS, SERVERS_INTERVAL_MS, WATCH_RETRY_MS, WATCH_TICK_MS } from '../../timing.js';

/** The parts of its master that a {@link Watcher} uses. */
export interface WatcherContext extends GatekeeperContext {
  registry: GatekeeperContext['registry'] & Pick<MasterContext['registry'], 'onChange'>;
  tokens: GatekeeperContext['tokens'] & Pick<MasterContext['tokens'], 'onChange'>;
  trust: GatekeeperContext['trust'] & Pick<MasterContext['trust'], 'claims' | 'onChange' | 'reload'>;
  presence: MasterContext['presence'];
  metrics: GatekeeperContext['metrics'] &
    Pick<MasterContext['metrics'], 'readingSeconds' | 'waitingConnections'>;
}

/**
 * Follows the servers' events, maintains presence, and queues each new connection for judging. Only the lease holder
 * does this; a master that takes over lists all connections first, so it misses none.
 */
export class Watcher {
  readonly #context: WatcherContext;
  readonly #system: SystemView;
  readonly #keeper: PresenceKeeper;
  readonly #gatekeeper: Gatekeeper;
  readonly #queue: JudgingQueue;
  readonly #reader: ConnectionReader;
  readonly #recheck: Recheck;
  readonly #onSettled: () => void;
  readonly #retired = new RetiredKeys();
  readonly #roster = new ServerRoster();
  readonly #silent = new SilentServers();
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #cleanups: (() => void)[] = [];
  #stopped = false;
  #isCheckingServers = false;
  #isClockLogged = false;
  #issuers: string;

  /** @param onSettled called once all connections have been listed */
  constructor(
    context: WatcherContext,
    system: SystemView,
    revoker: Pick<Revoker, 'revokeStranger'>,
    onSettled: () => void,
  ) {
    const { trust, logger, metrics } = context;
    this.#context = context;
    this.#system = system;
    this.#onSettled = onSettled;
    this.#keeper = new PresenceKeeper(context.presence);
    this.#reader = new ConnectionReader({
      read: () => system.connections((of) => this.#keeper.get(of) ?? this.#returned(of)),
      keeper: this.#keeper,
      connected: (connection) => this.#connected(connection),
      disconnected: (of) => this.#disconnected(of),
      logger,
      onCertain: () => this.#queue.resume(),
      onRead: (tookMs) => metrics.readingSeconds.set(tookMs / 1000),
    });
    this.#recheck = new Recheck({
      read: (connections) => system.read(connections),
      isConnected: (connection) => this.#keeper.get(connection) === connection,
      isBusy: () => this.#isBusy(),
      onRead: (connection) => this.#connected(connection),
      logger,
    });
    this.#gatekeeper = new Gatekeeper(context, {
      kick: (connection) => system.kick(connection),
      revoker,
      keeper: this.#keeper,
      isBusy: () => this.#isBusy(),
    });
    this.#queue = new JudgingQueue({
      // a command may have changed the home an instant ago
      prepare: () => trust.reload(),
      judge: (connection, isSurplus) => this.#gatekeeper.check(connection, isSurplus),
      isConnected: (connection) => this.#keeper.get(connection) === connection,
      isHeld: () => this.#reader.isUncertain,
      logger,
      onWaiting: (count) => metrics.waitingConnections.set(count),
    });
    this.#issuers = signingKeyIds(trust.claims).join();
  }

  async start(): Promise<void> {
    const { registry, trust, tokens, logger } = this.#context;
    await this.#openBreaker();
    if (this.#stopped) return;
    const subscriptions = this.#system.listen({
      connected: (connection) => {
        this.#reader.noteConnected(connection);
        this.#connected(connection);
      },
      disconnected: (of) => {
        this.#reader.noteDisconnected(of);
        this.#disconnected(of);
      },
      clock: (time) => this.#checkClock(time),
    });
    this.#cleanups.push(
      ...subscriptions.map((subscription) => () => subscription.unsubscribe()),
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
    void this.#followReconnects();
    await this.#reader.start();
    if (this.#stopped) return;
    this.#keeper.correct();
    this.#onSettled();
    logger.info({ connections: this.#keeper.size }, "following the servers' events");
    this.#every(WATCH_TICK_MS, () => this.#retire());
    this.#every(WATCH_TICK_MS, () => this.#gatekeeper.advance());
    this.#every(SERVERS_INTERVAL_MS, () => this.#checkServers());
    await this.#followRevocations();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#recheck.stop();
    this.#queue.stop();
    for (const timer of this.#timers) clearInterval(timer);
    for (const cleanup of this.#cleanups) cleanup();
    await this.#reader.stop();
    await this.#gatekeeper.stop();
  }

  /** Whether connections are being listed or judged. */
  #isBusy(): boolean {
    return this.#queue.size > 0 || this.#reader.isReading;
  }

  #every(ms: number, act: () => unknown): void {
    const timer = setInterval(() => void act(), ms);
    timer.unref();
    this.#timers.push(timer);
  }

  /** An outage loses events: afterwards, lists all connections and rereads the known ones. */
  async #followReconnects(): Promise<void> {
    for await (const { type } of this.#system.status()) {
      if (this.#stopped) return;
      if (type !== 'reconnect') continue;
      void this.#checkServers();
      this.#recheck.add(this.#keeper.all());
      this.#reader.readSoon();
    }
  }

  async #checkServers(): Promise<void> {
    if (this.#isCheckingServers) return;
    this.#isCheckingServers = true;
    try {
      const { hasJoined, gone } = this.#roster.check(await this.#system.servers(), this.#keeper.servers());
      if (hasJoined) this.#reader.readSoon();
      const now = performance.now();
      for (const { id: server, mayReturn } of gone) {
        this.#context.logger.warn({ server }, 'a server is gone, with its connections');
        const connections = this.#keeper.ofServer(server);
        if (mayReturn) this.#silent.keep(server, connections, now);
        for (const connection of connections) this.#disconnected(connection);
      }
      this.#silent.prune(now);
    } catch {
      // this master's own server may be down: left to the next check
    } finally {
      this.#isCheckingServers = false;
    }
  }

  /** Looks up a connection of a silent server, and queues it for rereading, since its events were lost. */
  #returned(of: ConnectionId): UserConnection | undefined {
    const connection = this.#silent.get(of);
    if (connection !== undefined) this.#recheck.add([connection]);
    return connection;
  }

  #connected(connection: UserConnection): void {
    const known = this.#keeper.get(connection);
    // an earlier report about it may have been wrong
    if (known !== undefined && known.name === connection.name && known.jwt === connection.jwt) return;
    if (known !== undefined) this.#keeper.remove(known);
    this.#keeper.add(connection);
    // count now: by the time it is judged, more may have connected
    const isSurplus = this.#keeper.countOf(connection.name) > maxConnections(connection.name);
    this.#queue.add(connection, isSurplus);
  }

  #disconnected(of: ConnectionId): void {
    this.#keeper.remove(of);
  }

  #judgeAll(which: (connection: UserConnection) => boolean): void {
    for (const connection of this.#keeper.all()) if (which(connection)) this.#queue.add(connection);
  }

  /** Until it is known whether the previous master held revocations, nothing may be revoked. */
  async #openBreaker(): Promise<void> {
    while (!this.#stopped) {
      try {
        return await this.#gatekeeper.open();
      } catch (error) {
        this.#context.logger.debug(
          { error: errorMessage(error) },
          'cannot read whether revocations are held; retrying',
        );
        await delay(WATCH_RETRY_MS, undefined, { ref: false });
      }
    }
  }

  /** Revokes replaced keys whose connections have ended, or have had time to drain. */
  async #retire(): Promise<void> {
    if (this.#reader.isReading) return;
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

  /** Records in the registry what `zester revoke` revoked in this master's home. */
  async #followRevocations(): Promise<void> {
    const { trust, registry } = this.#context;
    const revocations = trust.claims.nats.revocations ?? {};
    const by = { kind: 'unknown' as const, name: 'the account JWT' };
    for (const record of registry.records()) {
      const change = revokedInAccount(record, revocations);
      if (change === undefined || this.#stopped) continue;
      await registry
        .decide(record.id, (current) =>
          current?.number === record.number
            ? { change, by, reason: 'revoked in the account JWT' }
            : undefined,
        )
        .catch(() => undefined);
    }
  }

  /** Judges all connections again if the account's signing keys change: a valid chain may have become invalid. */
  #followSigningKeys(): void {
    const keys = signingKeyIds(this.#context.trust.claims).join();
    if (keys === this.#issuers) return;
    this.#issuers = keys;
    this.#judgeAll(() => true);
  }

  #checkClock(time: number): void {
    const off = this.#context.now() - time;
    if (this.#isClockLogged || Math.abs(off) < MASTER_CLOCK_WARNING_MS) return;
    this.#isClockLogged = true;
    this.#context.logger.warn(
      { offMs: Math.round(off) },
      `this master's clock is ${Math.abs(Math.round(off / 1000))} s ${off > 0 ? 'ahead of' : 'behind'} a server's, and JWTs expire by ` +
        "the servers' clocks: correct it",
    );
  }
}
