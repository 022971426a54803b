// Audits refused requests, at a limited rate.
import type { Actor } from '../../protocol/records/actor.js';
import type { AuditLog } from './audit-log.js';
import { REFUSAL_AUDIT_WINDOW_MS } from '../../timing.js';

/** A refused request, as the audit log reports it. */
export interface RefusedRequest {
  /** The name of the request, if it has one. */
  request: string;
  by: Actor;
  code: string;
  reason: string;
  peelId?: string | undefined;
  publicKey?: string | undefined;
  from?: string | undefined;
}

interface Counted {
  refused: RefusedRequest;
  /** Refusals since the last report. */
  more: number;
}

/** How many kinds of refusals of one caller are reported separately per minute; the others are counted by code. */
const MAX_APART = 20;

/**
 * Audits refused requests: the first of a kind at once, then a count once a minute. So a flood of refused requests
 * cannot fill the audit log.
 */
export class RefusalAudit {
  readonly #audit: Pick<AuditLog, 'note'>;
  readonly #askers = new Map<string, Map<string, Counted>>();
  readonly #sweeping: NodeJS.Timeout;

  constructor(audit: Pick<AuditLog, 'note'>, windowMs = REFUSAL_AUDIT_WINDOW_MS) {
    this.#audit = audit;
    this.#sweeping = setInterval(() => this.#sweep(), windowMs);
    this.#sweeping.unref();
  }

  note(refused: RefusedRequest): void {
    const { by, code, request, peelId = '', publicKey = '' } = refused;
    const name = `${by.kind} ${by.name}`;
    const kinds = this.#askers.get(name) ?? new Map<string, Counted>();
    this.#askers.set(name, kinds);
    const apart = `${code} ${request} ${peelId} ${publicKey}`;
    const key = kinds.has(apart) || kinds.size < MAX_APART ? apart : `${code} and others`;
    const counted = kinds.get(key);
    if (counted !== undefined) {
      counted.more += 1;
      return;
    }
    kinds.set(key, { refused, more: 0 });
    this.#tell(refused, 1);
  }

  /** Reports what was counted but not yet reported. */
  close(): void {
    clearInterval(this.#sweeping);
    this.#sweep();
  }

  #sweep(): void {
    for (const kinds of this.#askers.values()) {
      for (const { refused, more } of kinds.values()) if (more > 0) this.#tell(refused, more);
    }
    this.#askers.clear();
  }

  #tell({ request, ...refused }: RefusedRequest, count: number): void {
    this.#audit.note({ kind: 'request.refused', ...refused, detail: { request, count } });
  }
}
