// Makes untrusted text safe to print.

/**
 * Makes untrusted text safe to print. What a peel, a server or a file says may move a terminal's cursor, forge a line, turn
 * text around or hide in it. Every sink of text uses this file: error messages, the command's output, and the log.
 */

/**
 * Characters that are not shown as themselves: controls (C0, DEL, C1), format and invisible characters (bidirectional
 * marks, zero-width characters, fillers, tags, variation selectors), line and paragraph separators, spaces that are not
 * U+0020, unassigned code points, and lone surrogates.
 *
 * Source: the Unicode Character Database, general categories and Default_Ignorable_Code_Point; U+2800 is a blank of Braille.
 */
const UNPRINTABLE =
  /[\p{Cc}\p{Cf}\p{Cs}\p{Cn}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]|(?! )\p{Zs}/gu;

/** Printable ASCII: most text. Checked first, since it is much faster than the Unicode classes. */
const PLAIN_ASCII = /^[ -~]*$/;

/**
 * One line of text, with each character that is not shown as itself written as `\uXXXX`.
 *
 * @example
 * printable('web-01\u001b[2J\n'); // 'web-01\\u001b[2J\\u000a'
 */
export function printable(text: string): string {
  return PLAIN_ASCII.test(text) ? text : text.replace(UNPRINTABLE, escaped);
}

/** As {@link printable}, for text of several lines: line ends stay. Only for text whose line ends are our own. */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n');
}

/**
 * A JSON document that is safe to print. It is the same document: JSON reads `\uXXXX` in a string as the character.
 *
 * @param json what `JSON.stringify` gives: outside of strings it has no white space but line ends and U+0020
 */
export function printableJson(json: string): string {
  return printableLines(json);
}

/** Text of several lines as one: a space for each line end and the white space around it. */
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

/** In UTF-16 code units, as JSON has it. */
function escaped(character: string): string {
  let text = '';
  for (let i = 0; i < character.length; i += 1)
    text += `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`;
  return text;
}
