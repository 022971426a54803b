// Endorsements prove to a peel that knows only its own JWT which key signs its account's masters.
import { isPublicKey } from '../../nkeys/validate.js';
import { verifySignature } from '../../nkeys/verify.js';
import type { KeyBundle } from '../../nkeys/key-bundle.js';

/**
 * The maximum length of a chain from the account's identity key through the keys of masters that invited each other.
 */
const MAX_LINKS = 8;
/** A link: a key (`A…`), and the signature of the key before it. */
const LINK = /^(A[A-Z2-7]{55}):([A-Za-z0-9_-]{86})$/;
const MAX_CHARACTERS = MAX_LINKS * 144;

/** The signed text starts with its purpose, so that it is not valid for anything else. */
function endorsedBytes(account: string, publicKey: string): Uint8Array {
  return Buffer.from(`zester-master-key-1\n${account}\n${publicKey}`);
}

/**
 * Endorses a key to sign masters of the account.
 *
 * @param signer the account's identity key, or the last key of `chain`
 * @param account the account's public key (`A…`)
 * @param publicKey the key (`A…`) that signs masters
 * @param chain the endorsements of the signer; empty: it is the identity key
 * @returns the endorsements of the key
 * @throws RangeError when there are more than {@link MAX_LINKS}
 */
export function endorse(signer: KeyBundle, account: string, publicKey: string, chain = ''): string {
  const signature = Buffer.from(signer.sign(endorsedBytes(account, publicKey))).toString('base64url');
  const endorsed = [...(chain === '' ? [] : chain.split(' ')), `${publicKey}:${signature}`];
  if (endorsed.length > MAX_LINKS) throw new RangeError('the chain of endorsements is too long');
  return endorsed.join(' ');
}

/**
 * The key at the end of a chain of endorsements.
 *
 * @param account the account's public key (`A…`): the first link is signed by its identity key
 * @param chain untrusted
 * @returns undefined: not a valid chain of this account
 */
export function endorsedKey(account: string, chain: string): string | undefined {
  if (chain.length > MAX_CHARACTERS || !isPublicKey(account, 'account')) return undefined;
  const links = chain.split(' ');
  if (links.length > MAX_LINKS) return undefined;
  let signer = account;
  for (const link of links) {
    const [, publicKey = '', signature = ''] = LINK.exec(link) ?? [];
    if (!isPublicKey(publicKey, 'account')) return undefined;
    if (!verifySignature(signer, endorsedBytes(account, publicKey), Buffer.from(signature, 'base64url')))
      return undefined;
    signer = publicKey;
  }
  return signer;
}
