// natsOptionFromSeed: authentication with an nkey seed alone.
import type { NatsOptions } from '../creds/nats-options.js';
import { nonceSignature } from '../creds/sign-nonce.js';
import { loadKeyBundle } from '../nkeys/key-bundle.js';

/**
 * Authenticates with an nkey seed alone, for servers that list trusted public keys instead of using JWTs: the server
 * sends a nonce, and the client signs it with the private key.
 *
 * @param seed a user's seed (`SU…`) as bytes or a string
 * @throws KeyError
 * @example
 * import { generateKeyBundle, natsOptionFromSeed } from 'zester';
 *
 * const user = generateKeyBundle('user'); // the configuration of the server has its public key
 * // for connect() of @nats-io/transport-node
 * const options = { servers: 'nats://127.0.0.1:4222', ...natsOptionFromSeed(user.seed) };
 */
export function natsOptionFromSeed(seed: Uint8Array | string): NatsOptions {
  const key = loadKeyBundle('user', seed);
  return {
    authenticator: (nonce?: string) => ({ nkey: key.publicKey, sig: nonceSignature(key, nonce) }),
    ignoreAuthErrorAbort: true,
  };
}
