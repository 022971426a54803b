// Signs and verifies messages.
import { headers, type MsgHdrs } from '@nats-io/nats-core';
import type { CredsFile } from '../creds/creds-file.js';
import { userKeyOf } from '../creds/user-key.js';
import { FleetError, ZesterError } from '../errors.js';
import type { UserClaims } from '../jwt/claims.js';
import { decodeUserJwt } from '../jwt/decode.js';
import type { KeyBundle } from '../nkeys/key-bundle.js';
import { verifySignature } from '../nkeys/verify.js';

export const JWT_HEADER = 'Zester-Jwt';
export const SIGNATURE_HEADER = 'Zester-Signature';
/** For a master whose JWT was not signed by the account's identity key itself. */
const ENDORSEMENTS_HEADER = 'Zester-Endorsements';

/**
 * The signed text starts with its purpose. A server's nonce, which a client also signs, never starts like this, so
 * neither can be mistaken for the other. The context ties an answer to its request.
 *
 * @param context for example the subject, or the request's ID
 */
function signedBytes(context: string, data: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(`zester-signed-1\n${context}\n`), data]);
}

/**
 * Signs messages as the user of a `.creds` file.
 *
 * @example
 * import { loadCredsFile } from 'zester';
 * import { MessageSigner } from 'zester/master';
 *
 * const signer = new MessageSigner(await loadCredsFile('admin.creds'));
 * const headers = signer.sign('an announcement', Buffer.from('the fleet moves at noon'));
 * console.log(headers.keys().length); // 2
 * signer.wipe();
 */
export class MessageSigner implements Disposable {
  /** The user JWT, which is sent with each message. */
  readonly jwt: string;
  /** The claims of the JWT. */
  readonly claims: UserClaims;
  readonly #key: KeyBundle;
  readonly #endorsements: string | undefined;

  /** @param endorsements the endorsements of the key that signed the JWT, if that key signs masters */
  constructor(creds: CredsFile, endorsements?: string) {
    this.#endorsements = endorsements;
    this.jwt = creds.jwt;
    this.claims = creds.claims;
    this.#key = userKeyOf(creds);
  }

  /** The headers that prove the sender of `data`, in this context. */
  sign(context: string, data: Uint8Array): MsgHdrs {
    const signed = headers();
    signed.set(JWT_HEADER, this.jwt);
    const signature = this.#key.sign(signedBytes(context, data));
    signed.set(SIGNATURE_HEADER, Buffer.from(signature).toString('base64url'));
    if (this.#endorsements !== undefined) signed.set(ENDORSEMENTS_HEADER, this.#endorsements);
    return signed;
  }

  /** Overwrites the seed in memory; the signer can no longer sign. */
  wipe(): void {
    this.#key.wipe();
  }

  /** The same as `wipe()`, for `using`. */
  [Symbol.dispose](): void {
    this.wipe();
  }
}

/**
 * Verifies the signatures of a message: the JWT's by its issuer, and the message's by the JWT's subject. Returns the
 * signer's claims; the caller decides whether that user is authorized.
 *
 * @throws FleetError `ERR_FLEET_PROOF`
 */
export function verifySigned(
  context: string,
  { data, headers: sent }: { data: Uint8Array; headers?: MsgHdrs | undefined },
): { claims: UserClaims; endorsements: string } {
  const bad = (why: string, cause?: unknown) => new FleetError('ERR_FLEET_PROOF', why, { cause });
  const jwt = sent?.get(JWT_HEADER) ?? '';
  const signature = sent?.get(SIGNATURE_HEADER) ?? '';
  if (jwt === '' || signature === '') throw bad('the message is not signed');
  let claims: UserClaims;
  try {
    claims = decodeUserJwt(jwt);
  } catch (cause) {
    if (!(cause instanceof ZesterError)) throw cause;
    throw bad(`the JWT that the message is signed with cannot be used: ${cause.message}`, cause);
  }
  if (!verifySignature(claims.sub, signedBytes(context, data), Buffer.from(signature, 'base64url'))) {
    throw bad(`the message claims to be signed by ${claims.sub}, but the signature does not match`);
  }
  return { claims, endorsements: sent?.get(ENDORSEMENTS_HEADER) ?? '' };
}
