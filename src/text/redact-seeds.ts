// Recognizes seeds, and redacts them.

/**
 * Redacts seeds, and the users and passwords of URLs. A seed gets into a message when it is given where a path, an ID
 * or a public key belongs (`--account-seed SAA…` instead of a file). A public key never begins with S.
 *
 * @example
 * import { generateKeyBundle, redactSeeds } from 'zester';
 *
 * const user = generateKeyBundle('user');
 * const seed = Buffer.from(user.seed).toString();
 * console.log(redactSeeds(`no such file: ${seed}`)); // no such file: (a seed)
 */
export function redactSeeds(text: string): string {
  // few texts have a URL, and looking for one letter by letter takes a third of this function's time
  return (text.includes('://') ? text.replace(URL_USER, '$1(hidden)@') : text)
    .replace(SEED_TEXT, '(a seed)')
    .replace(LONG_BASE64, (run) => (encodesSeed(run) ? '(a seed, encoded)' : run));
}

/** Long enough for a seed: its 58 characters are 78 in base64. Only tried where a run begins: in linear time. */
const LONG_BASE64 = /(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{76,}={0,2}/g;

/** Whether base64 contains a whole seed, at any offset. Requires more characters than the `jti` of a JWT has. */
function encodesSeed(run: string): boolean {
  return [0, 1, 2, 3].some((from) =>
    /S[OAUXNC][A-Z2-7]{54,}/.test(Buffer.from(run.slice(from), 'base64').toString('latin1')),
  );
}

/**
 * Whether a text contains a seed, given by mistake where something public belongs.
 *
 * @example
 * import { holdsSeed } from 'zester';
 *
 * console.log(holdsSeed('the laptop was stolen')); // false
 */
export function holdsSeed(text: string): boolean {
  return text.length >= SHORTEST_SEED && text.search(SEED_TEXT) >= 0;
}

/** The user and password of a URL, up to the last @ of the word. */
const URL_USER = /\b([a-z][a-z0-9+.-]{0,20}:\/\/)[^\s"']{0,2048}@/gi;

/** Also shorter than a seed: one that was copied incompletely is still a secret. */
const SEED_TEXT = /(?<![A-Z2-7])S[A-Z2-7]{40,}/g;
const SHORTEST_SEED = 41;
