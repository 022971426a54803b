// Ends a wait when a signal is aborted.

/**
 * The promise's outcome, unless the signal is aborted first. The underlying operation is not cancelled; its later
 * rejection is handled.
 *
 * @throws the promise's rejection; the signal's reason
 * @example await orAborted(nc.request(subject), AbortSignal.timeout(1_000));
 */
export async function orAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  let stop: () => void = () => undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    stop = () => reject(signal.reason as Error);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
