// Keeps the account JWTs of home and servers in agreement.
import type { Subscription } from '@nats-io/nats-core';
import type { ZesterConnection } from '../../connection/connect.js';
import { Coalescer } from '../../async/coalesce.js';
import { compareAccount, followAccount } from '../../account/follow-account.js';
import { listServers } from '../../system-account/servers.js';
import type { SystemConnectionOptions } from '../../system-account/system-connection.js';
import { isNone, describeLosses, type AccountLosses } from '../../trust/account-jwt/merge-account.js';
import type { AuditLog } from '../audit/audit-log.js';
import type { MasterContext } from '../context.js';
import { errorMessage } from '../../text/error-message.js';
import { ACCOUNT_COMPARE_INTERVAL_MS, ACCOUNT_SETTLE_MS } from '../../timing.js';

/**
 * The subjects that account JWTs are pushed to. Source: nats-server, events.go (`accClaimsReqSubj`,
 * `accUpdateEventSubjNew`, `…Old`).
 */
const pushSubjects = (account: string) => [
  '$SYS.REQ.CLAIMS.UPDATE',
  `$SYS.REQ.ACCOUNT.${account}.CLAIMS.UPDATE`,
  `$SYS.ACCOUNT.${account}.CLAIMS.UPDATE`,
];

/**
 * Keeps the account JWT of a master's home in sync with the servers': merges changes of other homes and masters, and
 * restores and audits revocations and signing keys that another tool lost. The watching master restores at once; others
 * only if it did not.
 */
export class AccountGuard {
  readonly #context: MasterContext;
  readonly #system: ZesterConnection;
  readonly #pushOptions: SystemConnectionOptions;
  readonly #subscriptions: Subscription[] = [];
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #comparing = new Coalescer(() => this.#compare());
  /** The consecutive checks that found a loss. */
  #lossChecks = 0;
  #loggedReason: string | undefined;
  #stopped = false;

  /** @param pushOptions how to connect for a change of the account */
  constructor(context: MasterContext, system: ZesterConnection, pushOptions: SystemConnectionOptions) {
    this.#context = context;
    this.#system = system;
    this.#pushOptions = pushOptions;
  }

  start(): void {
    for (const subject of pushSubjects(this.#context.trust.domain.publicKeys.account)) {
      this.#subscriptions.push(this.#system.subscribe(subject, { callback: () => this.#compareSoon() }));
    }
    const timer = setInterval(() => void this.#comparing.run(), ACCOUNT_COMPARE_INTERVAL_MS);
    timer.unref();
    this.#timers.push(timer);
    void this.#comparing.run();
  }

  /** Resolves when a change of the home in progress has ended: nothing writes to the home afterwards. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#waiting);
    for (const timer of this.#timers) clearInterval(timer);
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
    await this.#comparing.idle();
  }

  /** Debounced: several pushes lead to one check. */
  #waiting: NodeJS.Timeout | undefined;
  #compareSoon(): void {
    if (this.#waiting !== undefined || this.#stopped) return;
    this.#waiting = setTimeout(() => {
      this.#waiting = undefined;
      if (!this.#stopped) void this.#comparing.run();
    }, ACCOUNT_SETTLE_MS);
    this.#waiting.unref();
  }

  async #compare(): Promise<void> {
    const { trust, now, id, watching } = this.#context;
    if (this.#stopped) return;
    try {
      await trust.reload();
      const up = await listServers(this.#system);
      const { newest, isBehind, lost } = await compareAccount({ nc: this.#system, up }, trust.domain);
      this.#lossChecks = isNone(lost) ? 0 : this.#lossChecks + 1;
      if (this.#stopped || (!isBehind && this.#lossChecks === 0)) return;
      const restore = watching() === id || this.#lossChecks > 2;
      const seen = isNone(lost) ? newest.jwt : undefined;
      const options = { ...this.#pushOptions, now, restore, seen };
      const restored = await followAccount(trust.domain.home, options);
      await trust.reload();
      noteRestored(this.#context, restored);
      this.#loggedReason = undefined;
    } catch (error) {
      if (this.#stopped || this.#loggedReason === errorMessage(error)) return;
      this.#loggedReason = errorMessage(error);
      this.#context.logger.warn(
        { reason: this.#loggedReason },
        "cannot sync the home's account JWT with the servers'; retrying",
      );
    }
  }
}

/** Audits losses of the account JWT that were restored. */
export function noteRestored(
  { audit, actor, logger }: Pick<MasterContext, 'actor' | 'logger'> & { audit: Pick<AuditLog, 'note'> },
  restored: AccountLosses,
): void {
  if (isNone(restored)) return;
  const lost = describeLosses(restored);
  const reason = `the account JWT on the servers had lost the ${lost.join(', the ')}`.slice(0, 1_000);
  audit.note({
    kind: 'account.restored',
    by: actor,
    reason,
    detail: {
      revocations: restored.revocations.length,
      signingKeys: restored.signingKeys.length,
      returned: restored.returned.length,
      templates: restored.templates.length,
    },
  });
  logger.error(
    { lost },
    'another tool pushed an older state of the account: its losses were restored on every server',
  );
}
