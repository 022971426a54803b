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
  #looking: Promise<void> = Promise.resolve();

  constructor(context: MasterContext) {
    this.#context = context;
    this.#timer = setInterval(() => void this.look(), AUDIT_RETENTION_INTERVAL_MS).unref();
    void this.look();
  }

  /** Checks now. Checks run one at a time; later calls wait their turn. */
  look(): Promise<void> {
    this.#looking = this.#looking.then(() => this.#look());
    return this.#looking;
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
  }

  async #look(): Promise<void> {
    const { id, watching, store, audit, actor, logger, metrics, now } = this.#context;
    if (watching() !== id) {
      this.#first = undefined;
      return;
    }
    try {
      const held = await store.jsm.streams.info(AUDIT_STREAM);
      const { first_seq: first } = held.state;
      const { soon, oldest = '' } = judgeRetention(held, now());
      const reported = this.#first ?? (await this.#reported(held.created, first));
      const gone = first - reported;
      this.#first = first;
      if (gone > 0) metrics.trimmedEvents.inc(gone);
      if (gone > 0) audit.note({ kind: 'audit.trimmed', by: actor, detail: { events: gone, first, oldest } });
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

  /** The position up to which any master reported deletions: the previous watching master may have been killed. */
  async #reported(created: string, first: number): Promise<number> {
    const last = await this.#context.store.jsm.streams.getMessage(AUDIT_STREAM, {
      last_by_subj: auditSubject(undefined, 'audit.trimmed'),
    });
    return reportedFirst(last === null ? undefined : parseJson(last.string()), { created, first });
  }
}
