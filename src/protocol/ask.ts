// Sends requests to masters, and verifies their answers.
import { errors, nuid, type MsgHdrs, type NatsConnection } from '@nats-io/nats-core';
import { orAborted } from '../async/or-aborted.js';
import { withDeadline } from '../async/deadline.js';
import { FleetError, holdsSeed } from '../errors.js';
import { encodeJson, parseAnswer, type AnswerOf, type RequestName, type RequestOf } from './messages.js';
import { anything, bag, checkOptions } from '../options/check-options.js';
import { isNobody, violationIn } from './request-errors.js';
import type { MessageSigner } from './signed.js';
import { signRequest } from './signed-request.js';
import { adminSubject, type AdminVerb } from '../permissions/names.js';
import { ASK_CONFIRMED_TIMEOUT_MS, ASK_PART_TIMEOUT_MS, ASK_TIMEOUT_MS } from '../timing.js';

const CONFIRMED: ReadonlySet<RequestName> = new Set(['peel.revoke', 'peel.reject', 'token.remove']);

/** A new id for a request. */
export function newRequestId(): string {
  return nuid.next();
}

/** What signs an answer is bound to: the request's name and its id, or its subject where it has none. */
export function answerContext(name: RequestName, requestIdOrSubject: string): string {
  return `answer ${name} ${requestIdOrSubject}`;
}

/** The requests that are answered in several messages. */
export type StreamedVerb = 'peel.list' | 'audit' | 'presence.watch';

/** A raw answer: the bytes, and the headers that sign them. */
export interface RawAnswer {
  data: Uint8Array;
  headers?: MsgHdrs | undefined;
}

/**
 * Sends a request and waits for the one answer.
 *
 * @param timeoutMs milliseconds
 * @throws FleetError `ERR_FLEET_NO_MASTER` when there are no responders, `ERR_FLEET_TIMEOUT`
 */
export async function askRaw(
  nc: NatsConnection,
  subject: string,
  data: Uint8Array,
  { timeoutMs = ASK_TIMEOUT_MS, headers }: { timeoutMs?: number; headers?: MsgHdrs } = {},
): Promise<RawAnswer> {
  try {
    return await nc.request(subject, data, { timeout: timeoutMs, ...(headers && { headers }) });
  } catch (cause) {
    throw askError(nc, cause, timeoutMs);
  }
}

/** What went wrong while asking a master, in words. */
export function askError(nc: NatsConnection, cause: unknown, timeoutMs: number): unknown {
  if (isNobody(cause)) {
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
  const denied = violationIn(cause);
  if (denied !== undefined) {
    return new FleetError(
      'ERR_FLEET_DENIED',
      `these credentials are not authorized for this request (${denied.operation} "${denied.subject}"): pass an admin's with --creds`,
      { cause },
    );
  }
  return cause;
}

/** Refused here, before it is on the wire: a master can only refuse what others may have read already. */
function encodeRequest(request: object): Uint8Array {
  if (holdsSeed(JSON.stringify(request))) {
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

const ADMIN_CLIENT = bag({ timeoutMs: anything });
const ASK = bag({ timeoutMs: anything, signal: anything });
const STREAM = bag({ signal: anything });
const optionsError = (message: string) => new FleetError('ERR_FLEET_REQUEST', message);

/**
 * Sends requests to masters as an admin. Each request is signed, so that the audit log names the admin. `connectFleet` is easier to
 * use; this is for requests that it has no method for.
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

  /** @param signer the admin's, or what gives it: credentials may be replaced while the connection stays */
  constructor(
    nc: NatsConnection,
    signer: MessageSigner | (() => MessageSigner),
    options: { timeoutMs?: number | undefined } = {},
  ) {
    checkOptions('AdminClient', options, ADMIN_CLIENT, optionsError);
    this.#nc = nc;
    this.#signer = typeof signer === 'function' ? signer : () => signer;
    this.#timeoutMs = options.timeoutMs ?? ASK_TIMEOUT_MS;
  }

  #signed(name: AdminVerb, request: object): { subject: string; data: Uint8Array; headers: MsgHdrs } {
    const data = encodeRequest(request);
    const signer = this.#signer();
    const subject = adminSubject(name, signer.claims.name);
    return { subject, data, headers: signRequest(signer, subject, data) };
  }

  /**
   * Sends a request, and returns the answer.
   *
   * @param name the request, such as `status` or `peel.show`
   * @param request what it says
   * @param options.timeoutMs how long to wait for the answer, in milliseconds
   * @param options.signal stops waiting for the answer; what was asked for may still be done
   * @throws FleetError `ERR_FLEET_NO_MASTER`, `ERR_FLEET_TIMEOUT`, and what the master refuses with
   */
  async ask<N extends Exclude<AdminVerb, StreamedVerb>>(
    name: N,
    request: RequestOf<N>,
    options: { timeoutMs?: number | undefined; signal?: AbortSignal | undefined } = {},
  ): Promise<AnswerOf<N>> {
    checkOptions('AdminClient.ask', options, ASK, optionsError);
    options.signal?.throwIfAborted();
    const { subject, data, headers } = this.#signed(name, request);
    const usual = CONFIRMED.has(name) ? Math.max(ASK_CONFIRMED_TIMEOUT_MS, this.#timeoutMs) : this.#timeoutMs;
    const timeoutMs = options.timeoutMs ?? usual;
    const asked = askRaw(this.#nc, subject, data, { timeoutMs, headers });
    const answer = await orAborted(asked, options.signal);
    return parseAnswer(name, answer.data);
  }

  /**
   * Sends a request whose answer comes in several messages, and gives them as they arrive.
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
    const { subject, data, headers } = this.#signed(name, request);
    const maxWait = Math.max(ASK_PART_TIMEOUT_MS, this.#timeoutMs);
    try {
      const parts = await this.#nc.requestMany(subject, data, {
        strategy: 'sentinel',
        maxWait,
        headers,
      });
      // what masters have in memory comes at once; the audit is read from its stream, which may take its time
      const firstMs = name === 'audit' ? maxWait : this.#timeoutMs;
      let deadline = Date.now() + firstMs;
      const iterator = parts[Symbol.asyncIterator]();
      for (let count = 0; ; count += 1) {
        const part = await orAborted(withDeadline(iterator.next(), deadline), options.signal);
        if (part === undefined || part.done === true) throw unfinished(count, firstMs);
        if (part.value.data.length === 0) break;
        yield parseAnswer(name, part.value.data);
        deadline = Date.now() + maxWait;
      }
    } catch (cause) {
      if (options.signal?.aborted === true) throw options.signal.reason;
      throw askError(this.#nc, cause, this.#timeoutMs);
    }
  }
}
