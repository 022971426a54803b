// Refuses a seed where the path of a seed file belongs.
import { UsageError } from '../../errors.js';

/**
 * Checks that an option for the path of a seed file was not given the seed itself.
 *
 * @throws UsageError whose message does not contain the seed
 */
export function seedPath(option: string, value: string): string {
  if (/^\s*S[OAUXNC][A-Z2-7]{40,}/.test(value)) {
    throw new UsageError(
      `${option} takes the path of a file, but a seed was given: command lines are visible in process ` +
        `lists and shell histories, so generate a new key and put its seed into a file`,
    );
  }
  return value;
}
