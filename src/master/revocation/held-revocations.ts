// Carries out the breaker's decisions: holds and releases revocations.
import { withDeadline } from '../../async/deadline.js';
import { changeBreaker, clearBreaker, readBreaker, type StoredBreaker } from './breaker-store.js';
import type { MasterContext } from '../context.js';
import type { Refusal } from '../watch/admission.js';
import type { Verdict } from '../watch/judge.js';
import { breakerStep, CLOSED, type BreakerEvent, type BreakerState } from './breaker.js';
import type { UserConnection } from '../watch/system-events.js';
import { errorMessage } from '../../text/error-message.js';
import {
  BREAKER_READ_TIMEOUT_MS,
  BREAKER_WRITE_INTERVAL_MS,
  HELD_GATHER_MS,
  HELD_INTERVAL_MS,
} from '../../timing.js';

interface Held {
  peelId: string;
  connection: UserConnection;
  verdict: Refusal;
  at: number;
}

/** The dependencies of {@link HeldRevocations} on its master. */
export interface HeldContext extends Pick<MasterContext, 'actor' | 'logger' | 'breaker' | 'now'> {
  store: Pick<MasterContext['store'], 'challenges'>;
  registry: Pick<MasterContext['registry'], 'get' | 'records'>;
  audit: Pick<MasterContext['audit'], 'note'>;
  metrics: Pick<MasterContext['metrics'], 'heldRevocations'>;
}

/** What {@link HeldRevocations} needs of the gatekeeper. */
export interface HeldActions {
  /** Judges the key's connection again; undefined: it is not connected at the moment. */
  judge(connection: UserConnection): Verdict | undefined;
  /** Whether connections are being judged at the moment. */
  isJudging(): boolean;
  /** Revokes the key, and cuts the connection. */
  revoke(connection: UserConnection, verdict: Refusal): void;
}

/** The peels whose live keys this master would revoke by itself, held until the breaker allows it. */
export class HeldRevocations {
  readonly #context: HeldContext;
  readonly #actions: HeldActions;
  readonly #held = new Map<string, Held>();
  #state: BreakerState = CLOSED;
  #since = '';
  #writtenAt = 0;
  #checkedAt = 0;
  #advancing: Promise<void> | undefined;
  #stopped = false;

  constructor(context: HeldContext, actions: HeldActions) {
    this.#context = context;
    this.#actions = actions;
  }

  /** Reads whether the previous master held revocations. */
  async open(): Promise<void> {
    const stored = await readBreaker(this.#context.store);
    if (stored?.open !== true) return;
    this.#state = { open: true, revoked: [] };
    this.#since = stored.since;
    this.#context.metrics.heldRevocations.set(stored.held);
  }

  /** @param publicKey a live key in the registry */
  hold(publicKey: string, peelId: string, connection: UserConnection, verdict: Refusal): void {
    const at = this.#held.get(publicKey)?.at ?? performance.now();
    this.#held.set(publicKey, { peelId, connection, verdict, at });
  }

  /** Acts if necessary. Call it often. */
  async advance(): Promise<void> {
    if (this.#stopped || this.#advancing !== undefined) return;
    if (!this.#state.open && this.#held.size === 0) return;
    this.#advancing = this.#advance();
    await this.#advancing;
    this.#advancing = undefined;
  }

  /** Stops for good: another master takes over. Waits for an {@link advance} under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#advancing;
  }

  async #advance(): Promise<void> {
    try {
      if (this.#state.open) await this.#whileOpen();
      else this.#whileClosed();
    } catch (error) {
      this.#context.logger.warn(
        { error: errorMessage(error) },
        'revocations are held, and JetStream does not answer; retrying',
      );
    }
  }

  #whileClosed(): void {
    // a map keeps the order of insertion
    const [oldest] = this.#held.values();
    if (oldest === undefined || performance.now() - oldest.at < HELD_GATHER_MS) return;
    this.#judgeAgain();
    if (this.#held.size === 0) return;
    const peelIds = [...this.#held.values()].map(({ peelId }) => peelId);
    const event = { kind: 'revoking', peelIds, healthy: this.#healthy(), at: performance.now() } as const;
    if (this.#step(event) === 'revoke') this.#revokeAll();
    else this.#reportOpened();
  }

  async #whileOpen(): Promise<void> {
    const now = performance.now();
    if (now - this.#checkedAt < HELD_INTERVAL_MS) return;
    this.#checkedAt = now;
    const { store, audit, actor, logger } = this.#context;
    const stored = await withDeadline(readBreaker(store), Date.now() + BREAKER_READ_TIMEOUT_MS);
    if (this.#stopped) return;
    if (this.#isResumed(stored)) {
      this.#step({ kind: 'resumed' });
      this.#revokeAll();
      this.#context.metrics.heldRevocations.set(0);
      await clearBreaker(store);
      return;
    }
    this.#judgeAgain();
    if (this.#held.size === 0 && this.#settled) {
      // the store first: if it does not answer, the breaker stays open, and the next call closes it
      await clearBreaker(store);
      this.#step({ kind: 'cause-gone' });
      this.#context.metrics.heldRevocations.set(0);
      audit.note({ kind: 'revocations.resumed', by: actor, reason: 'the cause is gone' });
      return;
    }
    this.#context.metrics.heldRevocations.set(this.#held.size);
    if (
      stored === undefined ||
      now - this.#writtenAt > BREAKER_WRITE_INTERVAL_MS ||
      stored.held !== this.#held.size
    ) {
      const open = { open: true, since: this.#since, held: this.#held.size };
      // an admin may have resumed since it was read: the next call carries that out
      await changeBreaker(
        store,
        (current) => (this.#isResumed(current) ? undefined : open),
        () => this.#stopped,
      );
      this.#writtenAt = now;
      logger.error({ peels: this.#held.size }, HELD);
    }
  }

  #isResumed(stored: StoredBreaker | undefined): boolean {
    return stored?.open === false && stored.since === this.#since;
  }

  /** After a takeover, the held peels are known only once all connections have been judged. */
  #checks = 0;
  get #settled(): boolean {
    this.#checks += 1;
    return this.#checks > 2 && !this.#actions.isJudging();
  }

  #judgeAgain(): void {
    const { registry } = this.#context;
    for (const [publicKey, held] of [...this.#held]) {
      const verdict = this.#actions.judge(held.connection);
      if (verdict === undefined) continue;
      if (verdict.is !== 'refused') {
        this.#held.delete(publicKey);
        continue;
      }
      held.verdict = verdict;
      const key = registry.get(held.peelId)?.keys.find((one) => one.publicKey === publicKey);
      if (key?.state === 'live') continue;
      // an admin has revoked the key meanwhile: not a fault
      this.#held.delete(publicKey);
      this.#actions.revoke(held.connection, verdict);
    }
  }

  #revokeAll(): void {
    for (const { connection, verdict } of this.#held.values()) this.#actions.revoke(connection, verdict);
    this.#held.clear();
  }

  #step(event: BreakerEvent): 'revoke' | 'hold' {
    const { state, act } = breakerStep(this.#state, event, this.#context.breaker);
    this.#state = state;
    return act;
  }

  #reportOpened(): void {
    const { logger, audit, actor, metrics } = this.#context;
    this.#since = new Date(this.#context.now()).toISOString();
    // this master judged all held peels itself
    this.#checks = Infinity;
    this.#checkedAt = 0;
    const [first] = this.#held.values();
    const reason = first?.verdict.reason;
    const code = first?.verdict.code;
    const peels = this.#held.size;
    metrics.heldRevocations.set(peels);
    logger.error({ peels, code, reason }, HELD);
    audit.note({
      kind: 'revocations.held',
      by: actor,
      ...(code !== undefined && { code }),
      ...(reason !== undefined && { reason }),
      detail: { peels },
    });
  }

  #healthy(): number {
    let count = 0;
    for (const { state, keys } of this.#context.registry.records()) {
      if (state === 'active' && keys.some((key) => key.state === 'live')) count += 1;
    }
    return count;
  }
}

const HELD =
  'too many healthy peels would be revoked: no peel is revoked and no connection is cut until the cause is gone, ' +
  'or "zester master resume" revokes them';
