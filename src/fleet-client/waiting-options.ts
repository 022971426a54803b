// The options of every fleet request that waits for an answer.

/** The wait options of a request. */
export interface WaitingOptions {
  /** Aborts the wait, with its reason. The request may still be carried out. */
  signal?: AbortSignal | undefined;
}
