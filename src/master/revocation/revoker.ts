// Pushes the revocations of the registry until every server confirms them.
import { sleep } from '../../async/sleep.js';
import { ZesterError } from '../../errors.js';
import type { JoinToken } from '../../protocol/records/join-token.js';
import type { PeelRecord } from '../../protocol/records/record.js';
import type { AccountClaims } from '../../jwt/claims.js';
import type { PushRevocations } from './push-revocations.js';
import type { PushReport } from '../../account/push-account.js';
import { withoutRevocations } from '../../jwt/revocations.js';
import { keysToPush, revokedBy, tokenRevocation, obsoleteRevocations } from './revocation-plan.js';
import { noteRestored } from '../trust/account-guard.js';
import type { Actor } from '../../protocol/records/actor.js';
import type { AuditLog } from '../audit/audit-log.js';
import type { RecoveryPolicy } from '../requests/judge-recovery.js';
import { longestRecovery } from '../trust/recovery-credential.js';
import type { MasterLogger } from '../logger.js';
import type { Registry } from '../registry/registry.js';
import type { KvMirror } from '../store/kv-mirror.js';
import { errorMessage } from '../../text/error-message.js';
import {
  REVOCATION_FIRST_RETRY_MS,
  REVOCATION_GATHER_MS,
  REVOCATION_RETRY_MS,
  REVOCATION_RETRY_POLL_MS,
} from '../../timing.js';

/** The dependencies of a {@link Revoker}. */
export interface RevokerContext {
  registry: Pick<Registry, 'records' | 'get' | 'ownerOf' | 'decide' | 'onChange'>;
  tokens: Pick<KvMirror<JoinToken>, 'entries' | 'change' | 'onChange'>;
  audit: Pick<AuditLog, 'note'>;
  actor: Actor;
  recovery: Pick<RecoveryPolicy, 'window'>;
  logger: MasterLogger;
  metrics: { revocationSeconds: { observe(seconds: number): void } };
  now: () => number;
}

/**
 * Pushes the revocations of the registry until every server has confirmed them: one push at a time, on the master that
 * holds the lease. If it is killed, the next master continues from the registry.
 */
export class Revoker {
  readonly #context: RevokerContext;
  readonly #push: PushRevocations;
  /** Keys of peels, and when this master learned of them. */
  readonly #wanted = new Map<string, { peelId: string; upTo: number; since: number }>();
  /** For refused connections without a record: the time that their revocation covers. */
  readonly #strangers = new Map<string, number>();
  /** Removed join tokens, by public key. */
  readonly #tokens = new Map<string, { tokenId: string; upTo: number }>();
  readonly #stopListening: (() => void)[];
  #active = false;
  #running: Promise<void> | undefined;
  #audited: string | undefined;

  constructor(context: RevokerContext, push: PushRevocations) {
    this.#context = context;
    this.#push = push;
    this.#stopListening = [
      context.registry.onChange((record) => {
        if (!this.#active) return;
        this.#track(record);
        this.#wake();
      }),
      context.tokens.onChange((_id, token) => {
        if (!this.#active || token === undefined) return;
        this.#trackToken(token);
        this.#wake();
      }),
    ];
  }

  /** Starts revoking: this master has the lease. */
  start(): void {
    this.#active = true;
    for (const record of this.#context.registry.records()) this.#track(record);
    for (const [, token] of this.#context.tokens.entries()) this.#trackToken(token);
    this.#wake();
  }

  async stop(): Promise<void> {
    this.#active = false;
    await this.#running;
    this.#wanted.clear();
    this.#strangers.clear();
    this.#tokens.clear();
  }

  async close(): Promise<void> {
    for (const stop of this.#stopListening) stop();
    await this.stop();
  }

  /** Revokes the key of a refused connection that has no record. @param upTo seconds since 1970 */
  revokeStranger(publicKey: string, upTo: number): void {
    this.#strangers.set(publicKey, Math.max(upTo, this.#strangers.get(publicKey) ?? 0));
    this.#wake();
  }

  #track(record: PeelRecord): void {
    for (const { publicKey, state, revokedUpTo = 0 } of record.keys) {
      if (state === 'revoking') {
        const since = this.#wanted.get(publicKey)?.since ?? performance.now();
        this.#wanted.set(publicKey, { peelId: record.id, upTo: revokedUpTo, since });
      } else {
        this.#wanted.delete(publicKey);
      }
    }
  }

  #trackToken(token: JoinToken): void {
    const { id: tokenId, publicKey } = token;
    const upTo = tokenRevocation(token, this.#context.now());
    if (upTo === undefined) this.#tokens.delete(publicKey);
    else this.#tokens.set(publicKey, { tokenId, upTo: this.#tokens.get(publicKey)?.upTo ?? upTo });
  }

  get #hasWork(): boolean {
    return this.#wanted.size + this.#strangers.size + this.#tokens.size > 0;
  }

  #wake(): void {
    if (this.#running !== undefined || !this.#active) return;
    this.#running = this.#run().finally(() => {
      this.#running = undefined;
      if (this.#hasWork) this.#wake();
    });
  }

  async #run(): Promise<void> {
    await sleep(REVOCATION_GATHER_MS);
    for (let pause = REVOCATION_FIRST_RETRY_MS; this.#active && this.#hasWork;) {
      if (await this.#pushOnce()) {
        pause = REVOCATION_FIRST_RETRY_MS;
      } else {
        await this.#pause(pause);
        pause = Math.min(2 * pause, REVOCATION_RETRY_MS);
      }
    }
  }

  async #pause(ms: number): Promise<void> {
    for (let waited = 0; waited < ms && this.#active; waited += REVOCATION_RETRY_POLL_MS)
      await sleep(REVOCATION_RETRY_POLL_MS);
  }

  /** @returns whether every server confirmed */
  async #pushOnce(): Promise<boolean> {
    const work = {
      peels: new Map(this.#wanted),
      strangers: new Map(this.#strangers),
      tokens: new Map(this.#tokens),
    };
    const peelIds = [...work.peels.values()].map(({ peelId }) => peelId);
    const keys = keysToPush(work);
    const startedAt = performance.now();
    let pushed: Awaited<ReturnType<PushRevocations>>;
    try {
      pushed = await this.#push(keys, (claims) => this.#pruned(claims, keys));
    } catch (error) {
      this.#reportFailure(error, peelIds);
      return false;
    }
    const { report, inForce, left, restored } = pushed;
    this.#context.logger.debug(
      {
        keys: keys.size,
        left: left.size,
        inForce,
        ...report,
        tookMs: Math.round(performance.now() - startedAt),
      },
      'pushed revocations',
    );
    noteRestored(this.#context, restored);
    const inForceWhereReached = inForce || (report !== undefined && report.failed.length === 0);
    const done = revokedBy(work, { inForce, inForceWhereReached, left });
    for (const key of done.strangers)
      // unless a later time was requested meanwhile
      if (this.#strangers.get(key) === work.strangers.get(key)) this.#strangers.delete(key);
    if (done.peels.length > 0 || inForce) {
      const fields = { keys: keys.size - left.size, servers: report?.confirmed };
      this.#context.logger.info(fields, 'revoked on every server');
    }
    await this.#confirm(new Map([...work.peels].filter(([key]) => done.peels.includes(key))));
    for (const key of done.tokens) await this.#confirmToken(key, work.tokens.get(key)?.tokenId ?? '');
    if (done.isComplete) {
      this.#audited = undefined;
      return true;
    }
    this.#reportIncomplete(report, peelIds);
    return false;
  }

  /** Removes revocations that are no longer needed from the claims. */
  #pruned(claims: AccountClaims, keys: ReadonlyMap<string, number>): AccountClaims {
    const { registry, tokens, recovery, now } = this.#context;
    const obsolete = obsoleteRevocations(claims.nats.revocations ?? {}, {
      recordOf: (publicKey) => registry.get(registry.ownerOf(publicKey) ?? ''),
      tokens: [...tokens.entries()].map(([, token]) => token),
      recoveryOutlives: longestRecovery(recovery.window),
      nowSeconds: now() / 1000,
    });
    for (const key of keys.keys()) obsolete.delete(key);
    return obsolete.size === 0 ? claims : withoutRevocations(claims, (key) => obsolete.has(key));
  }

  async #confirmToken(publicKey: string, tokenId: string): Promise<void> {
    const { tokens, now, logger } = this.#context;
    try {
      await tokens.change(tokenId, (token) =>
        token?.removedAt === undefined || token.revokedAt !== undefined
          ? undefined
          : { ...token, revokedAt: new Date(now()).toISOString() },
      );
      this.#tokens.delete(publicKey);
    } catch (error) {
      logger.error({ token: tokenId, error: errorMessage(error) }, 'revoked, but cannot record it yet');
    }
  }

  async #confirm(peels: ReadonlyMap<string, { peelId: string; since: number }>): Promise<void> {
    const { registry, actor, metrics } = this.#context;
    const byPeel = new Map<string, string[]>();
    for (const [key, { peelId, since }] of peels) {
      byPeel.set(peelId, [...(byPeel.get(peelId) ?? []), key]);
      metrics.revocationSeconds.observe((performance.now() - since) / 1000);
    }
    await Promise.all(
      [...byPeel].map(([peelId, publicKeys]) =>
        registry
          .decide(peelId, (record) => {
            const open = publicKeys.filter((key) =>
              record?.keys.some(({ publicKey, state }) => publicKey === key && state === 'revoking'),
            );
            if (open.length === 0) return undefined;
            return { change: { kind: 'key.revoked', publicKeys: open }, by: actor };
          })
          .then(() => {
            for (const key of publicKeys) this.#wanted.delete(key);
          })
          .catch((error: unknown) =>
            this.#context.logger.error({ peelId, error: String(error) }, 'revoked, but cannot record it yet'),
          ),
      ),
    );
  }

  /** Audits a failure once, not at each retry. */
  #auditOnce(
    kind: 'revocation.incomplete' | 'revocation.failed',
    code: string,
    reason: string,
    peelIds: readonly string[],
  ) {
    const key = `${code} ${reason} ${peelIds.join()}`;
    if (this.#audited === key) return;
    this.#audited = key;
    const { audit, actor } = this.#context;
    const ids = [...new Set(peelIds)];
    if (ids.length === 0) audit.note({ kind, by: actor, code, reason });
    for (const peelId of ids.slice(0, 20)) audit.note({ kind, by: actor, peelId, code, reason });
  }

  #reportFailure(error: unknown, peelIds: readonly string[]): void {
    const code = error instanceof ZesterError ? error.code : 'ERR_FLEET_INTERNAL';
    const reason = errorMessage(error);
    this.#auditOnce('revocation.failed', code, reason, peelIds);
    this.#context.logger.error({ code, reason }, 'cannot revoke keys; retrying');
  }

  #reportIncomplete(report: PushReport | undefined, peelIds: readonly string[]): void {
    const failed = (report?.failed ?? []).map(({ server, problem }) => `${server} (${problem})`);
    const missing = [...(report?.notReached ?? []), ...failed];
    const reason = `not confirmed by ${missing.join(', ') || 'every server'}`;
    this.#auditOnce('revocation.incomplete', 'ERR_FLEET_UNCONFIRMED', reason, peelIds);
  }
}
