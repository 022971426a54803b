// Applies one admin decision to several peels, and reports each failure.
import { FindingsError, ZesterError } from '../../errors.js';
import type { PeelRecord } from '../../protocol/records/record.js';
import { validatePeelId } from '../../permissions/peel-id.js';
import { exitCodeOf } from '../terminal/exit-codes.js';
import type { Output } from '../terminal/output.js';
import { peelDocument } from './peel-document.js';

/**
 * Does the same to several peels, one after the other; one that it cannot be done to does not keep the others from it.
 *
 * @param done the word for it, such as `accepted`
 * @throws the error, of one; of several a FindingsError when some failed
 */
export async function decideOnEach(
  ids: readonly string[],
  output: Output,
  done: string,
  decide: (peelId: string) => Promise<PeelRecord>,
): Promise<void> {
  for (const id of ids) validatePeelId(id);
  const documents: object[] = [];
  const codes = new Set<number>();
  for (const peelId of ids) {
    try {
      const peel = peelDocument(await decide(peelId));
      documents.push(peel);
      output.lines([`${done} ${peel.id}: ${peel.state}, key ${peel.fingerprint ?? '(none)'}`]);
    } catch (error) {
      if (ids.length === 1 || !(error instanceof ZesterError)) throw error;
      codes.add(exitCodeOf(error));
      documents.push({ id: peelId, error: { code: error.code, message: error.message } });
      output.warn(`${peelId}: ${error.message} [${error.code}]`);
    }
  }
  output.result([], { peels: documents });
  if (codes.size === 0) return;
  const failed = documents.filter((document) => 'error' in document).length;
  const [code = 1] = codes;
  throw new FindingsError(
    `${failed} of ${ids.length} could not be ${done}; see above`,
    codes.size === 1 ? code : 1,
  );
}
