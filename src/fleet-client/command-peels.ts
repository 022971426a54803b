// Calls a handler of several peels concurrently.
import type { NatsConnection } from '@nats-io/nats-core';
import { FleetError, type FleetErrorCode } from '../errors.js';
import { readCommandAnswer, type Command } from '../protocol/command.js';
import { encodeJson } from '../protocol/messages.js';
import { requestPeel } from './request-peel.js';

/** Maximum number of concurrent calls. */
const AT_ONCE = 128;

/** The result of a command to one peel. */
export type PeelReply =
  | { id: string; ok: true; ms: number; result: unknown }
  | { id: string; ok: false; ms: number; code: string; message: string };

/**
 * Sends a command to peels and yields their answers as they arrive.
 *
 * @param timeoutMs for each peel, milliseconds
 * @param signal stops waiting for answers: its reason is thrown
 */
export async function* commandPeels(
  nc: NatsConnection,
  ids: readonly string[],
  command: Command,
  timeoutMs: number,
  signal?: AbortSignal,
): AsyncGenerator<PeelReply, void, undefined> {
  const data = encodeJson(command);
  const waiting = [...ids];
  const running = new Map<string, Promise<PeelReply>>();
  for (;;) {
    while (running.size < AT_ONCE) {
      const id = waiting.shift();
      if (id === undefined) break;
      running.set(id, commandPeel(nc, id, data, timeoutMs, signal));
    }
    if (running.size === 0) return;
    const reply = await Promise.race(running.values());
    running.delete(reply.id);
    yield reply;
  }
}

async function commandPeel(
  nc: NatsConnection,
  id: string,
  data: Uint8Array,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<PeelReply> {
  const start = performance.now();
  const ms = () => Math.round((performance.now() - start) * 10) / 10;
  const failed = (code: string, message: string): PeelReply => ({ id, ok: false, ms: ms(), code, message });
  try {
    const answer = await requestPeel(nc, id, data, { timeoutMs, signal });
    const read = readCommandAnswer(answer.data, id);
    if ('error' in read) return failed(read.error.code, read.error.message);
    return { id, ok: true, ms: ms(), result: read.result };
  } catch (cause) {
    const words = cause instanceof FleetError ? WORDS[cause.code] : undefined;
    if (words === undefined) throw cause;
    return failed((cause as FleetError).code, words(timeoutMs / 1000));
  }
}

/** The error messages for one peel, printed after its ID. */
const WORDS: Partial<Record<FleetErrorCode, (seconds: number) => string>> = {
  ERR_FLEET_NOT_CONNECTED: () => 'it is not connected',
  ERR_FLEET_TIMEOUT: (seconds) => `it did not answer within ${seconds} s`,
  ERR_FLEET_DENIED: () => 'these credentials are not authorized to call it',
};
