// Requests new JWTs for a peel from a master.
import type { NatsConnection } from '@nats-io/nats-core';
import type { ConnectionCredentials } from '../connection/connect.js';
import type { CredentialStore } from '../connection/credentials.js';
import type { CredsFile } from '../creds/creds-file.js';
import { userKeyOf } from '../creds/user-key.js';
import { expiryTime } from '../jwt/expiry.js';
import { generateKeyBundle, type KeyBundle } from '../nkeys/key-bundle.js';
import { authSubject, peelInboxPrefix } from '../permissions/names.js';
import { requestWithResend } from '../protocol/request-with-resend.js';
import { newRequestId } from '../protocol/admin-client.js';
import { encodeJson, type AnswerOf, type RequestOf } from '../protocol/messages.js';
import { rotationProof } from '../protocol/proofs.js';
import { askMaster, mastersOf } from './ask-master.js';
import type { FleetClock } from './clock.js';
import { credsOfJwt } from './creds-of-jwt.js';
import { signProof, signProofWith } from '../protocol/prove-key.js';
import { heldRecovery } from './held-recovery.js';
import type { RecoveryFiles } from './recovery-files.js';
import { answerTimeout } from './schedule.js';
import { checkGivenJwt, type WantedJwt } from './verify-master.js';

/** The dependencies of {@link RenewalRequests}. */
export interface RenewalRequestsOptions {
  peelId: string;
  /** The store for new credentials. */
  store: CredentialStore;
  nc: NatsConnection;
  credentials: ConnectionCredentials;
  clock: FleetClock;
  /** Takes recovery credentials that masters issue with renewals; may hold the new key of a recovery request. */
  recovery?: Pick<RecoveryFiles, 'note' | 'credentialFor' | 'pendingKeyFor'> | undefined;
}

/** An unanswered request: a retry repeats it unchanged. */
interface Attempt {
  requestId: string;
  /** The key in use at its start. */
  publicKey: string;
}

/** The requests of one peel: renew the JWT, or rotate the key. */
export class RenewalRequests {
  readonly #options: RenewalRequestsOptions;
  #renewing: Attempt | undefined;
  #rotating: (Attempt & { newKey: KeyBundle }) | undefined;

  constructor(options: RenewalRequestsOptions) {
    this.#options = options;
  }

  /** Another key is in use: drops unanswered requests for the previous one. */
  keyInUse(publicKey: string): void {
    if (this.#renewing?.publicKey !== publicKey) this.#renewing = undefined;
    if (this.#rotating?.publicKey !== publicKey) this.forgetKey();
  }

  /** Wipes a new key that got no JWT. */
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
    const held = heldRecovery(await this.#options.recovery?.credentialFor(publicKey));
    const {
      jwt,
      rotate = false,
      recovery,
    } = await this.#ask('renew', {
      requestId,
      publicKey,
      ...(held && { recovery: held }),
    });
    this.#check(attempt, jwt, { peelId, publicKey, notIssuedBefore: claims.iat });
    if (recovery !== undefined) this.#options.recovery?.note(recovery);
    this.#renewing = undefined;
    return { creds: this.#credsOf(jwt, current.seed), rotate };
  }

  /** Makes a new key and requests a JWT for it: both keys sign the request. @throws as {@link renew} */
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
    // a new key has no older JWT
    this.#check(attempt, jwt, { peelId, publicKey: newPublicKey, notIssuedBefore: 0 });
    if (recovery !== undefined) this.#options.recovery?.note(recovery);
    const creds = this.#credsOf(jwt, newKey.seed);
    this.forgetKey();
    return creds;
  }

  /** The attempt in progress, or a new one: with the new key of a recovery request, if there is one. */
  async #rotationOf(publicKey: string): Promise<Attempt & { newKey: KeyBundle }> {
    const pending = await this.#options.recovery?.pendingKeyFor(publicKey);
    if (pending !== undefined && this.#rotating?.newKey.publicKey !== pending.publicKey) this.forgetKey();
    return (this.#rotating ??= {
      requestId: newRequestId(),
      publicKey,
      newKey: pending ?? generateKeyBundle('user'),
    });
  }

  /** The next {@link rotate} requests another JWT for a new key that already has one. */
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
      requestWithResend(nc, authSubject(peelId, name), encodeJson(request), {
        inboxPrefix: peelInboxPrefix(peelId),
        timeoutMs: answerTimeout(this.remainingMs),
      }),
    );
  }

  /**
   * Checks a JWT. If it is unusable, the next attempt is a new request: repeating this one would return the same JWT.
   */
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
