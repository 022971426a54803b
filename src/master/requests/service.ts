// Receives, checks, rate-limits and answers requests.
import type { Msg, MsgHdrs, NatsConnection, Subscription } from '@nats-io/nats-core';
import { setImmediate as nextTurn } from 'node:timers/promises';
import * as v from 'valibot';
import { FleetError, redactSeeds, ZesterError } from '../../errors.js';
import type { Actor } from '../../protocol/records/actor.js';
import { answerBelow } from '../../protocol/answer.js';
import { answerContext } from '../../protocol/admin-client.js';
import {
  encodeJson,
  MAX_REQUEST_BYTES,
  parseJson,
  parseRequest,
  refusalOf,
  requestIdSchema,
  tooLarge,
  type AnswerOf,
  type RequestName,
  type RequestOf,
} from '../../protocol/messages.js';
import { judgeReply } from '../../protocol/reply-subject.js';
import { callerOf, MASTER_QUEUE } from '../../permissions/names.js';
import { UNKNOWN_ACTOR } from './admin/authenticate.js';
import type { MasterContext } from '../context.js';
import type { Endpoint } from './discovery.js';
import { FairQueue, type CallerLimits, type FairQueueOptions } from './fair-queue.js';
import { sizeOf } from './message-size.js';
import { RateLimit, type RateOptions } from './rate-limit.js';
import type { RefusalAudit } from '../audit/refusal-audit.js';
import { storeFailureOf } from '../store/store-failure.js';
import { errorMessage } from '../../text/error-message.js';
import { excerpt } from '../../text/excerpt.js';
import { REQUEST_STALE_MS, STORE_FAILURE_LOG_INTERVAL_MS } from '../../timing.js';

/** A parsed request and its caller, as handlers get it. */
export interface Call<N extends RequestName> {
  request: RequestOf<N>;
  /** The subject token that names the caller: the server lets only the caller publish there. */
  caller: string;
  by: Actor;
  /** The address of the caller, if known. */
  from: string | undefined;
}

/** An answer that is already serialized. */
export class EncodedAnswer {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** Answers with one message, or with several followed by an empty one. */
export type Handler<N extends RequestName> = (
  call: Call<N>,
) => Promise<AnswerOf<N>> | AsyncIterable<EncodedAnswer>;

export type Handlers<N extends RequestName> = { readonly [K in N]: Handler<K> };

/** A request as received, before it is parsed. */
export interface Incoming {
  msg: Msg;
  caller: string;
  /** undefined: there is no such request. */
  name: RequestName | undefined;
  /** The verb: the last tokens of the subject. */
  verb: string;
}

/** The requests that a service answers, and its callers. */
export interface ServiceOptions<N extends RequestName> {
  /** The connection for requests and answers: its user may publish to inboxes only. */
  nc: Pick<NatsConnection, 'subscribe' | 'publish' | 'flush'>;
  /** The prefixes of the caller's own inboxes: answers go only there. None: never answer. */
  inboxes: (caller: string) => readonly string[];
  /** The subscribed subject, such as `zester.auth.>`. */
  subject: string;
  /** The subject of each request, for service discovery. */
  subjects: Readonly<Record<N, string>>;
  handlers: Handlers<N>;
  /** Reads caller and verb from a subject; by default `zester.<service>.<caller>.<verb>`. */
  route?: (subject: string) => { caller: string; verb: string };
  /** Authenticates the caller. @throws FleetError if it is not authorized */
  authenticate: (incoming: Incoming) => Actor | Promise<Actor>;
  /** The caller as the handler gets it; by default as authenticated. @throws FleetError if the request exceeds its rights */
  actor?: (by: Actor, name: N, request: RequestOf<N>) => Actor;
  /** The presumed caller for the audit log, if `authenticate` did not identify it. */
  claimed?: (caller: string) => Actor;
  from?: (caller: string) => string | undefined;
  /** Whether this master signs its answers. */
  signed: boolean;
  rate?: RateOptions;
  queue: FairQueueOptions;
  /** The lane of a request. Each lane of a caller has its own rate and limits. By default there is one, with the limits of `queue`. */
  lane?: (name: N | undefined) => Lane;
  /** Called for each request above its caller's rate, refused or dropped. @param bytes of its payload */
  onExcess?: (caller: string, bytes: number) => void;
  /** Called when the service stops: ends streaming answers. */
  onStop?: () => void;
  /** Whether a refusal with this code is audited. A reply subject that does not belong to the caller always is. */
  audited: (code: string) => boolean;
  /** The peel that a request of this caller concerns, if it does not name one. */
  peelId?: (caller: string) => string | undefined;
}

/** Requests of one caller that share a rate and a queue; they do not delay its requests in other lanes. */
export interface Lane extends CallerLimits {
  name: string;
  /** The number of requests that it counts as against the rate. */
  cost: number;
}

/** The dependencies of a service. */
export type ServiceContext = Pick<MasterContext, 'logger' | 'metrics' | 'signer'>;

/** Parts of an answer to send between two flushes of the connection. */
const PARTS_AT_ONCE = 8;

/** Answers requests, each once. No request makes it throw, and callers get only the public part of an error. */
export class RequestService<N extends RequestName> {
  readonly endpoints: readonly Endpoint[];
  readonly #context: ServiceContext;
  readonly #options: ServiceOptions<N>;
  readonly #refusals: Pick<RefusalAudit, 'note'>;
  readonly #queue: FairQueue;
  readonly #rate: RateLimit | undefined;
  readonly #byName: ReadonlyMap<string, Endpoint>;
  readonly #subscription: Subscription;
  #storeFailureLoggedAt = -Infinity;

  constructor(context: ServiceContext, options: ServiceOptions<N>, refusals: Pick<RefusalAudit, 'note'>) {
    this.#context = context;
    this.#options = options;
    this.#refusals = refusals;
    this.#queue = new FairQueue(options.queue);
    this.#rate = options.rate && new RateLimit(options.rate);
    const subjects = Object.entries<string>(options.subjects);
    this.#byName = new Map(
      subjects.map(([name, subject]) => [
        name,
        {
          name: name.replaceAll('.', '-'),
          subject,
          queueGroup: MASTER_QUEUE,
          stats: { requests: 0, errors: 0, tookMs: 0 },
        },
      ]),
    );
    this.endpoints = [...this.#byName.values()];
    this.#subscription = options.nc.subscribe(options.subject, {
      queue: MASTER_QUEUE,
      callback: (error, msg) => {
        if (error === null) this.#receive(msg);
      },
    });
  }

  /** Stops accepting requests. Resolves when all accepted ones are answered. */
  async stop(): Promise<void> {
    this.#options.onStop?.();
    await this.#subscription.drain().catch(() => undefined);
    await this.#queue.idle();
  }

  #receive(msg: Msg): void {
    const { caller, verb } = (this.#options.route ?? callerOf)(msg.subject);
    const bytes = sizeOf(msg);
    // before the request is parsed: a flood must cost next to nothing
    const name = this.#byName.has(verb) ? (verb as N) : undefined;
    const lane = this.#options.lane?.(name);
    const key = lane === undefined ? caller : `${caller} ${lane.name}`;
    const verdict = this.#rate?.take(key, lane?.cost) ?? 'pass';
    if (verdict !== 'pass') this.#options.onExcess?.(caller, bytes);
    if (verdict === 'ignore') return this.#context.metrics.ignoredRequests.inc();
    const incoming: Incoming = { msg, caller, verb, name };
    if (this.#refuseReply(incoming)) return;
    if (verdict === 'pass') {
      // before its signature is verified, which takes longer the larger it is
      if (bytes > MAX_REQUEST_BYTES) return this.#refuseSize(incoming, bytes);
      const at = performance.now();
      const limits = { bytes, limits: lane };
      if (this.#queue.add(key, () => this.#answer(incoming, at), limits)) return;
    }
    const refusal = verdict === 'pass' ? (this.#rate?.refuse(key) ?? 'refuse') : verdict;
    if (verdict === 'pass') this.#options.onExcess?.(caller, bytes);
    if (refusal === 'ignore') return this.#context.metrics.ignoredRequests.inc();
    const error = new FleetError('ERR_FLEET_RATE', 'too many concurrent requests: try again later');
    this.#noteRefused(incoming, error, this.#claimed(caller), undefined);
    this.#count(incoming.name, 0, error.code);
    this.#refuse(incoming, error);
  }

  /** Refuses a request whose reply subject is outside the caller's own inboxes: it is an attack. */
  #refuseReply(incoming: Incoming): boolean {
    const { caller, msg, name } = incoming;
    const verdict = judgeReply(msg.reply, this.#options.inboxes(caller));
    if (verdict.is !== 'refused') return false;
    const error = new FleetError('ERR_FLEET_REPLY', `the request is not answered: ${verdict.reason}`);
    this.#noteRefused(incoming, error, this.#claimed(caller), undefined);
    this.#count(name, 0, error.code);
    return true;
  }

  #refuseSize(incoming: Incoming, bytes: number): void {
    const error = tooLarge(excerpt(incoming.verb), bytes);
    this.#noteRefused(incoming, error, this.#claimed(incoming.caller), undefined);
    this.#count(incoming.name, 0, error.code);
    this.#refuse(incoming, error);
  }

  async #answer(incoming: Incoming, receivedAt: number): Promise<void> {
    const { caller, name } = incoming;
    const startedAt = performance.now();
    if (startedAt - receivedAt > REQUEST_STALE_MS) return this.#count(name, 0, 'stale');
    let by: Actor | undefined;
    let request: RequestOf<N> | undefined;
    try {
      by = await this.#options.authenticate(incoming);
      if (name === undefined) {
        throw new FleetError('ERR_FLEET_REQUEST', `unknown request "${excerpt(incoming.verb)}"`);
      }
      request = parseRequest(name as N, incoming.msg.data);
      const handler = this.#options.handlers[name as N];
      const from = this.#options.from?.(caller);
      by = this.#options.actor?.(by, name as N, request) ?? by;
      await this.#respond(incoming, requestIdOf(request), handler({ request, caller, by, from }));
      this.#count(name, performance.now() - startedAt, 'ok');
    } catch (cause) {
      const storeFailure = storeFailureOf(cause);
      if (storeFailure !== undefined) this.#logStoreFailure(storeFailure);
      const error = storeFailure ?? cause;
      this.#noteRefused(incoming, error, by ?? this.#claimed(caller), request);
      this.#refuse(incoming, error);
      const code = error instanceof ZesterError ? error.code : 'ERR_FLEET_INTERNAL';
      this.#count(name, performance.now() - startedAt, code);
    }
  }

  /** Logs a failure of the store once per interval: while it lasts, every request fails with it. */
  #logStoreFailure({ message, cause }: FleetError): void {
    const now = performance.now();
    if (now - this.#storeFailureLoggedAt < STORE_FAILURE_LOG_INTERVAL_MS) return;
    this.#storeFailureLoggedAt = now;
    this.#context.logger.warn(
      { reason: message, ...(cause !== undefined && { cause: errorMessage(cause) }) },
      'a request failed in JetStream',
    );
  }

  async #respond(
    incoming: Incoming,
    requestId: string | undefined,
    answer: Promise<AnswerOf<N>> | AsyncIterable<EncodedAnswer>,
  ): Promise<void> {
    if (!(Symbol.asyncIterator in answer)) return this.#send(incoming, requestId, await answer);
    let parts = 0;
    for await (const part of answer) {
      this.#send(incoming, requestId, part);
      parts += 1;
      // large answers are sent no faster than the connection accepts them, and other callers get their turn meanwhile
      if (parts % PARTS_AT_ONCE === 0) await this.#options.nc.flush();
      else await nextTurn();
    }
    this.#publish(incoming, undefined);
  }

  #refuse(incoming: Incoming, error: unknown): void {
    try {
      const requestId = requestIdIn(incoming.msg.data);
      this.#send(incoming, requestId, refusalOf(error, requestId === undefined ? undefined : { requestId }));
    } catch (failed) {
      this.#context.logger.warn({ reason: errorMessage(failed) }, 'a refusal cannot be sent');
    }
  }

  #send(incoming: Incoming, requestId: string | undefined, answer: object): void {
    const { msg, name } = incoming;
    if (msg.reply === undefined || msg.reply === '') return;
    const data = answer instanceof EncodedAnswer ? Buffer.from(answer.text) : encodeJson(answer);
    if (!this.#options.signed || name === undefined) return this.#publish(incoming, data);
    const isById = requestId !== undefined && name !== 'challenge';
    const context = answerContext(name, isById ? requestId : msg.subject);
    this.#publish(incoming, data, this.#context.signer.sign(context, data));
  }

  /** All answers are sent here. */
  #publish({ msg, caller }: Incoming, data: Uint8Array | undefined, headers?: MsgHdrs): void {
    const { nc, inboxes } = this.#options;
    answerBelow(nc, msg, data, { inboxes: inboxes(caller), ...(headers && { headers }) });
  }

  #claimed(caller: string): Actor {
    return this.#options.claimed?.(caller) ?? UNKNOWN_ACTOR;
  }

  #noteRefused(
    { caller, name, verb, msg }: Incoming,
    error: unknown,
    by: Actor,
    request: RequestOf<N> | undefined,
  ): void {
    const { logger } = this.#context;
    const fields = { request: redactSeeds(verb), caller: redactSeeds(caller) };
    if (!(error instanceof ZesterError)) {
      const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
      logger.error({ ...fields, error: redactSeeds(stack) }, 'a request failed');
      return;
    }
    const { code } = error;
    logger.debug({ ...fields, code, reason: error.message }, 'a request was refused');
    if (code !== 'ERR_FLEET_REPLY' && !this.#options.audited(code)) return;
    const { peelId, publicKey } = (request ?? {}) as { peelId?: string; publicKey?: string };
    this.#refusals.note({
      // an unknown request may have any name
      request: name ?? `(unknown) ${excerpt(msg.subject, 100)}`,
      by,
      code,
      reason: error.message,
      peelId: peelId ?? this.#options.peelId?.(caller),
      publicKey,
      from: this.#options.from?.(caller),
    });
  }

  #count(name: RequestName | undefined, tookMs: number, outcome: string): void {
    const { metrics } = this.#context;
    metrics.requests.inc({ request: name ?? 'unknown', outcome });
    if (name === undefined) return;
    metrics.requestSeconds.observe({ request: name }, tookMs / 1000);
    const stats = this.#byName.get(name)?.stats;
    if (stats === undefined) return;
    stats.requests += 1;
    stats.tookMs += tookMs;
    if (outcome !== 'ok') stats.errors += 1;
  }
}

/** The ID of a valid request, if its kind has one. */
function requestIdOf(request: object): string | undefined {
  return 'requestId' in request && typeof request.requestId === 'string' ? request.requestId : undefined;
}

/** The ID of a request, even of an invalid one: the caller matches the answer by it. */
function requestIdIn(data: Uint8Array): string | undefined {
  if (data.length > 64 * 1024) return undefined;
  const parsed = v.safeParse(v.object({ requestId: requestIdSchema }), parseJson(data));
  return parsed.success ? parsed.output.requestId : undefined;
}
