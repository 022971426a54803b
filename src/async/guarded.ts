// Guards callbacks that a user passes in: they can neither end nor block their caller.

/** Reports that a callback threw, or that its promise rejected. */
export type ReportFailure = (error: Error) => void;

/**
 * Makes a callback of the user's safe to call: what it throws, or what its promise rejects with, is swallowed. The first
 * failure is reported; a callback that fails once usually fails each time.
 *
 * @param report must not call the callback; what it throws is swallowed, too
 */
export function guarded<A extends unknown[]>(
  callback: (...args: A) => unknown,
  report: ReportFailure,
): (...args: A) => void {
  const failed = reportOnce(report);
  return (...args) => {
    try {
      quieten(callback(...args), failed);
    } catch (error) {
      failed(error);
    }
  };
}

/**
 * Makes a function of the user's that gives a number, such as a clock, safe to call: where it throws or gives no finite
 * number, `fallback` is used.
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
      quieten(value, failed);
      failed(new TypeError(`gave ${String(value)} instead of a number`));
    } catch (error) {
      failed(error);
    }
    return fallback();
  };
}

/** For what has no other way to say so: Node prints the warning, once. */
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
      // nobody is left to notify
    }
  };
}

/** Reports a promise that rejects, without waiting for it. A plain value, which most callbacks return, costs nothing. */
function quieten(result: unknown, failed: (thrown: unknown) => void): void {
  if (typeof result === 'object' && result !== null && 'then' in result) {
    Promise.resolve(result).catch(failed);
  }
}
