// Renews a master's own credentials while it runs, and warns when they are about to expire.
import { errorMessage } from '../../text/error-message.js';
import {
  OWN_CREDENTIALS_INTERVAL_MS,
  OWN_CREDENTIALS_MIN_WAIT_MS,
  OWN_CREDENTIALS_RETRY_MS,
} from '../../timing.js';
import { loadCredsFile } from '../../creds/parse.js';
import { expiryTime } from '../../jwt/expiry.js';
import { isoTime } from '../../jwt/time.js';
import { overdueTime, renewalTime } from '../../trust/judge-expiry.js';
import { homeExpiries } from '../../trust/home-expiries.js';
import { renewOwnCreds, type OwnUser } from '../../trust/own-creds.js';
import { pathExists } from '../../trust/private-files.js';
import type { MasterContext } from '../context.js';

/** The expiries of the credentials of a home that a {@link CredsKeeper} renews. */
interface Expiries {
  /** When the next renewal is due. All times are milliseconds since 1970; `Infinity`: never. */
  due: number;
  /** The first expiry. */
  expires: number;
  /** The time from which a renewal is overdue. */
  late: number;
}

/**
 * Renews the master's own credentials when they are due: writes the files, and the connections switch to them. One
 * check at a time, at most once an hour unless a renewal is due or failed.
 */
export class CredsKeeper {
  readonly #context: MasterContext;
  #timer: NodeJS.Timeout | undefined;
  #checking: Promise<void>;
  readonly #unsubscribe: () => void;
  #stopped = false;

  constructor(context: MasterContext) {
    this.#context = context;
    this.#checking = this.#check();
    // after "zester keys add master-signing", the credentials expire for the first time
    this.#unsubscribe = context.trust.onChange(() => {
      clearTimeout(this.#timer);
      this.#checking = this.#checking.then(() => this.#check());
    });
  }

  /** Resolves when a renewal in progress has ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#unsubscribe();
    clearTimeout(this.#timer);
    await this.#checking;
  }

  async #check(): Promise<void> {
    if (this.#stopped) return;
    const { trust, logger, metrics, now } = this.#context;
    // the admin's too: programs on this host may use it for longer than its lifetime. Separately, since a master does
    // not need it
    const isRenewed = await this.#renew(['master', 'answers', 'system']);
    const isAdminRenewed = await this.#renew(['admin']);
    const retryMs = isRenewed ? OWN_CREDENTIALS_INTERVAL_MS : OWN_CREDENTIALS_RETRY_MS;
    try {
      const { due, expires, late } = await this.#expiries(isAdminRenewed);
      metrics.ownCredentialsExpiry.set(expires === Infinity ? Infinity : expires / 1000);
      metrics.homeExpiry.reset();
      for (const [of, at] of await homeExpiries(trust.domain)) metrics.homeExpiry.set({ of }, at / 1000);
      if (late <= now())
        logger.error(
          { expires: isoTime(expires / 1000) },
          `the master's own credentials expire soon, but are not being renewed: see "zester doctor"`,
        );
      // after a failure, several attempts in the remaining time
      const untilDue = due <= now() ? Math.min(retryMs, (expires - now()) / 10) : due - now();
      this.#schedule(Math.min(OWN_CREDENTIALS_INTERVAL_MS, untilDue));
    } catch (error) {
      logger.warn({ reason: errorMessage(error) }, "cannot read the master's own credentials; retrying");
      this.#schedule(OWN_CREDENTIALS_RETRY_MS);
    }
  }

  /** @returns false if it failed; the reason is logged */
  async #renew(users: readonly OwnUser[]): Promise<boolean> {
    const { trust, audit, actor, logger, now } = this.#context;
    const { home, masterName } = trust.domain;
    try {
      for (const { user, path, publicKey, expiresAt } of await renewOwnCreds(home, { users, now })) {
        const expires = isoTime(expiresAt / 1000);
        logger.info({ path, expires }, "renewed the master's own credentials");
        audit.note({
          kind: 'master.renewed',
          by: actor,
          publicKey,
          detail: { master: masterName, user, expires },
        });
      }
      return true;
    } catch (error) {
      logger.warn({ reason: errorMessage(error) }, "cannot renew the master's own credentials; retrying");
      return false;
    }
  }

  #schedule(ms: number): void {
    if (this.#stopped) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      () => {
        this.#checking = this.#checking.then(() => this.#check());
      },
      Math.max(OWN_CREDENTIALS_MIN_WAIT_MS, ms),
    ).unref();
  }

  /** @param withAdmin false if the renewal of the admin's credentials failed, which the next check retries */
  async #expiries(withAdmin: boolean): Promise<Expiries> {
    const { paths } = this.#context.trust.domain;
    const expiries: Expiries = { due: Infinity, expires: Infinity, late: Infinity };
    const own = [paths.masterCreds, paths.masterAnswersCreds, paths.systemCreds];
    for (const path of withAdmin ? [...own, paths.adminCreds] : own) {
      if (!pathExists(path)) continue;
      const creds = await loadCredsFile(path);
      creds.wipe();
      expiries.due = Math.min(expiries.due, renewalTime(creds.claims));
      // a master does not need an admin to run
      if (path === paths.adminCreds) continue;
      expiries.expires = Math.min(expiries.expires, expiryTime(creds.claims) ?? Infinity);
      expiries.late = Math.min(expiries.late, overdueTime(creds.claims));
    }
    return expiries;
  }
}
