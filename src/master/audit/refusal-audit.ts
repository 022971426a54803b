// Audits refused requests, at a limited rate.
import { RepeatLimit } from '../../async/repeat-limit.js';
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

/** The kinds of refusals per caller and minute that are reported separately; others are counted by code. */
const MAX_KINDS = 20;
/**
 * The unauthenticated caller names per minute that are distinguished. The owner may publish in any admin's name, so it
 * could invent a name for each request.
 */
const MAX_UNPROVEN_CALLERS = 20;
/** The caller in reports about all further names. */
const OTHERS: Actor = { kind: 'unknown', name: 'others' };

/**
 * Audits refused requests: the first of a kind at once, then a count once a minute. So a flood of refused requests
 * cannot fill the audit log, whatever names, peels and keys it invents. Decisions are never counted here.
 */
export class RefusalAudit {
  readonly #proven: RepeatLimit<RefusedRequest>;
  readonly #unproven: RepeatLimit<RefusedRequest>;

  constructor(audit: Pick<AuditLog, 'note'>, windowMs = REFUSAL_AUDIT_WINDOW_MS) {
    const report = ({ request, ...refused }: RefusedRequest, count: number, isOthers: boolean) =>
      audit.note({
        kind: 'request.refused',
        ...refused,
        ...(isOthers && { by: OTHERS }),
        detail: { request, count },
      });
    this.#proven = new RepeatLimit({ windowMs, kinds: MAX_KINDS, report });
    this.#unproven = new RepeatLimit({ windowMs, kinds: MAX_KINDS, sources: MAX_UNPROVEN_CALLERS, report });
  }

  note(refused: RefusedRequest): void {
    const { by, code, request, peelId = '', publicKey = '' } = refused;
    (by.kind === 'unknown' ? this.#unproven : this.#proven).note(refused, {
      source: `${by.kind} ${by.name}`,
      kind: `${code} ${request} ${peelId} ${publicKey}`,
      rest: code,
    });
  }

  /** Reports what was counted but not yet reported. */
  close(): void {
    this.#proven.close();
    this.#unproven.close();
  }
}
