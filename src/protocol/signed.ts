// Signs and verifies admin requests.
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
/** For a master whose JWT the account's identity key did not sign itself. */
const ENDORSEMENTS_HEADER = 'Zester-Endorsements';

/**
 * The signed text starts with its purpose: a server's nonce, which a client signs too, never starts like this, so
 * neither can be mistaken for the other; and an answer is not valid for another request.
 *
 * @param context for example the subject, or the request's id
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
  /** The user JWT, which is sent along. */
  readonly jwt: string;
  /** Its claims. */
  readonly claims: UserClaims;
  readonly #key: KeyBundle;
  readonly #endorsements: string | undefined;

  /** @param endorsements those of the key that signed the JWT, if that key signs masters */
  constructor(creds: CredsFile, endorsements?: string) {
    this.#endorsements = endorsements;
    this.jwt = creds.jwt;
    this.claims = creds.claims;
    this.#key = userKeyOf(creds);
  }

  /** The headers that prove who sent `data`, in this context. */
  sign(context: string, data: Uint8Array): MsgHdrs {
    const signed = headers();
    signed.set(JWT_HEADER, this.jwt);
    const signature = this.#key.sign(signedBytes(context, data));
    signed.set(SIGNATURE_HEADER, Buffer.from(signature).toString('base64url'));
    if (this.#endorsements !== undefined) signed.set(ENDORSEMENTS_HEADER, this.#endorsements);
    return signed;
  }

  /** Overwrites the seed in memory: it can no longer sign. */
  wipe(): void {
    this.#key.wipe();
  }

  /** The same as `wipe()`, for `using`. */
  [Symbol.dispose](): void {
    this.wipe();
  }
}

/**
 * Who signed a message. Only the signatures are checked: the JWT's by its issuer, and the message's by the JWT's
 * subject. The caller decides whether that user may say what it says.
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
    throw bad(`the message is not signed by ${claims.sub}, as it says`);
  }
  return { claims, endorsements: sent?.get(ENDORSEMENTS_HEADER) ?? '' };
}
