// Recognizes and redacts complete seeds in text.

/**
 * A seed as it is written, whole. Where a text may as well hold a hash in base32, which `holdsSeed` may take for a
 * seed that was cut off.
 */
const WHOLE_SEED = /(?<![A-Z2-7])S[OAUXNC][A-Z2-7]{56}(?![A-Z2-7])/g;

/** Whether a text contains a complete seed. */
export function holdsWholeSeed(text: string): boolean {
  return text.search(WHOLE_SEED) >= 0;
}

/** Text in which no whole seed stands. */
export function withoutWholeSeeds(text: string): string {
  return text.replace(WHOLE_SEED, '(a seed)');
}
