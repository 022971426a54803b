// The options of every fleet request that waits for an answer.

/** How a request waits. */
export interface WaitingOptions {
  /** Aborts the wait, with its reason. The request may still be carried out. */
  signal?: AbortSignal | undefined;
}
