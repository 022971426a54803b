// Sends requests to masters, and verifies their answers.
import { errors, nuid, type MsgHdrs, type NatsConnection } from '@nats-io/nats-core';
import { orAborted } from '../async/or-aborted.js';
import { withDeadline } from '../async/deadline.js';
import { FleetError } from '../errors.js';
import { encodeJson, parseAnswer, type AnswerOf, type RequestName, type RequestOf } from './messages.js';
import { anything, bag, checkOptions } from '../options/check-options.js';
import { documentHoldsSeed } from '../nkeys/redacted-json.js';
import { isNoResponders, permissionViolationOf } from './request-errors.js';
import type { MessageSigner } from './signed.js';
import { signRequest } from './signed-request.js';
import { ADMIN_VERBS, type AddedRole } from '../permissions/admin-roles.js';
import { adminSubject, type AdminVerb } from '../permissions/names.js';
import { Reconnects } from './reconnects.js';
import { ASK_CONFIRMED_TIMEOUT_MS, ASK_PART_TIMEOUT_MS, ASK_TIMEOUT_MS, RESEND_AT_MS } from '../timing.js';

/**
 * Whether a request may be sent twice: the second one changes nothing more. A rotation without a key or a time might
 * replace the new key again.
 */
function isIdempotent(name: AdminVerb, request: object): boolean {
  if (name === 'peel.rotate') return 'publicKey' in request || 'since' in request;
  return name !== 'master.resume';
}

const CONFIRMED: ReadonlySet<RequestName> = new Set(['peel.revoke', 'peel.reject', 'token.remove']);

/** A new id for a request. */
export function newRequestId(): string {
  return nuid.next();
}

/** What the signature of an answer is bound to: the request's name, and its ID or (without one) its subject. */
export function answerContext(name: RequestName, requestIdOrSubject: string): string {
  return `answer ${name} ${requestIdOrSubject}`;
}

/** The requests whose answers are streamed in several messages. */
export type StreamedVerb = 'peel.list' | 'audit' | 'presence.watch';

/** Stands for a part that was lost when the connection was interrupted. */
const LOST: unique symbol = Symbol('lost');

/** A raw answer: the bytes, and the headers that sign them. */
export interface RawAnswer {
  data: Uint8Array;
  headers?: MsgHdrs | undefined;
}

/**
 * Sends a request and waits for its single answer.
 *
 * @param timeoutMs milliseconds
 * @throws FleetError `ERR_FLEET_NO_MASTER` when there are no responders, `ERR_FLEET_TIMEOUT`
 */
export async function requestMaster(
  nc: NatsConnection,
  subject: string,
  data: Uint8Array,
  { timeoutMs = ASK_TIMEOUT_MS, headers }: { timeoutMs?: number; headers?: MsgHdrs } = {},
): Promise<RawAnswer> {
  try {
    return await nc.request(subject, data, { timeout: timeoutMs, ...(headers && { headers }) });
  } catch (cause) {
    throw masterRequestError(nc, cause, timeoutMs);
  }
}

/** The error to report for a failed request to a master. */
export function masterRequestError(nc: NatsConnection, cause: unknown, timeoutMs: number): unknown {
  if (isNoResponders(cause)) {
    return new FleetError(
      'ERR_FLEET_NO_MASTER',
      `no master is connected to ${nc.getServer() || 'the servers'}: start one ("zester master", or "zester up")`,
      { cause },
    );
  }
  if (cause instanceof errors.TimeoutError) {
    return new FleetError('ERR_FLEET_TIMEOUT', `no master answered within ${timeoutMs / 1000} s: try again`, {
      cause,
    });
  }
  const denied = permissionViolationOf(cause);
  if (denied !== undefined) {
    return new FleetError(
      'ERR_FLEET_DENIED',
      `these credentials are not authorized for this request (${denied.operation} "${denied.subject}"): pass an admin's with --creds`,
      { cause },
    );
  }
  return cause;
}

/** Refuses a seed before it is sent: by the time a master could refuse it, others may have read it. */
function encodeRequest(request: object): Uint8Array {
  if (documentHoldsSeed(request)) {
    throw new FleetError(
      'ERR_FLEET_REQUEST',
      'a seed was given where an id, a pattern or a reason belongs, and was not sent: treat the seed as exposed',
    );
  }
  return encodeJson(request);
}

function unfinished(parts: number, firstMs: number): FleetError {
  return new FleetError(
    'ERR_FLEET_TIMEOUT',
    parts === 0
      ? `no master answered within ${firstMs / 1000} s: try again`
      : 'the master stopped in the middle of its answer: try again',
  );
}

/** The parts after an interruption do not follow those before it. */
function interrupted(): FleetError {
  return new FleetError(
    'ERR_FLEET_TIMEOUT',
    "the connection was interrupted in the middle of the master's answer: try again",
  );
}

const ADMIN_CLIENT = bag({ timeoutMs: anything, asRole: anything });
const ASK = bag({ timeoutMs: anything, signal: anything });
const STREAM = bag({ signal: anything });
const optionsError = (message: string) => new FleetError('ERR_FLEET_REQUEST', message);

/**
 * Sends requests to masters as an admin. Each request is signed, so that the audit log names the admin. Prefer
 * `connectFleet`; this is for requests that it has no method for.
 *
 * @example
 * import { connectMaster, loadCredsFile } from 'zester';
 * import { AdminClient, MessageSigner } from 'zester/master';
 *
 * const nc = await connectMaster({ servers: process.env.NATS_URL, credentials: 'admin.creds' });
 * const signer = new MessageSigner(await loadCredsFile('admin.creds'));
 * const client = new AdminClient(nc, signer);
 * const { policy, lifetime } = await client.ask('status', {});
 * console.log(policy, lifetime);
 * for await (const { peels } of client.stream('peel.list', { pattern: 'web-*' }))
 *   console.log(peels.length);
 * signer.wipe();
 * await nc.close();
 */
export class AdminClient {
  readonly #nc: NatsConnection;
  readonly #signer: () => MessageSigner;
  readonly #timeoutMs: number;
  readonly #asRole: AddedRole | undefined;
  readonly #reconnects: Reconnects;

  /**
   * @param signer the admin's signer, or a function that returns it: credentials may be replaced while connected
   * @param options.asRole masters apply the rules of this role to each request, if the admin's own role is higher: for a
   *   program that serves several people. Masters before this version ignore it
   */
  constructor(
    nc: NatsConnection,
    signer: MessageSigner | (() => MessageSigner),
    options: { timeoutMs?: number | undefined; asRole?: AddedRole | undefined } = {},
  ) {
    checkOptions('AdminClient', options, ADMIN_CLIENT, optionsError);
    this.#nc = nc;
    this.#reconnects = new Reconnects(nc);
    this.#signer = typeof signer === 'function' ? signer : () => signer;
    this.#timeoutMs = options.timeoutMs ?? ASK_TIMEOUT_MS;
    this.#asRole = options.asRole;
  }

  /** @internal The same admin, with at most this role. */
  actingAs(asRole: AddedRole): AdminClient {
    return new AdminClient(this.#nc, this.#signer, { timeoutMs: this.#timeoutMs, asRole });
  }

  #signed(name: AdminVerb, request: object): { subject: string; data: Uint8Array; headers: MsgHdrs } {
    const asRole = ADMIN_VERBS[name].writes ? this.#asRole : undefined;
    const data = encodeRequest(asRole === undefined ? request : { ...request, asRole });
    const signer = this.#signer();
    const subject = adminSubject(name, signer.claims.name);
    return { subject, data, headers: signRequest(signer, subject, data) };
  }

  /**
   * Sends a request, and returns the answer. Sends it again if there is none after some seconds, and after an
   * interruption of the connection, unless a second one might change more than the first.
   *
   * @param name the request, such as `status` or `peel.show`
   * @param request its fields
   * @param options.timeoutMs timeout for the answer, in milliseconds
   * @param options.signal stops waiting for the answer; the master may still carry out the request
   * @throws FleetError `ERR_FLEET_NO_MASTER`, `ERR_FLEET_TIMEOUT`, and the master's refusal
   */
  async ask<N extends Exclude<AdminVerb, StreamedVerb>>(
    name: N,
    request: RequestOf<N>,
    options: { timeoutMs?: number | undefined; signal?: AbortSignal | undefined } = {},
  ): Promise<AnswerOf<N>> {
    checkOptions('AdminClient.ask', options, ASK, optionsError);
    options.signal?.throwIfAborted();
    const usual = CONFIRMED.has(name) ? Math.max(ASK_CONFIRMED_TIMEOUT_MS, this.#timeoutMs) : this.#timeoutMs;
    const timeoutMs = options.timeoutMs ?? usual;
    const send = async () => {
      // each attempt has its own signature: masters refuse a repeated nonce
      const { subject, data, headers } = this.#signed(name, request);
      return requestMaster(this.#nc, subject, data, { timeoutMs, headers });
    };
    const reply = isIdempotent(name, request) ? this.#withResend(send, options.signal) : send();
    const answer = await orAborted(reply, options.signal);
    return parseAnswer(name, answer.data);
  }

  /** The first answer. A failure of the first attempt counts, since it waits longest; one of another does not. */
  async #withResend(send: () => Promise<RawAnswer>, signal: AbortSignal | undefined): Promise<RawAnswer> {
    const { reconnected, stop } = this.#reconnects.next();
    let isOver = false;
    let timers: NodeJS.Timeout[] = [];
    const again = new Promise<RawAnswer>((resolve) => {
      const resend = () => {
        if (isOver || signal?.aborted === true) return;
        void send().then(resolve, () => undefined);
      };
      timers = RESEND_AT_MS.map((ms) => setTimeout(resend, ms).unref());
      void reconnected.then(resend);
    });
    try {
      return await Promise.race([send(), again]);
    } finally {
      isOver = true;
      for (const timer of timers) clearTimeout(timer);
      stop();
    }
  }

  /**
   * Sends a request whose answer is streamed in several messages, and yields them as they arrive.
   *
   * @throws as {@link ask}
   */
  async *stream<N extends StreamedVerb>(
    name: N,
    request: RequestOf<N>,
    options: { signal?: AbortSignal | undefined } = {},
  ): AsyncIterableIterator<AnswerOf<N>> {
    checkOptions('AdminClient.stream', options, STREAM, optionsError);
    options.signal?.throwIfAborted();
    const maxWait = Math.max(ASK_PART_TIMEOUT_MS, this.#timeoutMs);
    // masters answer from memory at once; only reading the audit stream may be slow
    const firstMs = name === 'audit' ? maxWait : this.#timeoutMs;
    const firstDeadline = Date.now() + firstMs;
    let count = 0;
    for (;;) {
      const { reconnected, stop } = this.#reconnects.next();
      const lost = reconnected.then((): typeof LOST => LOST);
      try {
        const { subject, data, headers } = this.#signed(name, request);
        const parts = await this.#nc.requestMany(subject, data, { strategy: 'sentinel', maxWait, headers });
        const iterator = parts[Symbol.asyncIterator]();
        for (let deadline = firstDeadline; ; deadline = Date.now() + maxWait) {
          const next = withDeadline(Promise.race([iterator.next(), lost]), deadline);
          const part = await orAborted(next, options.signal);
          if (part === LOST && count === 0) break;
          if (part === LOST) throw interrupted();
          if (part === undefined || part.done === true) throw unfinished(count, firstMs);
          if (part.value.data.length === 0) return;
          yield parseAnswer(name, part.value.data);
          count += 1;
        }
      } catch (cause) {
        if (options.signal?.aborted === true) throw options.signal.reason;
        throw masterRequestError(this.#nc, cause, this.#timeoutMs);
      } finally {
        stop();
      }
    }
  }
}
