// Validates peel IDs.
import { inspect } from 'node:util';
import { excerpt } from '../text/excerpt.js';
import { holdsSeed, PeelIdError } from '../errors.js';

/** The form of a peel ID: one NATS token, 1 to 128 characters. */
export const PEEL_ID = /^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$/;

/**
 * Checks that a peel ID is one NATS token of the allowed form, and returns it. Call it for every ID from outside: a
 * user named `*` would be every peel, and one with a dot would read another's commands (docs/nats-facts.md, 14 and 15).
 * Refuses seeds, since IDs end up in files, JetStream and logs.
 *
 * @throws PeelIdError
 * @example
 * import { PeelIdError, validatePeelId } from 'zester';
 *
 * console.log(validatePeelId('web-01')); // web-01
 * try {
 *   validatePeelId('web.01');
 * } catch (error) {
 *   if (!(error instanceof PeelIdError)) throw error;
 *   console.log(error.message); // 'web.01' is not a peel id: …
 * }
 */
export function validatePeelId(id: unknown): string {
  if (typeof id !== 'string')
    throw new PeelIdError(`a peel id is a string, this is ${id === null ? 'null' : typeof id}`);
  if (holdsSeed(id)) {
    throw new PeelIdError(
      'a seed was given where a peel id belongs: give the ID, and treat the seed as exposed',
    );
  }
  if (!PEEL_ID.test(id)) {
    throw new PeelIdError(`${show(id)} is not a peel id: ${reason(id)}`);
  }
  return id;
}

/**
 * Whether a value is a valid peel ID; see {@link validatePeelId}.
 *
 * @example
 * import { isPeelId } from 'zester';
 *
 * console.log(isPeelId('web-01')); // true
 * console.log(isPeelId('web.01')); // false
 */
export function isPeelId(id: unknown): id is string {
  try {
    validatePeelId(id);
    return true;
  } catch {
    return false;
  }
}

function reason(id: string): string {
  if (id === '') return 'it is empty';
  if (id.length > 128) return `it has ${id.length} characters, and at most 128 are allowed`;
  if (/^[A-Za-z0-9_-]+$/.test(id)) return 'it must start with a letter or a digit';
  return 'use only letters (A-Z, a-z), digits, _ and -; no dots, wildcards, spaces or other characters';
}

/** Formats an ID for a message: quoted, control characters escaped, truncated. */
function show(id: string): string {
  return inspect(excerpt(id));
}
