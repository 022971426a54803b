// Recognizes and redacts complete seeds in text.

/**
 * A complete seed. For text that may contain a base32 hash, which `holdsSeed` may mistake for a truncated seed. In JSON, the
 * last digit of an escape such as `\u0002` is not part of the word after it.
 */
const WHOLE_SEED = /(?<!(?<!\\u[0-9a-f]{3})[A-Z2-7])S[OAUXNC][A-Z2-7]{56}(?![A-Z2-7])/g;

/** Whether a text contains a complete seed. */
export function holdsWholeSeed(text: string): boolean {
  return text.search(WHOLE_SEED) >= 0;
}

/** Redacts complete seeds. */
export function withoutWholeSeeds(text: string): string {
  return text.replace(WHOLE_SEED, '(a seed)');
}
