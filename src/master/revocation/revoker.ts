// Pushes the revocations that the registry asks for, until every server confirms.
import { setTimeout as delay } from 'node:timers/promises';
import { ZesterError } from '../../errors.js';
import type { JoinToken } from '../../protocol/records/join-token.js';
import { keyOf, type PeelRecord } from '../../protocol/records/record.js';
import type { AccountClaims } from '../../jwt/claims.js';
import { revokeUpTo } from '../../jwt/revoke-up-to.js';
import { withOpenHome } from '../../account/change-account.js';
import type { PushReport } from '../../account/push-account.js';
import { revokeKeys, type RevokedKeys } from '../../account/revoke-keys.js';
import type { SystemConnectionOptions } from '../../system-account/system-connection.js';
import { withoutRevocations } from '../../jwt/revocations.js';
import { noteRestored } from '../trust/account-guard.js';
import type { MasterContext } from '../context.js';
import { errorMessage } from '../../text/error-message.js';
import { REVOCATION_GATHER_MS, REVOCATION_RETRY_MS, REVOCATION_RETRY_POLL_MS } from '../../timing.js';

/** Seconds after the last JWT of a key expired at which its revocation is of no more use. */
const USELESS_AFTER = 600;

/**
 * Makes it so on every server that keys are revoked which the registry says are to be: at most one push at a time, by the
 * master that has the lease. What a dying master leaves undone is in the registry, and the next one continues.
 */
export class Revoker {
  readonly #context: MasterContext;
  readonly #at: SystemConnectionOptions;
  /** Of peels, by public key: whose, and since when it is to be revoked. */
  readonly #wanted = new Map<string, { peelId: string; upTo: number; since: number }>();
  /** For refused connections without a record: the time that their revocation covers. */
  readonly #strangers = new Map<string, number>();
  /** Of join tokens that were taken back, by public key. */
  readonly #tokens = new Map<string, { tokenId: string; upTo: number }>();
  readonly #stopListening: (() => void)[];
  #active = false;
  #running: Promise<void> | undefined;
  #told: string | undefined;

  /** @param at how to reach the servers as a user of the system account */
  constructor(context: MasterContext, at: SystemConnectionOptions) {
    this.#context = context;
    this.#at = at;
    this.#stopListening = [
      context.registry.onChange((record) => {
        if (!this.#active) return;
        this.#want(record);
        this.#wake();
      }),
      context.tokens.onChange((_id, token) => {
        if (!this.#active || token === undefined) return;
        this.#wantToken(token);
        this.#wake();
      }),
    ];
  }

  /** This master has the lease: it goes through all records, and does what is to be done. */
  start(): void {
    this.#active = true;
    for (const record of this.#context.registry.records()) this.#want(record);
    for (const [, token] of this.#context.tokens.entries()) this.#wantToken(token);
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

  /** Revokes the key of a connection that is to be cut, and of which there is no record. @param upTo seconds */
  revokeStranger(publicKey: string, upTo: number): void {
    this.#strangers.set(publicKey, Math.max(upTo, this.#strangers.get(publicKey) ?? 0));
    this.#wake();
  }

  #want(record: PeelRecord): void {
    for (const { publicKey, state, revokedUpTo = 0 } of record.keys) {
      if (state === 'revoking') {
        const since = this.#wanted.get(publicKey)?.since ?? performance.now();
        this.#wanted.set(publicKey, { peelId: record.id, upTo: revokedUpTo, since });
      } else {
        this.#wanted.delete(publicKey);
      }
    }
  }

  #wantToken({ id, publicKey, createdAt, expiresAt, removedAt, revokedAt }: JoinToken): void {
    const nowMs = this.#context.now();
    if (removedAt === undefined || revokedAt !== undefined || Date.parse(expiresAt) <= nowMs) {
      this.#tokens.delete(publicKey);
      return;
    }
    const issuedAt = Math.floor(Date.parse(createdAt) / 1000);
    const upTo = revokeUpTo(Math.floor(nowMs / 1000), { issuedAt: [issuedAt], complete: true });
    this.#tokens.set(publicKey, { tokenId: id, upTo: this.#tokens.get(publicKey)?.upTo ?? upTo });
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
    await delay(REVOCATION_GATHER_MS);
    while (this.#active && this.#hasWork) {
      if (!(await this.#turn())) await this.#pause();
    }
  }

  async #pause(): Promise<void> {
    for (let waited = 0; waited < REVOCATION_RETRY_MS && this.#active; waited += REVOCATION_RETRY_POLL_MS)
      await delay(REVOCATION_RETRY_POLL_MS);
  }

  /** @returns whether every server confirmed */
  async #turn(): Promise<boolean> {
    const { trust, logger, now } = this.#context;
    const peels = new Map(this.#wanted);
    const strangers = new Map(this.#strangers);
    const keys = new Map([...peels].map(([key, { upTo }]) => [key, upTo]));
    const tokens = new Map(this.#tokens);
    const others = [...strangers, ...[...tokens].map(([key, { upTo }]) => [key, upTo] as const)];
    for (const [key, upTo] of others) keys.set(key, Math.max(upTo, keys.get(key) ?? 0));
    let revoked: RevokedKeys;
    try {
      const options = { ...this.#at, now };
      revoked = await withOpenHome(trust.domain.home, 'zester master', options, (open) =>
        revokeKeys(open, keys, { now, also: (claims) => this.#pruned(claims, keys) }),
      );
    } catch (error) {
      this.#failed(
        error,
        [...peels.values()].map(({ peelId }) => peelId),
      );
      return false;
    }
    void trust.reload();
    const { report, inForce, left, restored } = revoked;
    noteRestored(this.#context, restored);
    const done = new Map([...peels].filter(([key]) => inForce && !left.has(key)));
    for (const [key, upTo] of strangers) {
      // those that are cut everywhere that can be reached need not be pushed again: a server that comes back asks the others
      const isCut = inForce || (report !== undefined && report.failed.length === 0);
      if (isCut && !left.has(key) && this.#strangers.get(key) === upTo) this.#strangers.delete(key);
    }
    if (done.size > 0 || inForce) {
      logger.info({ keys: keys.size - left.size, servers: report?.confirmed }, 'revoked on every server');
    }
    await this.#confirm(done);
    for (const [key, { tokenId }] of tokens)
      if (inForce && !left.has(key)) await this.#confirmToken(key, tokenId);
    if (inForce && left.size === 0) {
      this.#told = undefined;
      return true;
    }
    this.#incomplete(report, peels);
    return false;
  }

  /** Without those that are of no more use. */
  #pruned(claims: AccountClaims, keys: ReadonlyMap<string, number>): AccountClaims {
    const useless = this.#useless(claims.nats.revocations ?? {});
    for (const key of keys.keys()) useless.delete(key);
    return useless.size === 0 ? claims : withoutRevocations(claims, (key) => useless.has(key));
  }

  /** Of keys whose every JWT has expired: without this the account JWT would grow with each rotation, for ever. */
  #useless(revocations: Readonly<Record<string, number>>): Set<string> {
    const { registry, tokens, now } = this.#context;
    const before = now() / 1000 - USELESS_AFTER;
    const expiredTokens = new Set(
      [...tokens.entries()]
        .filter(([, { expiresAt }]) => Date.parse(expiresAt) / 1000 < before)
        .map(([, { publicKey }]) => publicKey),
    );
    const useless = Object.keys(revocations).filter((publicKey) => {
      const record = registry.get(registry.ownerOf(publicKey) ?? '');
      const key = record === undefined ? undefined : keyOf(record, publicKey);
      const isOver = key?.state === 'revoked' && key.expiresAt !== undefined && key.expiresAt < before;
      return isOver || expiredTokens.has(publicKey);
    });
    return new Set(useless);
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
      logger.error({ token: tokenId, error: errorMessage(error) }, 'revoked, but not yet recorded');
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
            this.#context.logger.error({ peelId, error: String(error) }, 'revoked, but not yet recorded'),
          ),
      ),
    );
  }

  /** The same is said once, not each time it is tried again. */
  #tell(
    kind: 'revocation.incomplete' | 'revocation.failed',
    code: string,
    reason: string,
    peelIds: readonly string[],
  ) {
    const key = `${code} ${reason} ${peelIds.join()}`;
    if (this.#told === key) return;
    this.#told = key;
    const { audit, actor } = this.#context;
    const ids = [...new Set(peelIds)];
    if (ids.length === 0) audit.note({ kind, by: actor, code, reason });
    for (const peelId of ids.slice(0, 20)) audit.note({ kind, by: actor, peelId, code, reason });
  }

  #failed(error: unknown, peelIds: readonly string[]): void {
    const code = error instanceof ZesterError ? error.code : 'ERR_FLEET_INTERNAL';
    const reason = errorMessage(error);
    this.#tell('revocation.failed', code, reason, peelIds);
    this.#context.logger.error({ code, reason }, 'keys cannot be revoked; retrying');
  }

  #incomplete(report: PushReport | undefined, peels: ReadonlyMap<string, { peelId: string }>): void {
    const failed = (report?.failed ?? []).map(({ server, problem }) => `${server} (${problem})`);
    const missing = [...(report?.notReached ?? []), ...failed];
    const reason = `not confirmed by ${missing.join(', ') || 'every server'}`;
    this.#tell(
      'revocation.incomplete',
      'ERR_FLEET_UNCONFIRMED',
      reason,
      [...peels.values()].map(({ peelId }) => peelId),
    );
  }
}
