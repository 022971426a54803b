// Makes untrusted text safe to print.

/**
 * Text from a peel, a server or a file may move a terminal's cursor, forge a line, reverse text or hide it. All output
 * uses this file: error messages, the command's output, and the log.
 */

/**
 * Characters to escape: controls (C0, DEL, C1), format and invisible characters (bidirectional marks, zero-width
 * characters, fillers, tags, variation selectors), line and paragraph separators, spaces other than U+0020, unassigned
 * code points, and lone surrogates.
 *
 * Source: the Unicode Character Database, general categories and Default_Ignorable_Code_Point; U+2800 is Braille's
 * blank.
 */
const UNPRINTABLE =
  /[\p{Cc}\p{Cf}\p{Cs}\p{Cn}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]|(?! )\p{Zs}/gu;

/** Printable ASCII, like most text. Checked first, since it is much faster than the Unicode classes. */
const PLAIN_ASCII = /^[ -~]*$/;
const PLAIN_ASCII_LINES = /^[ -~\n]*$/;

/**
 * Escapes unprintable characters, including newlines, as `\uXXXX`.
 *
 * @example
 * printable('web-01\u001b[2J\n'); // 'web-01\\u001b[2J\\u000a'
 */
export function printable(text: string): string {
  return PLAIN_ASCII.test(text) ? text : text.replace(UNPRINTABLE, escaped);
}

/** Like {@link printable}, but keeps newlines. Only for text whose newlines are trusted. */
export function printableLines(text: string): string {
  return PLAIN_ASCII_LINES.test(text) ? text : text.split('\n').map(printable).join('\n');
}

/**
 * Makes a JSON document safe to print. Its value does not change: JSON reads `\uXXXX` in a string as the character.
 *
 * @param json output of `JSON.stringify`, whose only white space outside of strings is newlines and U+0020
 */
export function printableJson(json: string): string {
  return printableLines(json);
}

/** Joins lines with spaces, and trims them. */
export function oneLine(text: string): string {
  const trimmed = text.trim();
  return trimmed.includes('\n')
    ? trimmed
        .split('\n')
        .map((line) => line.trim())
        .filter((line) => line !== '')
        .join(' ')
    : trimmed;
}

/** Escapes UTF-16 code units, as JSON does. */
function escaped(character: string): string {
  let text = '';
  for (let i = 0; i < character.length; i += 1)
    text += `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`;
  return text;
}
