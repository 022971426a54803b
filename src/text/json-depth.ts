// Limits the nesting depth of JSON.

/**
 * Whether arrays and objects in a JSON text are nested deeper than `most`. It only counts brackets, in one pass and
 * without recursion, before the text is parsed. For text that is not JSON, the result has no meaning.
 */
export function isNestedDeeper(json: string, most: number): boolean {
  // most texts have too few brackets, which is much faster to see
  if (!holdsMore(json, '[', '{', most)) return false;
  let depth = 0;
  let inString = false;
  for (let i = 0; i < json.length; i += 1) {
    const code = json.charCodeAt(i);
    if (inString) {
      if (code === BACKSLASH) i += 1;
      else if (code === QUOTE) inString = false;
    } else if (code === QUOTE) {
      inString = true;
    } else if (code === OPEN_ARRAY || code === OPEN_OBJECT) {
      depth += 1;
      if (depth > most) return true;
    } else if (code === CLOSE_ARRAY || code === CLOSE_OBJECT) {
      depth -= 1;
    }
  }
  return false;
}

/** Whether a text holds either of two characters more than `most` times together. */
function holdsMore(text: string, one: string, other: string, most: number): boolean {
  let count = 0;
  for (const searched of [one, other]) {
    for (let at = text.indexOf(searched); at >= 0; at = text.indexOf(searched, at + 1)) {
      count += 1;
      if (count > most) return true;
    }
  }
  return false;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
