// Judges connections, and carries out what admission.ts decides about them.
import { FleetError } from '../../errors.js';
import { keyOf, keyToDecide, type PeelRecord } from '../../protocol/records/record.js';
import { adminOfUserName } from '../../permissions/admin-names.js';
import { isPeelId } from '../../permissions/peel-id.js';
import { revokeUpTo } from '../../jwt/revoke-up-to.js';
import { nowSeconds } from '../../jwt/time.js';
import { issuedAtOf } from '../../account/ban.js';
import type { KickOutcome } from '../../system-account/kick.js';
import { errorMessage } from '../../text/error-message.js';
import { SURPLUS_AUDIT_INTERVAL_MS } from '../../timing.js';
import type { MasterContext } from '../context.js';
import { FairQueue } from '../requests/fair-queue.js';
import { HeldRevocations, type HeldContext } from '../revocation/held-revocations.js';
import type { Revoker } from '../revocation/revoker.js';
import {
  admissionDecision,
  admissionOf,
  keyToRevoke,
  liveOwner,
  maxConnections,
  policyDecision,
  refusalAction,
  requestToJoin,
  describeOrigin,
  type Refusal,
} from './admission.js';
import { judge, type Verdict } from './judge.js';
import { revokingOf } from './key-retirement.js';
import type { PresenceKeeper } from './presence-keeper.js';
import type { StoreWork } from './store-work.js';
import type { UserConnection } from './system-events.js';

/** The parts of its master that a {@link Gatekeeper} uses. */
export interface GatekeeperContext extends HeldContext {
  registry: HeldContext['registry'] & Pick<MasterContext['registry'], 'ownerOf' | 'refresh' | 'decide'>;
  tokens: Pick<MasterContext['tokens'], 'get'>;
  trust: {
    domain: Pick<
      MasterContext['trust']['domain'],
      'operatorJwt' | 'accountJwt' | 'accountClaims' | 'publicKeys'
    >;
  };
  policy: Pick<MasterContext['policy'], 'name' | 'isNamed' | 'ask'>;
  metrics: HeldContext['metrics'] & Pick<MasterContext['metrics'], 'refusedConnections'>;
}

/** The dependencies of a {@link Gatekeeper}. */
export interface GatekeeperParts {
  /** Closes one connection on its server. */
  kick: (connection: UserConnection) => Promise<KickOutcome>;
  revoker: Pick<Revoker, 'revokeStranger'>;
  keeper: Pick<PresenceKeeper, 'get' | 'of'>;
  /** Whether connections are being listed or judged at the moment. */
  isBusy: () => boolean;
}

/** Judges connections, and admits or refuses them. */
export class Gatekeeper {
  readonly #context: GatekeeperContext;
  readonly #parts: GatekeeperParts;
  readonly #held: HeldRevocations;
  readonly #surplusAuditedAt = new Map<string, number>();
  /** Calls of policy functions about connections. */
  readonly #policyCalls = new FairQueue({
    running: 16,
    runningPerCaller: 1,
    waiting: 100_000,
    waitingPerCaller: 1,
  });
  readonly #aheadLogged = new Map<string, number>();

  #stopped = false;

  constructor(context: GatekeeperContext, parts: GatekeeperParts) {
    this.#context = context;
    this.#parts = parts;
    this.#held = new HeldRevocations(context, {
      judge: (connection) => this.#judgeNow(connection),
      isJudging: parts.isBusy,
      revoke: (connection, refusal) => this.#cut(connection, refusal),
    });
  }

  /** Reads whether the previous master held revocations. Until then, nothing may be revoked. */
  open(): Promise<void> {
    return this.#held.open();
  }

  /** Advances held revocations. Call it often. */
  advance(): Promise<void> {
    return this.#held.advance();
  }

  /** Waits for work under way: it must not set a metric after another master takes over. */
  stop(): Promise<void> {
    this.#stopped = true;
    return this.#held.stop();
  }

  /**
   * Judges a connection by the current trust domain, and acts on the verdict.
   *
   * @param isSurplus whether its peel or admin exceeds the connection limit: it is cut, and judged all the same
   * @returns undefined if it is done; else the rest, which waits for JetStream
   */
  check(connection: UserConnection, isSurplus = false): StoreWork | undefined {
    try {
      const verdict = this.#judge(connection, this.#recordOf(connection.name));
      // a service of the user's own, under a name that a peel may have, may open any number of connections
      const isOurs = verdict.is !== 'other' || adminOfUserName(connection.name) !== undefined;
      if (isSurplus && isOurs) this.#cutSurplus(connection);
      const work = this.#act(connection, verdict, false);
      return (
        work && {
          isUrgent: work.isUrgent,
          run: () => work.run().catch((error: unknown) => this.#unjudged(connection, error)),
        }
      );
    } catch (error) {
      this.#unjudged(connection, error);
      return undefined;
    }
  }

  /** Refuses a connection that cannot be judged. @throws other errors, after which it is judged again */
  #unjudged(connection: UserConnection, error: unknown): void {
    if (this.#stopped) return;
    if (!(error instanceof RangeError || error instanceof TypeError || error instanceof SyntaxError))
      throw error;
    // caused by this connection's JWT, not by the store: a retry would fail the same way
    const reason = `it cannot be judged (${errorMessage(error)})`;
    this.#refuse(connection, { is: 'refused', code: 'ERR_FLEET_UNJUDGED', reason });
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

  /** Judges the key's current connection: a held one may have reconnected since. */
  #judgeNow(held: UserConnection): Verdict | undefined {
    const { keeper } = this.#parts;
    const now = keeper.of(held.name).filter(({ publicKey }) => publicKey === held.publicKey);
    const found = keeper.get(held) ?? now.at(-1);
    return found === undefined ? undefined : this.#judge(found, this.#recordOf(found.name));
  }

  #act(connection: UserConnection, verdict: Verdict, isFresh: boolean): StoreWork | undefined {
    this.#logAhead(connection, verdict);
    const admission = admissionOf(connection, verdict, isFresh);
    switch (admission.do) {
      case 'leave':
        return undefined;
      case 'admit':
        return { isUrgent: false, run: () => this.#admit(connection) };
      case 'refuse':
        this.#refuse(connection, admission.refusal);
        return undefined;
      case 'reread':
        return {
          isUrgent: true,
          run: async () => {
            const record = await this.#context.registry.refresh(connection.name);
            await this.#act(connection, this.#judge(connection, record), true)?.run();
          },
        };
    }
  }

  /** Admits a key that connects for the first time, judged again on the record that the change applies to. */
  async #admit(connection: UserConnection): Promise<void> {
    const { registry, actor, logger } = this.#context;
    let verdict: Verdict | undefined;
    const changed = await registry
      .decide(connection.name, (current) => {
        verdict = this.#judge(connection, current);
        return admissionDecision(connection, verdict, actor);
      })
      .then(({ changed }) => changed)
      .catch((error: unknown) => {
        // the record is gone, and this connection does not create a new one
        if (error instanceof FleetError && error.code === 'ERR_FLEET_UNKNOWN_PEEL') return false;
        throw error;
      });
    if (verdict?.is === 'refused') return this.#refuse(connection, verdict);
    if (!changed || verdict?.is !== 'new') return;
    const { trusted } = verdict;
    const ask = () => this.#askPolicy(connection, trusted);
    // a policy function may take a while: judge other connections meanwhile
    if (this.#context.policy.isNamed) return ask();
    const isQueued = this.#policyCalls.add(connection.name, () =>
      ask().catch((error: unknown) =>
        logger.error(
          { peelId: connection.name, error: errorMessage(error) },
          'cannot record the decision of the policy: the peel stays pending',
        ),
      ),
    );
    if (!isQueued) this.#logPending(connection);
  }

  async #askPolicy(connection: UserConnection, trusted: boolean): Promise<void> {
    const { policy, registry } = this.#context;
    const answer = await policy.ask(requestToJoin(connection, { trusted }));
    const decision = policyDecision(connection, answer, policy.name);
    if (this.#stopped) return;
    if (decision === undefined) return this.#logPending(connection);
    await registry.decide(connection.name, (current) => {
      const isSame = current !== undefined && keyToDecide(current)?.publicKey === connection.publicKey;
      return isSame ? decision : undefined;
    });
  }

  #logPending(connection: UserConnection): void {
    const peelId = connection.name;
    this.#context.logger.warn(
      { peelId, from: describeOrigin(connection) },
      `pending: run "zester peel accept ${peelId}"`,
    );
  }

  #refuse(connection: UserConnection, refusal: Refusal): void {
    const action = refusalAction(connection, refusal, {
      liveOwnerOf: (publicKey) => this.#liveOwnerOf(publicKey),
      connectionsOf: (peelId) => this.#parts.keeper.of(peelId),
    });
    if (action.do === 'hold') this.#held.hold(action.publicKey, action.peelId, connection, refusal);
    else this.#cut(connection, refusal);
  }

  #liveOwnerOf(publicKey: string): string | undefined {
    const { registry } = this.#context;
    return liveOwner(registry.get(registry.ownerOf(publicKey) ?? ''), publicKey);
  }

  #cut(connection: UserConnection, refusal: Refusal): void {
    const publicKey = keyToRevoke(connection, refusal);
    this.#auditRefused(connection, refusal, publicKey);
    if (publicKey === undefined) return this.#kick(connection);
    const issuedAt = issuedAtOf(connection);
    const now = nowSeconds(this.#context.now);
    const decided = this.#decidedUpTo(publicKey);
    // not extended without need: a revocation that covers more than the record asks for is never dropped
    const isCovered = decided !== undefined && issuedAt !== undefined && issuedAt <= decided;
    const upTo = isCovered ? decided : revokeUpTo(now, { issuedAt: [issuedAt], complete: true });
    this.#parts.revoker.revokeStranger(publicKey, upTo);
    void this.#noteRevoked(publicKey, upTo, refusal.reason);
  }

  /** Up to when the record of a peel revokes its key, in seconds since 1970; undefined: it does not. */
  #decidedUpTo(publicKey: string): number | undefined {
    const { registry } = this.#context;
    const record = registry.get(registry.ownerOf(publicKey) ?? '');
    const key = record && keyOf(record, publicKey);
    return key?.state === 'revoking' || key?.state === 'revoked' ? key.revokedUpTo : undefined;
  }

  /** Cuts a connection whose JWT names no key, so that there is nothing to revoke; again whenever it returns. */
  #kick(connection: UserConnection): void {
    void this.#parts
      .kick(connection)
      .then((outcome) => {
        if (outcome === 'unanswered') throw new Error('the server cannot cut a single connection');
      })
      .catch((error: unknown) =>
        this.#context.logger.error(
          { peelId: connection.name, error: errorMessage(error) },
          'cannot cut a connection whose key is unreadable',
        ),
      );
  }

  /** Surplus connections are cut one by one, and audited once a minute. */
  #cutSurplus(connection: UserConnection): void {
    const { logger, metrics } = this.#context;
    const { name: peelId, publicKey } = connection;
    void this.#parts
      .kick(connection)
      .catch((error: unknown) =>
        logger.debug({ peelId, error: errorMessage(error) }, 'cannot cut a surplus connection'),
      );
    const code = 'ERR_FLEET_RATE';
    const now = performance.now();
    if (now - (this.#surplusAuditedAt.get(peelId) ?? -Infinity) < SURPLUS_AUDIT_INTERVAL_MS) {
      metrics.refusedConnections.inc({ code });
      return;
    }
    this.#surplusAuditedAt.set(peelId, now);
    const admin = adminOfUserName(peelId);
    const owner = admin === undefined ? 'the peel' : `the admin "${admin}"`;
    const reason = `${owner} has more than ${maxConnections(peelId)} connections: the newest are cut`;
    this.#auditRefused(connection, { is: 'refused', code, reason }, publicKey);
    logger.warn({ peelId, from: describeOrigin(connection) }, reason);
  }

  #auditRefused(connection: UserConnection, { code, reason }: Refusal, publicKey: string | undefined): void {
    const { audit, actor, metrics } = this.#context;
    metrics.refusedConnections.inc({ code });
    audit.note({
      kind: 'connection.refused',
      by: actor,
      peelId: connection.name,
      ...(publicKey !== undefined && { publicKey }),
      from: describeOrigin(connection),
      code,
      reason,
    });
  }

  /** Records that a live key is being revoked. */
  async #noteRevoked(publicKey: string, upTo: number, reason: string): Promise<void> {
    const peelId = this.#liveOwnerOf(publicKey);
    if (peelId === undefined) return;
    const { registry, actor, logger } = this.#context;
    await registry
      .decide(peelId, (record) => {
        const change = revokingOf(record, { publicKey, state: 'live', upTo });
        return change && { change, by: actor, reason };
      })
      .catch((error: unknown) =>
        logger.error({ peelId, error: errorMessage(error) }, 'revoked, but cannot record it yet'),
      );
  }

  /** If a JWT in the registry is dated in the future, a master's clock is wrong, not the peel. */
  #logAhead({ name }: UserConnection, verdict: Verdict): void {
    if (verdict.is !== 'known' && verdict.is !== 'first') return;
    const { ahead } = verdict;
    if (ahead === undefined || this.#aheadLogged.get(name) === ahead) return;
    this.#aheadLogged.set(name, ahead);
    this.#context.logger.warn(
      { peelId: name, issuedAt: ahead },
      'a JWT of the registry is dated in the future: the clock of the issuing master is ahead; correct it',
    );
  }
}
