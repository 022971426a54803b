// Isolates user callbacks: their errors do not reach the caller.

/** Reports that a callback threw, or that its promise rejected. */
export type ReportFailure = (error: Error) => void;

/**
 * Wraps a user callback: its exceptions and rejections are swallowed. Only the first failure is reported, since a
 * callback that fails once usually fails each time.
 *
 * @param report must not call the callback; its exceptions are swallowed, too
 */
export function guarded<A extends unknown[]>(
  callback: (...args: A) => unknown,
  report: ReportFailure,
): (...args: A) => void {
  const failed = reportOnce(report);
  return (...args) => {
    try {
      catchRejection(callback(...args), failed);
    } catch (error) {
      failed(error);
    }
  };
}

/**
 * Wraps a user function that returns a number, such as a clock: if it throws or returns no finite number, `fallback` is
 * used.
 */
export function guardedNumber(
  callback: () => number,
  fallback: () => number,
  report: ReportFailure,
): () => number {
  const failed = reportOnce(report);
  return () => {
    try {
      const value = callback();
      if (Number.isFinite(value)) return value;
      catchRejection(value, failed);
      failed(new TypeError(`returned ${String(value)} instead of a number`));
    } catch (error) {
      failed(error);
    }
    return fallback();
  };
}

/** Reports a failure as a Node.js process warning, where there is no logger. */
export function warnOfCallback(name: string): ReportFailure {
  return (error) => process.emitWarning(`the callback ${name} failed: ${error.message}`, 'ZesterWarning');
}

function reportOnce(report: ReportFailure): (thrown: unknown) => void {
  let reported = false;
  return (thrown) => {
    if (reported) return;
    reported = true;
    try {
      report(thrown instanceof Error ? thrown : new Error(String(thrown)));
    } catch {
      // nowhere left to report it
    }
  };
}

/** Reports a rejection without awaiting the promise. A plain value, which most callbacks return, costs nothing. */
function catchRejection(result: unknown, failed: (thrown: unknown) => void): void {
  if (typeof result === 'object' && result !== null && 'then' in result) {
    Promise.resolve(result).catch(failed);
  }
}
