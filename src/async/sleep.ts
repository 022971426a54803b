// Waits for some milliseconds, or until a signal aborts.

/**
 * Resolves after `ms` milliseconds.
 *
 * @throws the reason of `signal`, when it is aborted first, or was aborted before
 */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    // an aborted signal has no more events: a loop that waits would never end
    signal?.throwIfAborted();
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, ms);
    signal?.addEventListener('abort', stop, { once: true });
  });
}

/** Resolves after `ms` milliseconds. The wait does not keep the process alive. */
export function sleepUnref(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms).unref());
}
