// Sends a system request to all servers, and collects the answers.
import { errors, type Msg, type NatsConnection } from '@nats-io/transport-node';
import { REQUEST_ALL_TIMEOUT_MS } from '../timing.js';

/** The time limits of {@link requestAll}, in milliseconds. */
export interface RequestAllOptions {
  /** In total; 5,000 by default. */
  maxWait?: number;
  /** For the next answer after each one; `maxWait` by default. */
  stall?: number;
  /** Called when the server reports no responders. */
  onNoResponders?: () => void;
}

/**
 * Sends a request to all servers, and collects answers until they are complete or the time is up.
 *
 * @param isComplete whether no more answers are needed; called after each answer
 * @returns the answers; none if there are no responders
 */
export async function requestAll(
  nc: NatsConnection,
  subject: string,
  payload: string,
  isComplete: (answers: readonly Msg[]) => boolean,
  options: RequestAllOptions = {},
): Promise<Msg[]> {
  const { maxWait = REQUEST_ALL_TIMEOUT_MS, stall = maxWait } = options;
  const answers: Msg[] = [];
  try {
    const all = await nc.requestMany(subject, payload, { strategy: 'stall', maxWait, stall });
    for await (const answer of all) {
      answers.push(answer);
      if (isComplete(answers)) break;
    }
  } catch (error) {
    if (isNoResponders(error)) options.onNoResponders?.();
    else if (!(error instanceof errors.TimeoutError)) throw error;
  }
  return answers;
}

function isNoResponders(error: unknown): boolean {
  return (
    error instanceof errors.NoRespondersError ||
    (error instanceof errors.RequestError && error.isNoResponders())
  );
}

/** The JSON of an answer; undefined if it is invalid. */
export function jsonOf<T>(answer: Msg): T | undefined {
  try {
    return answer.json<T>();
  } catch {
    return undefined;
  }
}
