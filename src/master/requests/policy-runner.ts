// Calls the acceptance policy of a master, and tolerates any failure of a policy function.
import { orAborted } from '../../async/or-aborted.js';
import { errorMessage } from '../../text/error-message.js';
import { excerpt } from '../../text/excerpt.js';
import {
  CUSTOM_POLICY,
  decisionOf,
  isPolicyDecision,
  type AcceptancePolicy,
  type JoinRequest,
  type PolicyDecision,
  type PolicyFunction,
} from './policy.js';

/** The options of a {@link PolicyRunner}. */
export interface PolicyRunnerOptions {
  policy: AcceptancePolicy | PolicyFunction;
  /** Time limit of a policy function. */
  timeoutMs: number;
  /** Called when a policy function returned no decision. */
  onFailure: (request: JoinRequest, reason: string) => void;
  onStop: () => void;
}

/** Characters shown of a policy function's error or result. */
const MAX_SHOWN = 200;

/**
 * The only place that calls a policy. If a policy function throws, rejects, times out or returns no decision, the
 * peel stays pending: nothing is granted, an admin can still decide, and a bug refuses no host permanently.
 */
export class PolicyRunner {
  /** Its name in the audit log. */
  readonly name: string;
  readonly #options: PolicyRunnerOptions;
  /** Calls in progress, by ID and key: a repeated request shares the call. */
  readonly #pending = new Map<string, Promise<PolicyDecision>>();
  readonly #stopping = new AbortController();

  constructor(options: PolicyRunnerOptions) {
    this.#options = options;
    this.name = typeof options.policy === 'function' ? CUSTOM_POLICY : options.policy;
  }

  /** Whether it is one of the named policies, which decide at once. */
  get isNamed(): boolean {
    return typeof this.#options.policy !== 'function';
  }

  /** The decision; never rejects. Takes at most `timeoutMs`. */
  async ask(request: JoinRequest): Promise<PolicyDecision> {
    const { policy } = this.#options;
    if (typeof policy !== 'function') return decisionOf(policy, request);
    const key = `${request.peelId} ${request.publicKey}`;
    const pending =
      this.#pending.get(key) ?? this.#call(policy, request).finally(() => this.#pending.delete(key));
    this.#pending.set(key, pending);
    return pending;
  }

  /** Stops waiting for calls in progress: their peels stay pending. */
  stop(): void {
    if (this.#stopping.signal.aborted) return;
    this.#stopping.abort(new Error('the master stops'));
    this.#options.onStop();
  }

  async #call(policy: PolicyFunction, request: JoinRequest): Promise<PolicyDecision> {
    const { timeoutMs } = this.#options;
    const late = new AbortController();
    const timer = setTimeout(
      () => late.abort(new Error(`did not answer within ${timeoutMs / 1000} s`)),
      timeoutMs,
    );
    const signal = AbortSignal.any([late.signal, this.#stopping.signal]);
    try {
      // async, so that a synchronous throw is a rejection too
      const answer: unknown = await orAborted(
        (async () => policy(Object.freeze({ ...request }), { signal }))(),
        signal,
      );
      if (isPolicyDecision(answer)) return answer;
      this.#reportFailure(request, `returned ${describe(answer)}, not "accept", "reject" or "pending"`);
    } catch (error) {
      if (!this.#stopping.signal.aborted)
        this.#reportFailure(request, signal.aborted ? errorMessage(error) : `threw: ${messageOf(error)}`);
    } finally {
      clearTimeout(timer);
    }
    return 'pending';
  }

  #reportFailure(request: JoinRequest, what: string): void {
    this.#options.onFailure(request, `the policy ${what}`);
  }
}

function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(excerpt(value, MAX_SHOWN));
  if (value === undefined || value === null) return String(value);
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

function messageOf(thrown: unknown): string {
  try {
    return excerpt(errorMessage(thrown), MAX_SHOWN);
  } catch {
    return 'something without a message';
  }
}
