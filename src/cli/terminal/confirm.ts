// Asks for confirmation on a terminal.
import { ExpectationError, UsageError } from '../../errors.js';
import { printable } from '../../text/printable.js';
import type { CliIo } from './io.js';

/**
 * Asks on a terminal before a destructive action.
 *
 * @param what the action, as a sentence
 * @param yes whether `--yes` was given, which skips the prompt
 * @throws UsageError without a terminal; ExpectationError when the answer is no; InterruptedError on Ctrl-C
 */
export async function confirm(io: CliIo, what: string, yes: boolean | undefined): Promise<void> {
  if (yes === true) return;
  if (io.ask === undefined) throw new UsageError(`${printable(what)}: pass --yes to confirm`);
  const answer = await io.ask(`${printable(what)}. Continue? [y/N] `);
  if (!/^y(es)?$/i.test(answer.trim())) throw new ExpectationError('not confirmed: nothing was changed');
}
