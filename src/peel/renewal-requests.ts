// Requests new JWTs for a peel from a master.
import type { NatsConnection } from '@nats-io/nats-core';
import type { ConnectionCredentials } from '../connection/connect.js';
import type { CredentialStore } from '../connection/credentials.js';
import type { CredsFile } from '../creds/creds-file.js';
import { userKeyOf } from '../creds/user-key.js';
import { expiryTime } from '../jwt/expiry.js';
import { generateKeyBundle, type KeyBundle } from '../nkeys/key-bundle.js';
import { authSubject, peelInboxPrefix } from '../permissions/names.js';
import { askAgain } from '../protocol/ask-again.js';
import { newRequestId } from '../protocol/ask.js';
import { encodeJson, type AnswerOf, type RequestOf } from '../protocol/messages.js';
import { rotationProof } from '../protocol/proofs.js';
import { askMaster, mastersOf } from './ask-master.js';
import type { FleetClock } from './clock.js';
import { credsOfJwt } from './creds-of-jwt.js';
import { signProof, signProofWith } from './proofs.js';
import type { RecoveryFiles } from './recovery-files.js';
import { answerTimeout } from './schedule.js';
import { checkGivenJwt, type WantedJwt } from './verify-master.js';

/** What {@link RenewalRequests} work with. */
export interface RenewalRequestsOptions {
  peelId: string;
  /** Where new credentials will be stored. */
  store: CredentialStore;
  nc: NatsConnection;
  credentials: ConnectionCredentials;
  clock: FleetClock;
  /** Takes the recovery credential that a master gives with another; may hold a new key from a request to recover. */
  recovery?: Pick<RecoveryFiles, 'note' | 'pendingKeyFor'> | undefined;
}

/** A request that was not answered yet: asked again, it is the same request. */
interface Attempt {
  requestId: string;
  /** The key in use when it began. */
  publicKey: string;
}

/** The requests of one peel: a new JWT for its key, or one for a new key. */
export class RenewalRequests {
  readonly #options: RenewalRequestsOptions;
  #renewing: Attempt | undefined;
  #rotating: (Attempt & { newKey: KeyBundle }) | undefined;

  constructor(options: RenewalRequestsOptions) {
    this.#options = options;
  }

  /** Another key is in use: what was asked for the one before is not asked again. */
  keyInUse(publicKey: string): void {
    if (this.#renewing?.publicKey !== publicKey) this.#renewing = undefined;
    if (this.#rotating?.publicKey !== publicKey) this.forgetKey();
  }

  /** Wipes a new key that no master has given a JWT. */
  forgetKey(): void {
    this.#rotating?.newKey.wipe();
    this.#rotating = undefined;
  }

  /** Milliseconds until the credential in use expires; `Infinity`: never. */
  get remainingMs(): number {
    const { credentials, clock } = this.#options;
    return (expiryTime(credentials.current.claims) ?? Infinity) - clock.now();
  }

  /**
   * Requests a new JWT for the key in use. `rotate`: the master also wants the key replaced.
   *
   * @throws FleetError, JwtError; the client's errors
   */
  async renew(): Promise<{ creds: CredsFile; rotate: boolean }> {
    const { credentials, peelId } = this.#options;
    const { current } = credentials;
    const { publicKey, claims } = current;
    const attempt = (this.#renewing ??= { requestId: newRequestId(), publicKey });
    const { requestId } = attempt;
    const { jwt, rotate = false, recovery } = await this.#ask('renew', { requestId, publicKey });
    this.#check(attempt, jwt, { peelId, publicKey, notIssuedBefore: claims.iat });
    if (recovery !== undefined) this.#options.recovery?.note(recovery);
    this.#renewing = undefined;
    return { creds: this.#credsOf(jwt, current.seed), rotate };
  }

  /** Makes a new key and asks for a JWT for it: both keys sign the request. @throws as {@link renew} */
  async rotate(): Promise<CredsFile> {
    const { credentials, peelId } = this.#options;
    const { current } = credentials;
    const { publicKey } = current;
    const attempt = await this.#rotationOf(publicKey);
    const { requestId, newKey } = attempt;
    const newPublicKey = newKey.publicKey;
    const proof = rotationProof({ requestId, peelId, publicKey, newPublicKey });
    const { jwt, recovery } = await this.#ask('rotate', {
      requestId,
      publicKey,
      newPublicKey,
      signature: signProofWith(current, proof),
      newSignature: signProof(newKey, proof),
    });
    // for a key that is new there is no older JWT
    this.#check(attempt, jwt, { peelId, publicKey: newPublicKey, notIssuedBefore: 0 });
    if (recovery !== undefined) this.#options.recovery?.note(recovery);
    const creds = this.#credsOf(jwt, newKey.seed);
    this.forgetKey();
    return creds;
  }

  /** The attempt that is under way, or a new one: with the new key of a request to recover, if there is one. */
  async #rotationOf(publicKey: string): Promise<Attempt & { newKey: KeyBundle }> {
    const pending = await this.#options.recovery?.pendingKeyFor(publicKey);
    if (pending !== undefined && this.#rotating?.newKey.publicKey !== pending.publicKey) this.forgetKey();
    return (this.#rotating ??= {
      requestId: newRequestId(),
      publicKey,
      newKey: pending ?? generateKeyBundle('user'),
    });
  }

  /** The next {@link rotate} asks for another JWT for a new key that was given one. */
  askAgainFor(creds: CredsFile): void {
    const { publicKey } = this.#options.credentials.current;
    this.#rotating = { requestId: newRequestId(), publicKey, newKey: userKeyOf(creds) };
  }

  async #ask<N extends 'renew' | 'rotate'>(
    name: N,
    request: RequestOf<N> & { requestId: string },
  ): Promise<AnswerOf<N>> {
    const { nc, peelId, credentials, clock } = this.#options;
    const question = { name, context: request.requestId, creds: credentials.current, clock };
    return askMaster(question, () =>
      askAgain(nc, authSubject(peelId, name), encodeJson(request), {
        inboxPrefix: peelInboxPrefix(peelId),
        timeoutMs: answerTimeout(this.remainingMs),
      }),
    );
  }

  /** Checks a JWT. One that is of no use would be the answer to the same request again: the next is another. */
  #check(attempt: Attempt, jwt: string, wanted: WantedJwt): void {
    const { credentials, clock } = this.#options;
    try {
      checkGivenJwt(jwt, wanted, mastersOf(credentials.current, clock));
    } catch (error) {
      attempt.requestId = newRequestId();
      throw error;
    }
  }

  /** @param seed is wiped */
  #credsOf(jwt: string, seed: Uint8Array): CredsFile {
    return credsOfJwt(jwt, seed, (content) => this.#options.store.decode(content));
  }
}
