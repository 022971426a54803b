// Quotes a text for a command that a message suggests.

/** Characters that no shell interprets. */
const PLAIN = /^[A-Za-z0-9_@%+=:,./-]+$/;

/**
 * A text as one word of a POSIX shell. People copy a suggested command: the name of a stream or a consumer must not become
 * another command in it.
 *
 * @example shellWord('$(id)'); // "'$(id)'"
 */
export function shellWord(text: string): string {
  return PLAIN.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
