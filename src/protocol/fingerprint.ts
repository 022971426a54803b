// Fingerprints of public keys, for people to compare.
import { createHash } from 'node:crypto';

/**
 * A public key in a form that two people can compare: 80 bits of its SHA-256, in groups of four. The peel and the admin
 * both see it.
 *
 * @example
 * import { loadCredsFile } from 'zester';
 * import { fingerprint } from 'zester/master';
 *
 * const { publicKey } = await loadCredsFile('web-01.creds');
 * console.log(fingerprint(publicKey)); // …-…-…-…-…
 */
export function fingerprint(publicKey: string): string {
  const hex = createHash('sha256').update(publicKey).digest('hex').slice(0, 20);
  return (hex.match(/.{4}/g) ?? []).join('-');
}
