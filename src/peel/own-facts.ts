// Calls a program's `facts` option.
import type { ReportFailure } from '../async/guarded.js';

/** Makes the option `facts` safe to call: reports errors, and then omits the program's facts. */
export function ownFacts(facts: (() => unknown) | undefined, report: ReportFailure): () => Promise<unknown> {
  return async () => {
    try {
      return await facts?.();
    } catch (thrown) {
      report(thrown instanceof Error ? thrown : new Error('the callback threw no error'));
      return undefined;
    }
  };
}
