// Tells of what the retention of the audit log deletes, before and after.
import { judgeRetention } from '../../account/judge-retention.js';
import { AUDIT_STREAM } from '../../permissions/names.js';
import { errorMessage } from '../../text/error-message.js';
import { AUDIT_NOTICE_INTERVAL_MS, AUDIT_RETENTION_INTERVAL_MS } from '../../timing.js';
import type { MasterContext } from '../context.js';

/**
 * Looks once an hour at the first event of the audit log, in the master that watches: warns in its log before events are
 * deleted, and audits that they were.
 */
export class RetentionWatch {
  readonly #context: MasterContext;
  readonly #timer: NodeJS.Timeout;
  /** The sequence of the first event at the last look; undefined: this master has not looked while it watched. */
  #first: number | undefined;
  #warnedAt = -Infinity;
  #looking: Promise<void> = Promise.resolve();

  constructor(context: MasterContext) {
    this.#context = context;
    this.#timer = setInterval(() => void this.look(), AUDIT_RETENTION_INTERVAL_MS).unref();
    void this.look();
  }

  /** Looks now. One look at a time; later calls wait for theirs. */
  look(): Promise<void> {
    this.#looking = this.#looking.then(() => this.#look());
    return this.#looking;
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
  }

  async #look(): Promise<void> {
    const { id, watching, store, audit, actor, logger, now } = this.#context;
    if (watching() !== id) {
      this.#first = undefined;
      return;
    }
    try {
      const held = await store.jsm.streams.info(AUDIT_STREAM);
      const { first_seq: first } = held.state;
      const { soon, oldest = '' } = judgeRetention(held, now());
      const gone = this.#first === undefined ? 0 : first - this.#first;
      this.#first = first;
      if (gone > 0) audit.note({ kind: 'audit.trimmed', by: actor, detail: { events: gone, oldest } });
      if (soon === undefined || performance.now() - this.#warnedAt < AUDIT_NOTICE_INTERVAL_MS) return;
      this.#warnedAt = performance.now();
      logger.warn(
        { oldest, by: soon },
        'the audit log will delete its oldest events soon: export them ("zester audit --all --json"), or raise the limit ("zester audit retention")',
      );
    } catch (error) {
      logger.debug({ error: errorMessage(error) }, 'the retention of the audit log cannot be read; retrying');
    }
  }
}
