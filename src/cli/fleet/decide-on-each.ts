// Applies a decision to several peels, and reports each failure.
import { eachAtOnce } from '../../async/each-at-once.js';
import { FindingsError, InterruptedError, ZesterError } from '../../errors.js';
import { validatePeelId } from '../../permissions/peel-id.js';
import type { ContextOf } from '../command/context.js';
import { exitCodeOf } from '../terminal/exit-codes.js';
import type { InterruptSignal } from '../terminal/io.js';
import type { PeelDocument } from './peel-document.js';

/** The options of {@link decideOnEach}. */
export interface DecideOnEach<D extends PeelDocument> {
  /** The past participle, such as `accepted`. */
  done: string;
  decide: (peelId: string) => Promise<D>;
  /** The text after the ID in a peel's line. */
  line?: (document: D) => string;
  /** Maximum concurrency. */
  atOnce?: number;
}

/**
 * Applies a decision to several peels; a failure does not stop the others. Shows progress after a second.
 *
 * @throws the error itself for a single peel; for several, FindingsError when some failed, InterruptedError when
 *   interrupted
 */
export async function decideOnEach<D extends PeelDocument>(
  ids: readonly string[],
  { io, output, interruption }: Pick<ContextOf<'nothing'>, 'io' | 'output' | 'interruption'>,
  { done, decide, line = stateAndKey, atOnce = 1 }: DecideOnEach<D>,
): Promise<void> {
  for (const id of ids) validatePeelId(id);
  const { Progress } = await import('../bulk/progress.js');
  const progress = new Progress(io, output.quiet, done);
  // a single request ends by itself, and Ctrl-C need not wait for it
  const signal = ids.length > 1 ? interruption() : undefined;
  const documents = new Map<string, object>();
  const codes = new Set<number>();
  let failed = 0;
  const one = async (peelId: string) => {
    try {
      const peel = await decide(peelId);
      documents.set(peelId, peel);
      progress.clear();
      output.lines([`${done} ${peel.id}: ${line(peel)}`]);
    } catch (error) {
      if (ids.length === 1 || !(error instanceof ZesterError)) throw error;
      failed += 1;
      codes.add(exitCodeOf(error));
      documents.set(peelId, { id: peelId, error: { code: error.code, message: error.message } });
      progress.clear();
      output.warn(`${peelId}: ${error.message} [${error.code}]`);
    }
    progress.reach(documents.size - failed, documents.size / ids.length);
  };
  try {
    await eachAtOnce(ids, atOnce, one, signal);
  } finally {
    progress.clear();
    // what was decided stays decided, even if an unexpected error ends the rest
    if (ids.length > 1 || documents.size > 0)
      output.result([], { peels: ids.flatMap((id) => documents.get(id) ?? []) });
  }
  if (signal?.aborted === true) {
    const words = `interrupted: ${documents.size - failed} of ${ids.length} were ${done}`;
    throw new InterruptedError(signal.reason as InterruptSignal, words);
  }
  if (failed === 0) return;
  const [code = 1] = codes;
  throw new FindingsError(
    `${failed} of ${ids.length} could not be ${done}; see above`,
    codes.size === 1 ? code : 1,
  );
}

function stateAndKey({ state, fingerprint }: PeelDocument): string {
  return `${state}, key ${fingerprint ?? '(none)'}`;
}
