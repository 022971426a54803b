// Runs commands with the handlers of a peel, and answers them.
import { orAborted } from '../async/or-aborted.js';
import * as v from 'valibot';
import { redactSeeds, type FleetErrorCode } from '../errors.js';
import { commandSchema, HANDLER_NAME, MAX_ANSWER_BYTES, type CommandAnswer } from '../protocol/command.js';
import { encodeJson, issueText, MAX_JSON_DEPTH, parseJson } from '../protocol/messages.js';
import { isNestedDeeper } from '../text/json-depth.js';
import { HANDLER_TIMEOUT_MS } from '../timing.js';

/** The context of a handler, in addition to its arguments. */
export interface HandlerContext {
  /** Aborted when the answer would be too late, or the peel stops. */
  signal: AbortSignal;
}

/**
 * Runs a command of a peel. The answer is its result, as JSON, or the message of the error that it throws, without the
 * stack.
 */
export type Handler = (args: string[], context: HandlerContext) => unknown;

/** The options of {@link Handlers}. */
export interface HandlersOptions {
  peelId: string;
  /** Maximum number of concurrent commands; 16 by default. */
  concurrency?: number | undefined;
  /** Maximum number of waiting commands; 1,000 by default. */
  queue?: number | undefined;
  /** Time limit of a handler in milliseconds; 4 minutes by default, since a server forgets a request after 5. */
  timeoutMs?: number | undefined;
  /** Called with the complete error of a failed handler; the answer contains less. */
  onFailure?: ((handler: string, error: unknown) => void) | undefined;
  /** Called for each command once its answer is known. */
  onAnswered?: ((command: AnsweredCommand) => void) | undefined;
}

/** A command that was answered. */
export interface AnsweredCommand {
  /** undefined: unknown handler, or unreadable command. */
  handler: string | undefined;
  /** `ok`, or the error code of the answer. */
  outcome: string;
  /** Time from its arrival to its answer. */
  durationMs: number;
}

const CONCURRENCY = 16;
const QUEUE = 1_000;
/** Maximum length of an error message in an answer, in characters. */
const MAX_MESSAGE = 2_000;

/** The handlers of a peel, by their names, and the commands that run. No command reaches a shell. */
export class Handlers {
  readonly #options: HandlersOptions;
  readonly #handlers = new Map<string, Handler>();
  readonly #fixed = new Set<string>();
  readonly #running = new Set<AbortController>();
  readonly #waiting: (() => void)[] = [];
  /** Slots in use. A finished command hands its slot to a waiting one. */
  #taken = 0;
  #idle: (() => void)[] = [];
  #ended = false;

  constructor(options: HandlersOptions) {
    this.#options = options;
  }

  /**
   * Registers a handler, replacing one of the same name.
   *
   * @returns a function that removes it
   * @throws TypeError when the name is invalid, or that of a built-in one
   */
  handle(name: string, handler: Handler, options: { fixed?: boolean } = {}): () => void {
    if (typeof name !== 'string' || name.length > 200 || !HANDLER_NAME.test(name)) {
      throw new TypeError(
        `"${String(name)}" is not a handler name: use letters, digits, _ and -, with dots between words`,
      );
    }
    if (typeof handler !== 'function') throw new TypeError(`the handler "${name}" is not a function`);
    if (this.#fixed.has(name)) throw new TypeError(`the handler "${name}" is built in: choose another name`);
    if (options.fixed === true) this.#fixed.add(name);
    this.#handlers.set(name, handler);
    return () => {
      if (this.#handlers.get(name) === handler) this.#handlers.delete(name);
    };
  }

  /** The number of running and waiting commands. */
  get busy(): number {
    return this.#taken + this.#waiting.length;
  }

  /**
   * Runs the command in a message, and returns the bytes of its answer. Never rejects.
   *
   * @param maxBytes size limit of an answer; never more than callers read
   */
  async answer(data: Uint8Array, maxBytes = MAX_ANSWER_BYTES): Promise<Uint8Array> {
    const startedAt = performance.now();
    const answer = this.#sendable(await this.#run(data), maxBytes);
    const name = handlerIn(data);
    this.#options.onAnswered?.({
      handler: name !== undefined && this.#handlers.has(name) ? name : undefined,
      outcome: answer.code,
      durationMs: performance.now() - startedAt,
    });
    return answer.encoded;
  }

  /** Encodes an answer; replaces one that callers would not read by an error that says why. */
  #sendable(answer: CommandAnswer, maxBytes: number): { encoded: Uint8Array; code: string } {
    const { peelId } = this.#options;
    const instead = (words: string) => ({
      encoded: encodeJson(failed(peelId, 'ERR_FLEET_HANDLER', words)),
      code: 'ERR_FLEET_HANDLER',
    });
    let encoded: Uint8Array;
    try {
      encoded = encodeJson(answer);
    } catch (error) {
      return instead(`the result is not JSON: ${messageOf(error)}`);
    }
    const most = Math.min(maxBytes, MAX_ANSWER_BYTES);
    if (encoded.length > most) {
      const words = `the result has ${encoded.length} bytes, but at most ${most} can be sent: request less`;
      return instead(words);
    }
    if (isNestedDeeper(Buffer.from(encoded).toString('utf8'), MAX_JSON_DEPTH)) {
      const words = `the result is nested more than ${MAX_JSON_DEPTH} levels deep, which no caller reads`;
      return instead(words);
    }
    return { encoded, code: 'error' in answer ? answer.error.code : 'ok' };
  }

  /** Resolves when no command runs or waits. */
  async whenIdle(): Promise<void> {
    if (this.busy > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  /** Aborts running commands; later ones are refused. */
  end(): void {
    this.#ended = true;
    for (const running of this.#running) running.abort(new Error('the peel is stopping'));
  }

  #release(): void {
    const next = this.#waiting.shift();
    if (next !== undefined) return next();
    this.#taken -= 1;
    if (this.#taken === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }

  async #run(data: Uint8Array): Promise<CommandAnswer> {
    const { peelId, concurrency = CONCURRENCY, queue = QUEUE } = this.#options;
    const parsed = v.safeParse(commandSchema, parseJson(data));
    if (!parsed.success) {
      const words = `the command cannot be used: ${issueText(parsed.issues)}`;
      return failed(peelId, 'ERR_FLEET_REQUEST', words);
    }
    const { handler: name, args } = parsed.output;
    const handler = this.#handlers.get(name);
    if (handler === undefined) {
      const names = [...this.#handlers.keys()].sort().join(', ');
      return failed(peelId, 'ERR_FLEET_NO_HANDLER', `no handler "${name}"; available: ${names}`);
    }
    if (this.#taken < concurrency) {
      this.#taken += 1;
    } else {
      if (this.#waiting.length >= queue) {
        return failed(peelId, 'ERR_FLEET_RATE', `${this.busy} commands run or wait: try again later`);
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    const running = new AbortController();
    this.#running.add(running);
    try {
      if (this.#ended) throw new Error('the peel is stopping');
      return { peelId, result: await this.#within(handler, args, running) };
    } catch (error) {
      this.#options.onFailure?.(name, error);
      return failed(peelId, 'ERR_FLEET_HANDLER', messageOf(error));
    } finally {
      this.#running.delete(running);
      this.#release();
    }
  }

  async #within(handler: Handler, args: string[], running: AbortController): Promise<unknown> {
    const { timeoutMs = HANDLER_TIMEOUT_MS } = this.#options;
    const { signal } = running;
    const timer = setTimeout(
      () => running.abort(new Error(`the handler did not end within ${timeoutMs / 1000} s`)),
      timeoutMs,
    );
    try {
      // a handler that ignores its signal must not hold back the answer, or keep its slot, forever
      return await orAborted(
        Promise.resolve().then(() => handler(args, { signal })),
        signal,
      );
    } finally {
      clearTimeout(timer);
    }
  }
}

/** The handler that a command names. */
function handlerIn(data: Uint8Array): string | undefined {
  const parsed = v.safeParse(commandSchema, parseJson(data));
  return parsed.success ? parsed.output.handler : undefined;
}

function failed(peelId: string, code: FleetErrorCode, message: string): CommandAnswer {
  return { peelId, error: { code, message } };
}

/** The public part of an error: not its stack, not its cause, and no seed. */
function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message || error.name : String(error);
  return redactSeeds(text).slice(0, MAX_MESSAGE);
}
