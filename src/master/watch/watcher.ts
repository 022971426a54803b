import { expirySeconds } from '../../jwt/expiry.js';
import type { Subscription } from '@nats-io/nats-core';
import { setTimeout as delay } from 'node:timers/promises';
import type { ZesterConnection } from '../../connection/connect.js';
import { FleetError } from '../../errors.js';
import { keyOf, type PeelRecord } from '../../protocol/records/record.js';
import { userSubjectAsServersReadIt } from '../../jwt/decode.js';
import { isPeelId } from '../../permissions/peel-id.js';
import { isRevoked } from '../../jwt/chain.js';
import type { AccountClaims } from '../../jwt/claims.js';
import { revokeUpTo } from '../../jwt/revoke-up-to.js';
import { nowSeconds } from '../../jwt/time.js';
import { issuedAtOf } from '../../account/lock-out.js';
import { kick } from '../../system-account/kick.js';
import type { MasterContext } from '../context.js';
import { HeldRevocations } from '../revocation/held-revocations.js';
import { acceptedByPolicy } from '../requests/policy.js';
import { judge, type Verdict } from './judge.js';
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
  CROWD_AUDIT_INTERVAL_MS,
  MASTER_CLOCK_WARNING_MS,
  RETIRE_MS,
  SERVERS_INTERVAL_MS,
  WATCH_RETRY_MS,
  WATCH_TICK_MS,
} from '../../timing.js';

/** Connections that one peel may have. */
const MAX_CONNECTIONS = 64;

/**
 * Hears the servers' events, keeps who is connected, and decides on whoever connects. Only the master that has the lease
 * does this; one that takes over begins with a look at all connections, so that nothing is missed in between.
 */
export class Watcher {
  readonly #context: MasterContext;
  readonly #system: ZesterConnection;
  readonly #revoker: Revoker;
  readonly #keeper: PresenceKeeper;
  readonly #held: HeldRevocations;
  readonly #subscriptions: Subscription[] = [];
  readonly #retired = new Map<string, { peelId: string; since: number }>();
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #endings: (() => void)[] = [];
  /** Events wait while all connections are being read. */
  #waiting: (() => void)[] | undefined = [];
  #stopped = false;
  #clockTold = false;
  readonly #crowdTold = new Map<string, number>();
  readonly #aheadTold = new Map<string, number>();
  #reading = false;
  /** Connections that are being judged. */
  #judging = 0;
  /** Another reading is wanted as soon as the one under way is done, or as servers answer. */
  #readAgain = false;
  #issuers: string;

  constructor(context: MasterContext, system: ZesterConnection, revoker: Revoker) {
    this.#context = context;
    this.#system = system;
    this.#revoker = revoker;
    this.#keeper = new PresenceKeeper(context.presence, context.logger);
    this.#held = new HeldRevocations(context, {
      judge: (connection) => this.#judgeNow(connection),
      isJudging: () => this.#judging > 0 || this.#reading,
      revoke: (connection, verdict) => this.#cut(connection, verdict),
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
      registry.onChange((record) => this.#noteRetired(record)),
      trust.onChange(() => {
        void this.#followRevocations();
        this.#followSigningKeys();
      }),
      tokens.onChange((_id, token) => {
        if (token?.removedAt !== undefined)
          this.#judgeAll((connection) => connection.publicKey === token.publicKey);
      }),
    );
    for (const record of registry.records()) this.#noteRetired(record);
    await this.#openBreaker();
    while (!this.#stopped && !(await this.#readAll())) await delay(WATCH_RETRY_MS, undefined, { ref: false });
    if (this.#stopped) return;
    this.#keeper.correct();
    logger.info({ connections: [...this.#keeper.all()].length }, 'hearing the events of the servers');
    this.#every(WATCH_TICK_MS, () => this.#retire());
    this.#every(WATCH_TICK_MS, () => this.#held.turn());
    this.#every(SERVERS_INTERVAL_MS, () => this.#lookAtServers());
    this.#every(CONNECTIONS_INTERVAL_MS, () => this.#readAll());
    void this.#followReconnects();
    await this.#followRevocations();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
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

  /** What happened while the connection was down was told to nobody: all is read as soon as it is back. */
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
      // a reading that had begun before it was asked for anew may have missed what it is about
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
      // a server tells nobody here of those who connect before it is joined to the cluster
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
        this.#context.logger.warn({ server }, 'a server is gone, and its connections with it');
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
    // what was told of it before may have been wrong
    if (known !== undefined && known.name === connection.name && known.jwt === connection.jwt) return;
    if (known !== undefined) this.#keeper.remove(known);
    this.#keeper.add(connection);
    // counted now: by the time it is judged, more may have come
    const isSurplus = this.#keeper.countOf(connection.name) > MAX_CONNECTIONS;
    void this.#check(connection, isSurplus);
  }

  /** A peel needs one connection, and two while it moves: one more than many is cut, and the audit told once a minute. */
  #cutSurplus(connection: UserConnection): void {
    const { audit, actor, logger, metrics } = this.#context;
    const { name, publicKey } = connection;
    void kick(this.#system, connection).catch((error: unknown) =>
      logger.debug({ peelId: name, error: errorMessage(error) }, 'a surplus connection could not be cut'),
    );
    metrics.refusedConnections.inc({ code: 'ERR_FLEET_RATE' });
    const now = performance.now();
    if (now - (this.#crowdTold.get(name) ?? -Infinity) < CROWD_AUDIT_INTERVAL_MS) return;
    this.#crowdTold.set(name, now);
    const reason = `the peel has more than ${MAX_CONNECTIONS} connections: the newest are cut`;
    const from = whereFrom(connection);
    audit.note({
      kind: 'connection.refused',
      by: actor,
      peelId: name,
      publicKey,
      from,
      code: 'ERR_FLEET_RATE',
      reason,
    });
    logger.warn({ peelId: name, from }, reason);
  }

  #disconnected(of: { server: string; cid: number }): void {
    this.#keeper.remove(of);
  }

  #judgeAll(which: (connection: UserConnection) => boolean): void {
    for (const connection of [...this.#keeper.all()]) if (which(connection)) void this.#check(connection);
  }

  async #check(connection: UserConnection, isSurplus = false): Promise<void> {
    this.#judging += 1;
    try {
      // a command may have changed the home an instant ago
      await this.#context.trust.reload();
      const verdict = this.#judge(connection, this.#recordOf(connection.name));
      // a service of the user's own, under a name that a peel may have, has as many connections as it likes
      if (isSurplus && verdict.is !== 'other') this.#cutSurplus(connection);
      await this.#act(connection, verdict);
    } catch (error) {
      if (this.#stopped) return;
      if (error instanceof RangeError || error instanceof TypeError || error instanceof SyntaxError) {
        // not the store's: something in this connection's JWT, which would be no better the next time
        const reason = `it cannot be judged (${errorMessage(error)})`;
        this.#refuse(connection, { is: 'refused', code: 'ERR_FLEET_UNJUDGED', reason });
        return;
      }
      this.#context.logger.error(
        { peelId: connection.name, error: errorMessage(error) },
        'a connection could not be judged: it is looked at again with the next reading of all',
      );
      // forgotten, so that the next reading finds it as new
      this.#keeper.remove(connection);
    } finally {
      this.#judging -= 1;
    }
  }

  #recordOf(name: string): PeelRecord | undefined {
    return isPeelId(name) ? this.#context.registry.get(name) : undefined;
  }

  #judge(connection: UserConnection, record: PeelRecord | undefined): Verdict {
    const { trust, registry, tokens, now } = this.#context;
    const { domain } = trust;
    return judge(connection, {
      operatorJwt: domain.operatorJwt,
      accountJwt: domain.accountJwt,
      account: domain.accountClaims,
      peelSigningKey: domain.publicKeys.peelSigning,
      record,
      owner: registry.ownerOf(connection.publicKey),
      token: (id) => tokens.get(id),
      now,
    });
  }

  async #act(connection: UserConnection, verdict: Verdict): Promise<void> {
    const { logger } = this.#context;
    switch (verdict.is) {
      case 'other':
      case 'token':
        return;
      case 'known':
        return this.#tellAhead(connection, verdict.ahead);
      case 'first':
        this.#tellAhead(connection, verdict.ahead);
        return this.#admit(connection);
      case 'new':
        return this.#admit(connection);
      case 'refused': {
        // what this master has in memory may be a moment old: a key that another one issued an instant ago
        // where the connection itself is the reason, no record changes it
        const itself = verdict.publicKey !== undefined || !isPeelId(connection.name);
        if (itself) return this.#refuse(connection, verdict);
        const again = this.#judge(connection, await this.#context.registry.refresh(connection.name));
        if (again.is === 'refused') return this.#refuse(connection, again);
        logger.debug({ peelId: connection.name }, 'known after all');
        return again.is === 'first' || again.is === 'new' ? this.#admit(connection) : undefined;
      }
    }
  }

  /** A key that connects for the first time: judged again on the record as it stands when it is changed. */
  async #admit(connection: UserConnection): Promise<void> {
    const { registry, policy, actor } = this.#context;
    const from = whereFrom(connection);
    let verdict: Verdict | undefined;
    const { record, changed } = await registry
      .decide(connection.name, (standing) => {
        verdict = this.#judge(connection, standing);
        if (verdict.is === 'first') {
          return { change: { kind: 'key.connected', publicKey: connection.publicKey }, by: actor, from };
        }
        if (verdict.is !== 'new') return undefined;
        const { claims } = verdict;
        const expiresAt = expirySeconds(claims);
        const key = {
          publicKey: claims.sub,
          issuer: claims.iss,
          issuedAt: claims.iat,
          ...(expiresAt !== undefined && { expiresAt }),
        };
        return { change: { kind: 'peel.appeared', key, origin: 'its own credentials' }, by: actor, from };
      })
      .catch((error: unknown) => {
        // the record is gone, and it is none that makes one
        if (error instanceof FleetError && error.code === 'ERR_FLEET_UNKNOWN_PEEL')
          return { record: undefined, changed: false };
        throw error;
      });
    if (verdict?.is === 'refused') return this.#refuse(connection, verdict);
    if (!changed || verdict?.is !== 'new' || record === undefined) return;
    const newcomer = { trusted: verdict.trusted, returning: false };
    if (!acceptedByPolicy(policy, newcomer)) {
      this.#context.logger.warn(
        { peelId: record.id, from },
        `waiting to be accepted: "zester peel accept ${record.id}"`,
      );
      return;
    }
    await registry.decide(record.id, (standing) =>
      standing?.state === 'pending'
        ? {
            change: { kind: 'peel.accepted' },
            by: { kind: 'policy', name: policy },
            publicKey: connection.publicKey,
            from,
          }
        : undefined,
    );
  }

  /** Nothing may be revoked before it is known whether the master before held revocations. */
  async #openBreaker(): Promise<void> {
    while (!this.#stopped) {
      try {
        return await this.#held.open();
      } catch (error) {
        this.#context.logger.debug(
          { error: errorMessage(error) },
          'whether revocations are held cannot be read',
        );
        await delay(WATCH_RETRY_MS, undefined, { ref: false });
      }
    }
  }

  /** The connections of the same key, as they are now: those that were held may have come back since. */
  #judgeNow(held: UserConnection): Verdict | undefined {
    const now = this.#keeper.of(held.name).filter(({ publicKey }) => publicKey === held.publicKey);
    const here = this.#keeper.get(held) ?? now.at(-1);
    return here === undefined ? undefined : this.#judge(here, this.#recordOf(here.name));
  }

  /**
   * A key that the registry knows as live is revoked when the breaker lets it; any other at once: or else duplicates of
   * some ids, minted with a stolen signing key, would switch revocation off.
   */
  #refuse(connection: UserConnection, verdict: Extract<Verdict, { is: 'refused' }>): void {
    // never the user that the server names: the client wrote it, and may have named somebody else's key
    const publicKey = verdict.publicKey ?? userSubjectAsServersReadIt(connection.jwt);
    const owner = this.#liveOwnerOf(publicKey ?? connection.publicKey);
    // a key that is merely named, while its peel is connected with it, is named by somebody else
    const isImpostor = publicKey === undefined && owner !== undefined && this.#isThere(owner, connection);
    if (owner === undefined || isImpostor) return this.#cut(connection, verdict);
    this.#held.hold(publicKey ?? connection.publicKey, owner, connection, verdict);
  }

  /**
   * Whether a peel has another connection of the key that a connection names, with a JWT that is that key's. On the same
   * server only: what is known of one that has just been restarted may be old.
   */
  #isThere(peelId: string, { publicKey, server, cid }: UserConnection): boolean {
    return this.#keeper
      .of(peelId)
      .some(
        (other) =>
          other.server === server && other.cid !== cid && userSubjectAsServersReadIt(other.jwt) === publicKey,
      );
  }

  /** Of a JWT that names no key there is none to revoke: its connection is cut, as often as it comes back. */
  #cutOnly(connection: UserConnection, verdict: Extract<Verdict, { is: 'refused' }>): void {
    this.#tellRefused(connection, verdict, undefined);
    void kick(this.#system, connection)
      .then((outcome) => {
        if (outcome === 'unanswered') throw new Error('the server cannot cut one connection');
      })
      .catch((error: unknown) =>
        this.#context.logger.error(
          { peelId: connection.name, error: errorMessage(error) },
          'a connection whose key cannot be read could not be cut',
        ),
      );
  }

  /** The peel whose key is live; undefined: no peel's is, or it was decided to lock the peel out. */
  #liveOwnerOf(publicKey: string): string | undefined {
    const { registry } = this.#context;
    const record = registry.get(registry.ownerOf(publicKey) ?? '');
    if (record === undefined || record.state === 'rejected' || record.state === 'revoked') return undefined;
    return keyOf(record, publicKey)?.state === 'live' ? record.id : undefined;
  }

  #cut(connection: UserConnection, verdict: Extract<Verdict, { is: 'refused' }>): void {
    const { now } = this.#context;
    const { reason } = verdict;
    const publicKey = verdict.publicKey ?? userSubjectAsServersReadIt(connection.jwt);
    if (publicKey === undefined) return this.#cutOnly(connection, verdict);
    this.#tellRefused(connection, verdict, publicKey);
    const upTo = revokeUpTo(nowSeconds(now), { issuedAt: [issuedAtOf(connection)], complete: true });
    this.#revoker.revokeStranger(publicKey, upTo);
    void this.#noteRevoked(publicKey, upTo, reason);
  }

  #tellRefused(
    connection: UserConnection,
    { code, reason }: Extract<Verdict, { is: 'refused' }>,
    publicKey: string | undefined,
  ): void {
    const { audit, actor, metrics } = this.#context;
    metrics.refusedConnections.inc({ code });
    audit.note({
      kind: 'connection.refused',
      by: actor,
      peelId: connection.name,
      ...(publicKey !== undefined && { publicKey }),
      from: whereFrom(connection),
      code,
      reason,
    });
  }

  /** A key that the record calls live is live no more. */
  async #noteRevoked(publicKey: string, upTo: number, reason: string): Promise<void> {
    const owner = this.#liveOwnerOf(publicKey);
    if (owner === undefined) return;
    const { registry, actor, logger } = this.#context;
    await registry
      .decide(owner, (record) =>
        record !== undefined && keyOf(record, publicKey)?.state === 'live'
          ? { change: { kind: 'key.revoking', publicKeys: [publicKey], upTo }, by: actor, reason }
          : undefined,
      )
      .catch((error: unknown) =>
        logger.error({ peelId: owner, error: errorMessage(error) }, 'revoked, and not yet noted as such'),
      );
  }

  /** A JWT of the registry's own that is dated ahead is the fault of a master's clock, not the peel's. */
  #tellAhead(connection: UserConnection, ahead: number | undefined): void {
    if (ahead === undefined || this.#aheadTold.get(connection.name) === ahead) return;
    this.#aheadTold.set(connection.name, ahead);
    this.#context.logger.warn(
      { peelId: connection.name, issuedAt: ahead },
      'its JWT is dated ahead, as the registry has it: the clock of the master that issued it is ahead; set the time',
    );
  }

  #noteRetired(record: PeelRecord): void {
    for (const { publicKey, state } of record.keys) {
      if (state !== 'retired') this.#retired.delete(publicKey);
      else if (!this.#retired.has(publicKey)) {
        this.#retired.set(publicKey, { peelId: record.id, since: performance.now() });
      }
    }
  }

  /** Keys that were replaced, and whose connections have ended or have had their time, are revoked. */
  async #retire(): Promise<void> {
    if (this.#reading) return;
    const { registry, actor, now } = this.#context;
    for (const [publicKey, { peelId, since }] of [...this.#retired]) {
      const connected = this.#keeper.of(peelId).some((connection) => connection.publicKey === publicKey);
      if (connected && performance.now() - since < RETIRE_MS) continue;
      this.#retired.delete(publicKey);
      try {
        await registry.decide(peelId, (record) =>
          record !== undefined && keyOf(record, publicKey)?.state === 'retired'
            ? {
                change: { kind: 'key.revoking', publicKeys: [publicKey], upTo: nowSeconds(now) },
                by: actor,
                reason: 'replaced',
              }
            : undefined,
        );
      } catch {
        this.#retired.set(publicKey, { peelId, since });
      }
    }
  }

  /** What `zester revoke` revokes in the home of this master is in the registry too. */
  async #followRevocations(): Promise<void> {
    const { trust, registry } = this.#context;
    const revocations = trust.claims.nats.revocations ?? {};
    for (const record of registry.records()) {
      const hit = record.keys.filter(
        ({ publicKey, state, issuedAt }) =>
          (state === 'issued' || state === 'live') &&
          issuedAt !== undefined &&
          isRevoked(revocations, publicKey, issuedAt),
      );
      if (hit.length === 0 || this.#stopped) continue;
      const keys = hit.map(({ publicKey }) => publicKey);
      const upTo = Math.max(...keys.map((key) => Math.max(revocations[key] ?? 0, revocations['*'] ?? 0)));
      const left = record.keys.some(
        (key) => (key.state === 'issued' || key.state === 'live') && !keys.includes(key.publicKey),
      );
      await registry
        .decide(record.id, (standing) => {
          if (standing?.number !== record.number) return undefined;
          const by = { kind: 'unknown' as const, name: 'the account JWT' };
          const reason = 'revoked in the account JWT';
          return left
            ? { change: { kind: 'key.revoking', publicKeys: keys, upTo }, by, reason }
            : { change: { kind: 'peel.revoked', upTo }, by, reason };
        })
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
        "servers' clocks; set the time",
    );
  }
}

function issuersOf({ nats }: AccountClaims): string {
  return (nats.signing_keys ?? []).map((key) => (typeof key === 'string' ? key : key.key)).join();
}

function whereFrom({ host, serverName, server }: UserConnection): string {
  return `${host ?? 'an unknown address'} at ${serverName ?? server}`;
}
