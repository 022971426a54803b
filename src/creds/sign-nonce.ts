// Signs the server's nonce.
import type { KeyPair } from '../nkeys/key-pair.js';
import { bytesAs } from '../text/bytes-as.js';

/** The signature of the server's nonce; empty if the server sends none. */
export function nonceSignature(key: Pick<KeyPair, 'publicKey' | 'sign'>, nonce: string | undefined): string {
  if (nonce === undefined || nonce === '') return '';
  return bytesAs('base64url', key.sign(nonce));
}

/** The fields of a CONNECT with a JWT. */
export function signNonce(
  jwt: string,
  key: Pick<KeyPair, 'publicKey' | 'sign'>,
  nonce: string | undefined,
): { jwt: string; nkey: string; sig: string } {
  return { jwt, nkey: key.publicKey, sig: nonceSignature(key, nonce) };
}
