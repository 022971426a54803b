// What every request of a fleet takes that waits for an answer.

/** How a request waits. */
export interface WaitingOptions {
  /** Stops waiting, with its reason. What was asked for by then may still happen. */
  signal?: AbortSignal | undefined;
}
