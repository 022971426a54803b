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
interface Outlook {
  /** When the next renewal is due. All times are milliseconds since 1970; `Infinity`: never. */
  due: number;
  /** The first expiry. */
  expires: number;
  /** The time after which a renewal is long overdue. */
  late: number;
}

/**
 * Renews the master's own credentials when they are due: writes the files, and the connections switch to them. One
 * check at a time, at most once an hour unless a renewal is due or failed.
 */
export class CredsKeeper {
  readonly #context: MasterContext;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void>;
  readonly #ignore: () => void;
  #stopped = false;

  constructor(context: MasterContext) {
    this.#context = context;
    this.#looking = this.#look();
    // after "zester keys add master-signing", credentials expire that did not before
    this.#ignore = context.trust.onChange(() => {
      clearTimeout(this.#timer);
      this.#looking = this.#looking.then(() => this.#look());
    });
  }

  /** Resolves when a renewal in progress has ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#ignore();
    clearTimeout(this.#timer);
    await this.#looking;
  }

  async #look(): Promise<void> {
    if (this.#stopped) return;
    const { trust, logger, metrics, now } = this.#context;
    // the admin's too: programs on this host use it, and may run for longer than its lifetime. By itself: a master needs the others
    const isRenewed = await this.#renew(['master', 'answers', 'system']);
    const isAdminRenewed = await this.#renew(['admin']);
    const retryMs = isRenewed ? OWN_CREDENTIALS_INTERVAL_MS : OWN_CREDENTIALS_RETRY_MS;
    try {
      const { due, expires, late } = await this.#outlook(isAdminRenewed);
      metrics.ownCredentialsExpiry.set(expires === Infinity ? Infinity : expires / 1000);
      metrics.homeExpiry.reset();
      for (const [of, at] of await homeExpiries(trust.domain)) metrics.homeExpiry.set({ of }, at / 1000);
      if (late <= now())
        logger.error(
          { expires: isoTime(expires / 1000) },
          'the own credentials expire soon and are not renewed: see "zester doctor"',
        );
      // after a failure, several attempts in the remaining time
      const untilDue = due <= now() ? Math.min(retryMs, (expires - now()) / 10) : due - now();
      this.#next(Math.min(OWN_CREDENTIALS_INTERVAL_MS, untilDue));
    } catch (error) {
      logger.warn({ reason: errorMessage(error) }, 'the own credentials cannot be read; retrying');
      this.#next(OWN_CREDENTIALS_RETRY_MS);
    }
  }

  /** @returns false: it failed, and the log says why */
  async #renew(users: readonly OwnUser[]): Promise<boolean> {
    const { trust, audit, actor, logger, now } = this.#context;
    const { home, masterName } = trust.domain;
    try {
      for (const { user, path, publicKey, expiresAt } of await renewOwnCreds(home, { users, now })) {
        const expires = isoTime(expiresAt / 1000);
        logger.info({ path, expires }, 'renewed the own credentials');
        audit.note({
          kind: 'master.renewed',
          by: actor,
          publicKey,
          detail: { master: masterName, user, expires },
        });
      }
      return true;
    } catch (error) {
      logger.warn({ reason: errorMessage(error) }, 'the own credentials cannot be renewed; retrying');
      return false;
    }
  }

  #next(ms: number): void {
    if (this.#stopped) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      () => {
        this.#looking = this.#looking.then(() => this.#look());
      },
      Math.max(OWN_CREDENTIALS_MIN_WAIT_MS, ms),
    ).unref();
  }

  /** @param withAdmin false: the admin's cannot be renewed here, and are tried again with the next check */
  async #outlook(withAdmin: boolean): Promise<Outlook> {
    const { paths } = this.#context.trust.domain;
    const outlook: Outlook = { due: Infinity, expires: Infinity, late: Infinity };
    const own = [paths.masterCreds, paths.masterAnswersCreds, paths.systemCreds];
    for (const path of withAdmin ? [...own, paths.adminCreds] : own) {
      if (!(await pathExists(path))) continue;
      const creds = await loadCredsFile(path);
      creds.wipe();
      outlook.due = Math.min(outlook.due, renewalTime(creds.claims));
      // a master does not need an admin to run
      if (path === paths.adminCreds) continue;
      outlook.expires = Math.min(outlook.expires, expiryTime(creds.claims) ?? Infinity);
      outlook.late = Math.min(outlook.late, overdueTime(creds.claims));
    }
    return outlook;
  }
}
