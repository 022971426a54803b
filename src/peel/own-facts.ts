// Asks a program for its own facts.
import type { ReportFailure } from '../async/guarded.js';

/** Makes the option `facts` safe to call: what it throws is reported, and leaves the program's facts out. */
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
