// Reports deletions by the audit log's retention, before and after they happen.
import { judgeRetention } from '../../account/judge-retention.js';
import { AUDIT_STREAM, auditSubject } from '../../permissions/names.js';
import { parseJson } from '../../protocol/messages.js';
import { errorMessage } from '../../text/error-message.js';
import { AUDIT_NOTICE_INTERVAL_MS, AUDIT_RETENTION_INTERVAL_MS } from '../../timing.js';
import type { MasterContext } from '../context.js';
import { reportedFirst } from './reported-first.js';

/**
 * Checks the first event of the audit log once an hour, on the watching master: logs a warning before events are
 * deleted, and audits their deletion.
 */
export class RetentionWatch {
  readonly #context: MasterContext;
  readonly #timer: NodeJS.Timeout;
  /**
   * The sequence of the first event at the last check; undefined: read from the audit log which deletions were
   * reported.
   */
  #first: number | undefined;
  #warnedAt = -Infinity;
  #checking: Promise<void> = Promise.resolve();

  constructor(context: MasterContext) {
    this.#context = context;
    this.#timer = setInterval(() => void this.check(), AUDIT_RETENTION_INTERVAL_MS).unref();
    void this.check();
  }

  /** Checks now. Checks run one at a time; later calls wait their turn. */
  check(): Promise<void> {
    this.#checking = this.#checking.then(() => this.#check());
    return this.#checking;
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#checking;
  }

  async #check(): Promise<void> {
    const { id, watching, store, audit, actor, logger, metrics, now } = this.#context;
    if (watching() !== id) {
      this.#first = undefined;
      return;
    }
    try {
      const info = await store.jsm.streams.info(AUDIT_STREAM);
      const { first_seq: first } = info.state;
      const { soon, oldest = '' } = judgeRetention(info, now());
      const reported = this.#first ?? (await this.#reported(info.created, first));
      const deleted = first - reported;
      this.#first = first;
      if (deleted > 0) metrics.trimmedEvents.inc(deleted);
      if (deleted > 0)
        audit.note({ kind: 'audit.trimmed', by: actor, detail: { events: deleted, first, oldest } });
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

  /** The sequence up to which any master has reported deletions: the previous watching master may have been killed. */
  async #reported(created: string, first: number): Promise<number> {
    const last = await this.#context.store.jsm.streams.getMessage(AUDIT_STREAM, {
      last_by_subj: auditSubject(undefined, 'audit.trimmed'),
    });
    return reportedFirst(last === null ? undefined : parseJson(last.string()), { created, first });
  }
}
