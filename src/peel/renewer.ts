import { expiryTime } from '../jwt/expiry.js';
import type { NatsConnection } from '@nats-io/nats-core';
import type { ConnectionCredentials } from '../connection/connect.js';
import type { CredsFile } from '../creds/creds-file.js';
import { generateCredsFile, writeCredsFile } from '../creds/generate.js';
import { decodeCredsOfFile } from '../creds/file-credential-source.js';
import type { UserClaims } from '../jwt/claims.js';
import { decodeUserJwt } from '../jwt/decode.js';
import { FleetError, type ZesterError } from '../errors.js';
import { askAgain } from '../protocol/ask-again.js';
import { newRequestId } from '../protocol/ask.js';
import { encodeJson, type AnswerOf, type RequestOf } from '../protocol/messages.js';
import { rotationProof } from '../protocol/proofs.js';
import { authSubject } from '../permissions/names.js';
import { accountOf } from '../jwt/account-of.js';
import { generateKeyBundle, loadKeyBundle, type KeyBundle } from '../nkeys/key-bundle.js';
import { peelInboxPrefix } from '../permissions/names.js';
import { checkGivenJwt, readMasterAnswer, type WantedJwt } from './verify-master.js';
import { DOUBT_MS, type FleetClock } from './clock.js';
import type { PeelEvent } from './events.js';
import { answerTimeout, renewalAt, retryPause, type Lifetime } from './schedule.js';

/** What a {@link Renewer} works with. */
export interface RenewerOptions {
  peelId: string;
  credsPath: string;
  nc: NatsConnection;
  credentials: ConnectionCredentials;
  clock: FleetClock;
  emit: (event: PeelEvent) => void;
  /** A master refused for good. */
  ended: (error: FleetError) => void;
  /** Renew nothing by itself. */
  onlyWhenTold?: boolean | undefined;
  /** From 0 to 1; `Math.random` by default. */
  random?: (() => number) | undefined;
  /** Instead of `writeCredsFile`. */
  write?: ((path: string, jwt: string, seed: Uint8Array) => Promise<void>) | undefined;
}

/** What is to be done, and since when it does not work. */
interface Task {
  failures: number;
  /** Not before this time, by `performance.now()`. */
  notBefore: number;
}

/** A renewal or a rotation that was asked for and not answered yet: asked again, it is the same request. */
interface Attempt {
  requestId: string;
  /** The key in use when it began. */
  publicKey: string;
}

interface RotationAttempt extends Attempt {
  newKey: KeyBundle;
}

/** The longest sleep, in milliseconds: a clock that is set, or a machine that slept, is noticed after it. */
const LONGEST_SLEEP_MS = 60_000;
/** A credential that lives shorter than this would not survive a clock that is as wrong as is thought possible. */
const SHORT_LIFETIME_MS = 3 * DOUBT_MS;

/**
 * Keeps the credential of a peel good: asks for a new JWT at two thirds of its lifetime, replaces the key when told to,
 * puts what it gets into the file, and tries each of it again until it works. One thing at a time.
 */
export class Renewer {
  readonly #options: RenewerOptions;
  readonly #random: () => number;
  readonly #renewal: Task = newTask();
  readonly #rotation: Task = newTask();
  readonly #writing: Task = newTask();
  #renewing: Attempt | undefined;
  #rotating: RotationAttempt | undefined;
  /** Received, and not in the file yet. */
  #unwritten: { creds: CredsFile; rotation: boolean } | undefined;
  #writingNow: Promise<void> | undefined;
  #wantRotation = false;
  /** Written, and to be in use before the rotation is done. */
  #moving: { publicKey: string; old: CredsFile; expiresAt: number | undefined } | undefined;
  #waiters: { resolve: (publicKey: string) => void; reject: (error: Error) => void }[] = [];
  /** The JWT that `#dueAt` is for. */
  #scheduled = '';
  #dueAt = Infinity;
  /**
   * By `performance.now()`: a JWT that is due at once, because the masters' clocks differ, does not lead to a renewal
   * without pause.
   */
  #renewAgainAt = 0;
  #wake: (() => void) | undefined;
  #stopped = false;
  #loop: Promise<void> | undefined;

  constructor(options: RenewerOptions) {
    this.#options = options;
    this.#random = options.random ?? Math.random;
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  /** Begins nothing new. Resolves when a file that is being written is there, or is not going to be. */
  async stop(): Promise<void> {
    this.#stop();
    await this.#writingNow?.catch(() => undefined);
  }

  #stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#wakeUp();
    const error = new FleetError('ERR_FLEET_STATE', 'the peel ended before its key was replaced', {
      peelId: this.#options.peelId,
    });
    for (const { reject } of this.#waiters.splice(0)) reject(error);
    this.#rotating?.newKey.wipe();
  }

  /** Replaces the key. Several calls while it is under way are one. @returns the new public key, once it is in use */
  rotate(): Promise<string> {
    return new Promise((resolve, reject) => {
      if (this.#stopped) {
        reject(new FleetError('ERR_FLEET_STATE', 'the peel has ended: its key is not replaced any more'));
        return;
      }
      this.#waiters.push({ resolve, reject });
      this.wantRotation();
    });
  }

  /** Replaces the key, and does not wait. */
  wantRotation(): void {
    if (this.#wantRotation || this.#moving !== undefined || this.#unwritten?.rotation === true) return;
    this.#wantRotation = true;
    this.#wakeUp();
  }

  /** The connection is back, or other credentials are in the file or in use: what waits is tried again now. */
  look(): void {
    this.#checkMoved();
    this.#renewal.notBefore = 0;
    this.#rotation.notBefore = 0;
    this.#wakeUp();
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      this.#reschedule();
      const { waitMs, act } = this.#next();
      if (waitMs > 0) await this.#sleep(Math.min(waitMs, LONGEST_SLEEP_MS));
      else await act();
    }
  }

  /** What is to be done next, and in how many milliseconds. */
  #next(): { waitMs: number; act: () => Promise<void> } {
    const { clock } = this.#options;
    const monotonic = performance.now();
    const choices: { waitMs: number; act: () => Promise<void> }[] = [];
    if (this.#unwritten !== undefined) {
      choices.push({ waitMs: this.#writing.notBefore - monotonic, act: () => this.#writeAgain() });
    }
    if (this.#wantRotation && this.#unwritten?.rotation !== true) {
      choices.push({ waitMs: this.#rotation.notBefore - monotonic, act: () => this.#rotateOnce() });
    }
    const notBefore = Math.max(this.#renewal.notBefore, this.#renewAgainAt);
    const due = Math.max(this.#dueAt - clock.now(), notBefore - monotonic);
    if (this.#dueAt < Infinity) choices.push({ waitMs: due, act: () => this.#renewOnce() });
    return choices.reduce((first, choice) => (choice.waitMs < first.waitMs ? choice : first), {
      waitMs: Infinity,
      act: () => Promise.resolve(),
    });
  }

  /** Looks at what is in use now: somebody else may have replaced the file. */
  #reschedule(): void {
    const { credentials, clock } = this.#options;
    const { jwt, claims, publicKey } = credentials.current;
    if (jwt === this.#scheduled) return;
    this.#scheduled = jwt;
    if (this.#renewing?.publicKey !== publicKey) this.#renewing = undefined;
    if (this.#rotating !== undefined && this.#rotating.publicKey !== publicKey) {
      this.#rotating.newKey.wipe();
      this.#rotating = undefined;
    }
    const lifetime = lifetimeOf(claims);
    clock.isAtLeast(lifetime.issuedAt);
    if (this.#options.onlyWhenTold === true) return;
    this.#dueAt = renewalAt(lifetime, this.#random());
    // a clock that is wrong by minutes would renew too late: asking is the way to know the time
    const short = lifetime.expiresAt !== undefined && spanOf(lifetime) < SHORT_LIFETIME_MS;
    if (short && !clock.confirmed) this.#dueAt = -Infinity;
  }

  // --- renewal --------------------------------------------------------------------------------------------------------

  async #renewOnce(): Promise<void> {
    const { credentials, peelId } = this.#options;
    const current = credentials.current;
    const { publicKey, claims } = current;
    this.#renewing ??= { requestId: newRequestId(), publicKey };
    const { requestId } = this.#renewing;
    try {
      const answer = await this.#ask('renew', { requestId, publicKey });
      if (this.#stopped) return;
      const wanted = { peelId, publicKey, notIssuedBefore: claims.iat };
      const given = this.#check(this.#renewing, answer.jwt, wanted);
      this.#renewing = undefined;
      done(this.#renewal);
      this.#renewAgainAt = performance.now() + Math.min(60_000, spanOf(lifetimeOf(given)) / 10);
      if (answer.rotate === true) this.wantRotation();
      const seed = current.seed;
      try {
        await this.#keep(this.#credsOf(answer.jwt, seed), false);
      } finally {
        seed.fill(0);
      }
      if (credentials.current.publicKey !== publicKey) return; // replaced by somebody else meanwhile
      this.#emit({ type: 'renewed', publicKey, expiresAt: this.#expiresAt() });
    } catch (error) {
      this.#failed('renewal', this.#renewal, error);
    }
  }

  // --- rotation -------------------------------------------------------------------------------------------------------

  async #rotateOnce(): Promise<void> {
    const { credentials, peelId } = this.#options;
    const current = credentials.current;
    const { publicKey } = current;
    try {
      this.#rotating ??= { requestId: newRequestId(), publicKey, newKey: generateKeyBundle('user') };
      const { requestId, newKey } = this.#rotating;
      const newPublicKey = newKey.publicKey;
      const proof = rotationProof({ requestId, peelId, publicKey, newPublicKey });
      const answer = await this.#ask('rotate', {
        requestId,
        publicKey,
        newPublicKey,
        signature: signatureOf(current, proof),
        newSignature: Buffer.from(newKey.sign(proof)).toString('base64url'),
      });
      if (this.#stopped) return;
      // for a key that is new there is no older JWT
      this.#check(this.#rotating, answer.jwt, { peelId, publicKey: newPublicKey, notIssuedBefore: 0 });
      const seed = newKey.seed;
      const creds = this.#credsOf(answer.jwt, seed);
      seed.fill(0);
      newKey.wipe();
      this.#rotating = undefined;
      this.#wantRotation = false;
      done(this.#rotation);
      const expiresAt = lifetimeOf(creds.claims).expiresAt;
      this.#moving = { publicKey: newPublicKey, old: current, expiresAt };
      await this.#keep(creds, true);
    } catch (error) {
      this.#failed('rotation', this.#rotation, error);
    }
  }

  /** A rotation is done when the connection uses the new key. */
  #checkMoved(): void {
    const { credentials } = this.#options;
    const moving = this.#moving;
    if (moving === undefined || this.#unwritten?.rotation === true) return;
    const { publicKey, old, expiresAt } = moving;
    if (credentials.current.publicKey !== publicKey) {
      // somebody put another credential into the file, with a key that is newer still
      this.#endMoving(credentials.current.publicKey);
      return;
    }
    const { jwtInUse } = credentials;
    if (jwtInUse === undefined || decodeUserJwt(jwtInUse).sub !== publicKey) return;
    this.#emit({ type: 'keyRotated', publicKey, replaces: old.publicKey, expiresAt });
    old.wipe();
    this.#endMoving(publicKey);
  }

  #endMoving(publicKey: string): void {
    this.#moving = undefined;
    for (const { resolve } of this.#waiters.splice(0)) resolve(publicKey);
  }

  // --- the file -------------------------------------------------------------------------------------------------------

  /**
   * Puts new credentials into the file, and into use. A new key is used only once it is there: were it lost, the peel
   * would be, since a master revokes the old one. A new JWT for the same key is used at once.
   */
  async #keep(creds: CredsFile, rotation: boolean): Promise<void> {
    // a new key that waits to be written is newer than this
    if (this.#unwritten?.rotation === true && !rotation) return this.#hold(creds);
    this.#unwritten = { creds, rotation };
    this.#writing.failures = 0;
    await this.#writeAgain();
  }

  async #writeAgain(): Promise<void> {
    const { credsPath, credentials, write = writeCredsFile } = this.#options;
    const unwritten = this.#unwritten;
    if (unwritten === undefined) return;
    const { creds, rotation } = unwritten;
    if (this.#isOutdated(unwritten)) {
      this.#unwritten = undefined;
      this.#checkMoved();
      return;
    }
    if (rotation && this.#isStale(creds)) return this.#askAgain(creds);
    const seed = creds.seed;
    try {
      this.#writingNow = write(credsPath, creds.jwt, seed);
      await this.#writingNow;
      this.#unwritten = undefined;
      const again = this.#writing.failures > 0;
      done(this.#writing);
      if (again) this.#emit({ type: 'written', path: credsPath, publicKey: creds.publicKey });
      credentials.look();
    } catch (error) {
      if (!rotation) this.#hold(creds);
      this.#writing.failures += 1;
      // nothing but a disk is asked, but a full one does not become empty by being asked often
      const retryInMs = Math.min(30_000, 250 * 2 ** Math.min(10, this.#writing.failures - 1));
      this.#writing.notBefore = performance.now() + retryInMs;
      this.#emit({ type: 'notWritten', path: credsPath, error: error as Error, retryInMs, inUse: !rotation });
    } finally {
      seed.fill(0);
      this.#writingNow = undefined;
    }
  }

  /** Whether somebody put another credential into the file, which is newer than the one that waits to be written. */
  #isOutdated({ creds, rotation }: { creds: CredsFile; rotation: boolean }): boolean {
    const { credentials } = this.#options;
    credentials.look();
    const { publicKey, claims } = credentials.current;
    if (rotation) return publicKey !== this.#moving?.old.publicKey;
    return publicKey !== creds.publicKey || claims.iat > creds.claims.iat;
  }

  /** Whether a JWT that waits to be written would be due for renewal at once. */
  #isStale({ claims }: CredsFile): boolean {
    return renewalAt(lifetimeOf(claims), 0.5) <= this.#options.clock.now();
  }

  /** Another JWT for a new key that was given one, which became old while it waited to be written. */
  #askAgain(creds: CredsFile): void {
    const seed = creds.seed;
    const newKey = loadKeyBundle('user', seed);
    seed.fill(0);
    const { publicKey } = this.#options.credentials.current;
    this.#unwritten = undefined;
    this.#moving = undefined;
    this.#rotating = { requestId: newRequestId(), publicKey, newKey };
    this.#wantRotation = true;
  }

  /** Uses what is not in the file. */
  #hold(creds: CredsFile): void {
    const { credentials } = this.#options;
    if (credentials.current.jwt === creds.jwt) return;
    try {
      credentials.hold(creds);
    } catch {
      // expired while it waited: another renewal is due anyway
    }
  }

  #credsOf(jwt: string, seed: Uint8Array): CredsFile {
    const content = generateCredsFile(jwt, seed);
    try {
      return decodeCredsOfFile(content, this.#options.credsPath);
    } finally {
      content.fill(0);
    }
  }

  // --- asking ---------------------------------------------------------------------------------------------------------

  async #ask<N extends 'renew' | 'rotate'>(
    name: N,
    request: RequestOf<N> & { requestId: string },
  ): Promise<AnswerOf<N>> {
    const { nc, peelId, clock } = this.#options;
    const timeoutMs = answerTimeout(this.#remaining());
    const sent = clock.local();
    const raw = await askAgain(nc, authSubject(peelId, name), encodeJson(request), {
      inboxPrefix: peelInboxPrefix(peelId),
      timeoutMs,
    });
    const received = clock.local();
    const answer = readMasterAnswer(name, request.requestId, raw, this.#master());
    if (answer.requestId !== request.requestId) {
      throw new FleetError('ERR_FLEET_ANSWER', `the answer to "${name}" is one to another request`);
    }
    clock.confirm(answer.now, sent, received);
    const offsetMs = clock.sayOff();
    if (offsetMs !== undefined) this.#emit({ type: 'clockOff', offsetMs, knownFrom: 'master' });
    // what was due for want of the time is due at its time
    this.#scheduled = '';
    return answer;
  }

  /** Checks a JWT. One that is of no use would be the answer to the same request again: the next is another. */
  #check(attempt: Attempt | undefined, jwt: string, wanted: WantedJwt): UserClaims {
    try {
      return checkGivenJwt(jwt, wanted, this.#master());
    } catch (error) {
      if (attempt !== undefined) attempt.requestId = newRequestId();
      throw error;
    }
  }

  #master(): { account: string; now: number } {
    const { credentials, clock } = this.#options;
    return { account: accountOf(credentials.current.claims), now: clock.lenient() };
  }

  #failed(what: 'renewal' | 'rotation', task: Task, error: unknown): void {
    if (this.#stopped) return;
    if (error instanceof FleetError && error.final) return this.#options.ended(error);
    task.failures += 1;
    const remaining = this.#remaining();
    const lifetime = spanOf(lifetimeOf(this.#options.credentials.current.claims));
    const retryInMs = retryPause(task.failures, remaining, lifetime, this.#random());
    task.notBefore = performance.now() + retryInMs;
    this.#emit({
      type: 'renewalFailed',
      what,
      error: error as ZesterError,
      retryInMs,
      remainingMs: remaining === Infinity ? undefined : remaining,
    });
  }

  #expiresAt(): number | undefined {
    return lifetimeOf(this.#options.credentials.current.claims).expiresAt;
  }

  /** Milliseconds until the credential in use expires. */
  #remaining(): number {
    return (this.#expiresAt() ?? Infinity) - this.#options.clock.now();
  }

  #emit(event: PeelEvent): void {
    // what was under way when the peel ended is no news
    if (!this.#stopped) this.#options.emit(event);
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#wakeUp(), ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #wakeUp(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}

function newTask(): Task {
  return { failures: 0, notBefore: 0 };
}

function done(task: Task): void {
  task.failures = 0;
  task.notBefore = 0;
}

function lifetimeOf(claims: UserClaims): Lifetime {
  return { issuedAt: claims.iat * 1000, expiresAt: expiryTime(claims) };
}

function spanOf({ issuedAt, expiresAt }: Lifetime): number {
  return (expiresAt ?? Infinity) - issuedAt;
}

function signatureOf(creds: CredsFile, data: Uint8Array): string {
  const seed = creds.seed;
  const key = loadKeyBundle('user', seed);
  try {
    return Buffer.from(key.sign(data)).toString('base64url');
  } finally {
    seed.fill(0);
    key.wipe();
  }
}
