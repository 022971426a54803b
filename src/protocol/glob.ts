// Glob patterns of peel IDs, with * and ?.

/** A pattern of peel IDs: the characters of an ID, `*` and `?`. */
export const PEEL_PATTERN = /^[A-Za-z0-9_*?-]{1,128}$/;

/**
 * Whether an ID matches a pattern, in which `*` stands for any characters and `?` for one. No regular expression:
 * patterns are untrusted, and must not cause catastrophic backtracking.
 */
export function matchesGlob(pattern: string, id: string): boolean {
  let p = 0;
  let i = 0;
  let star = -1;
  let mark = 0;
  while (i < id.length) {
    if (pattern[p] === '*') {
      star = p++;
      mark = i;
    } else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === id[i])) {
      p += 1;
      i += 1;
    } else if (star >= 0) {
      p = star + 1;
      i = ++mark;
    } else {
      return false;
    }
  }
  while (pattern[p] === '*') p += 1;
  return p === pattern.length;
}
