// Renews and rotates a peel's credential on time.
import { diagnose } from '../connection/diagnostics.js';
import type { CredsFile } from '../creds/creds-file.js';
import { FleetError } from '../errors.js';
import { decodeUserJwt } from '../jwt/decode.js';
import { expiryTime } from '../jwt/expiry.js';
import type { PeelEvent } from './events.js';
import {
  afterEvent,
  dueAt,
  judgeMove,
  judgeUnwritten,
  NOTHING_DUE,
  pauseAfter,
  plan,
  writePause,
  type Credential,
  type RenewalEvent,
  type RenewalState,
} from './renewal-plan.js';
import { pauseAfterOutage } from './schedule.js';
import { RenewalRequests, type RenewalRequestsOptions } from './renewal-requests.js';

/** The dependencies of a {@link Renewer}. */
export interface RenewerOptions extends RenewalRequestsOptions {
  emit: (event: PeelEvent) => void;
  /** A master refused permanently. */
  ended: (error: FleetError) => void;
  /** Disables automatic renewal: only requests renew or rotate. */
  onlyOnRequest?: boolean | undefined;
}

type Requests = Pick<
  RenewalRequests,
  'renew' | 'rotate' | 'keyInUse' | 'forgetKey' | 'remainingMs' | 'askAgainFor'
>;

/**
 * Keeps the credential of a peel valid: requests a new JWT in time, rotates the key on request, writes the result to
 * the file, and retries each step until it succeeds. One step at a time; `plan` decides the next one.
 */
export class Renewer {
  readonly #options: RenewerOptions;
  readonly #requests: Requests;
  #state: RenewalState = NOTHING_DUE;
  /** Received, but not in the file yet. */
  #unwritten: CredsFile | undefined;
  /** The credential replaced by a rotation. */
  #replaced: CredsFile | undefined;
  #writingNow: Promise<void> | undefined;
  #waiters: { resolve: (publicKey: string) => void; reject: (error: Error) => void }[] = [];
  /** The credential that the state's `dueAt` belongs to. */
  #scheduled = '';
  #wake: (() => void) | undefined;
  #stopped = false;

  constructor(options: RenewerOptions, requests: Requests = new RenewalRequests(options)) {
    this.#options = options;
    this.#requests = requests;
  }

  start(): void {
    void this.#run();
  }

  /** Starts no further step. Resolves when a write in progress has ended. */
  async stop(): Promise<void> {
    if (!this.#stopped) {
      this.#stopped = true;
      this.#wakeUp();
      const { peelId } = this.#options;
      const words = 'the peel stopped before its key was rotated';
      for (const { reject } of this.#waiters.splice(0))
        reject(new FleetError('ERR_FLEET_STATE', words, { peelId }));
      this.#requests.forgetKey();
    }
    await this.#writingNow?.catch(() => undefined);
  }

  /** Replaces the key. Concurrent calls are coalesced. @returns the new public key, once it is in use */
  rotate(): Promise<string> {
    return new Promise((resolve, reject) => {
      if (this.#stopped) {
        reject(new FleetError('ERR_FLEET_STATE', 'the peel has stopped, so its key is not rotated'));
        return;
      }
      this.#waiters.push({ resolve, reject });
      this.wantRotation();
    });
  }

  /** Starts a key rotation without waiting. */
  wantRotation(): void {
    this.#happened({ type: 'rotationWanted' });
    this.#wakeUp();
  }

  /** Reconnected after an outage, perhaps with a whole fleet: retries waiting steps, but with a random pause. */
  reconnected(): void {
    this.#checkMoved();
    const pauseMs = pauseAfterOutage(this.#requests.remainingMs, Math.random());
    this.#happened({ type: 'reconnected', monotonic: performance.now(), pauseMs });
    this.#wakeUp();
  }

  /** The file or the credentials in use changed: retries waiting steps now. */
  checkNow(): void {
    this.#checkMoved();
    this.#happened({ type: 'changed' });
    this.#wakeUp();
  }

  async #run(): Promise<void> {
    const acts = { write: () => this.#write(), rotate: () => this.#rotate(), renew: () => this.#renew() };
    while (!this.#stopped) {
      this.#schedule();
      const next = plan(this.#state, {
        fleet: this.#options.clock.now(),
        monotonic: performance.now(),
      });
      await (next.do === 'wait' ? this.#sleep(next.ms) : acts[next.do]());
    }
  }

  /** Checks the credential in use: another program may have replaced the file. */
  #schedule(): void {
    const { credentials, clock, onlyOnRequest = false } = this.#options;
    const { jwt, publicKey } = credentials.current;
    // a renewal that was due only because the time was unknown is rescheduled once it is known
    const subject = `${clock.confirmed} ${jwt}`;
    if (subject === this.#scheduled) return;
    this.#scheduled = subject;
    this.#requests.keyInUse(publicKey);
    const { lifetime } = credentialOf(credentials.current);
    clock.isAtLeast(lifetime.issuedAt);
    const due = onlyOnRequest ? Infinity : dueAt(lifetime, Math.random(), clock.confirmed);
    this.#happened({ type: 'inUse', dueAt: due });
  }

  async #renew(): Promise<void> {
    const { credentials } = this.#options;
    const requestedKey = credentials.current.publicKey;
    try {
      const { creds, rotate } = await this.#timed('renewal', () => this.#requests.renew());
      if (this.#stopped) return;
      this.#sayClock();
      const waitsForKey = this.#state.rotation.is === 'writing';
      this.#happened({ type: 'renewed', credential: credentialOf(creds), monotonic: performance.now() });
      if (rotate) this.wantRotation();
      if (waitsForKey) {
        this.#hold(creds);
      } else {
        this.#unwritten = creds;
        await this.#write();
      }
      const { publicKey, claims } = credentials.current;
      if (publicKey !== creds.publicKey) return; // replaced meanwhile
      this.#emit({ type: 'renewed', publicKey, expiresAt: expiryTime(claims) });
    } catch (error) {
      this.#failed('renewal', error, requestedKey);
    }
  }

  async #rotate(): Promise<void> {
    const { current } = this.#options.credentials;
    try {
      const { creds } = await this.#timed('rotation', async () => ({ creds: await this.#requests.rotate() }));
      if (this.#stopped) return;
      this.#sayClock();
      this.#replaced = current;
      this.#unwritten = creds;
      this.#happened({ type: 'keyGiven', credential: credentialOf(creds), replaces: current.publicKey });
      await this.#write();
    } catch (error) {
      this.#failed('rotation', error, current.publicKey);
    }
  }

  /**
   * Writes new credentials to the file, and uses them. A new key is used only once it is in the file: losing it would
   * lock the peel out, since a master revokes the old one. A new JWT for the same key is used at once.
   */
  async #write(): Promise<void> {
    const { store, credentials, clock } = this.#options;
    const creds = this.#unwritten;
    if (creds === undefined) return;
    await credentials.refresh();
    if (this.#stopped) return;
    const verdict = judgeUnwritten(this.#state, credentialOf(credentials.current), clock.now());
    if (verdict !== 'write') {
      this.#unwritten = undefined;
      if (verdict === 'grewOld') this.#requests.askAgainFor(creds);
      this.#happened({ type: verdict });
      this.#checkMoved();
      return;
    }
    const { rotation, unwritten } = this.#state;
    const isRotation = rotation.is === 'writing';
    const retry = isRotation ? rotation.retry : unwritten?.retry;
    try {
      this.#writingNow = store.write(creds);
      await this.#writingNow;
      this.#unwritten = undefined;
      this.#happened({ type: 'written' });
      if (retry !== undefined && retry.failures > 0) {
        this.#emit({ type: 'written', path: store.path, publicKey: creds.publicKey });
      }
      credentials.stored(creds);
      // the file watcher may have switched the connection before the write returned
      this.#checkMoved();
    } catch (error) {
      if (!isRotation) this.#hold(creds);
      const retryInMs = writePause(retry ?? { failures: 0, notBefore: 0 });
      this.#happened({ type: 'notWritten', monotonic: performance.now() });
      this.#emit({
        type: 'notWritten',
        path: store.path,
        error: error as Error,
        retryInMs,
        inUse: !isRotation,
      });
    } finally {
      this.#writingNow = undefined;
    }
  }

  #checkMoved(): void {
    const { credentials } = this.#options;
    const { rotation } = this.#state;
    const inFile = credentials.current.publicKey;
    const inUse = credentials.jwtInUse && decodeUserJwt(credentials.jwtInUse).sub;
    const verdict = judgeMove(rotation, { inFile, inUse });
    if (verdict === 'wait' || rotation.is !== 'moving') return;
    this.#happened({ type: 'moved' });
    if (verdict === 'moved') {
      const { replaces, credential } = rotation;
      const { expiresAt } = credential.lifetime;
      this.#emit({ type: 'keyRotated', publicKey: inFile, replaces, expiresAt });
      this.#replaced?.wipe();
    }
    this.#replaced = undefined;
    for (const { resolve } of this.#waiters.splice(0)) resolve(inFile);
  }

  /** Uses credentials that are not in the file. */
  #hold(creds: CredsFile): void {
    const { credentials } = this.#options;
    if (credentials.current.jwt === creds.jwt) return;
    try {
      credentials.hold(creds);
    } catch {
      // expired while waiting: another renewal is due anyway
    }
  }

  /** @param publicKey the requested key */
  #failed(what: 'renewal' | 'rotation', error: unknown, publicKey: string): void {
    if (this.#stopped) return;
    // a request that waited for the connection may arrive after the key was replaced; its permanent refusal concerns
    // the old key, not this peel
    const isCurrent = this.#options.credentials.current.publicKey === publicKey;
    if (error instanceof FleetError && error.final && isCurrent) return this.#options.ended(error);
    this.#sayClock();
    const { rotation, renewal } = this.#state;
    const retry = what === 'rotation' && rotation.is === 'wanted' ? rotation.retry : renewal;
    const remaining = this.#requests.remainingMs;
    const current = credentialOf(this.#options.credentials.current);
    const retryInMs = pauseAfter(retry, current, remaining, Math.random());
    this.#happened({ type: 'failed', what, retryInMs, monotonic: performance.now() });
    const remainingMs = remaining === Infinity ? undefined : remaining;
    this.#emit({ type: 'renewalFailed', what, error: error as Error, retryInMs, remainingMs });
  }

  /** Reports the duration of a request to a master to listeners. */
  async #timed<T extends { creds: CredsFile }>(
    what: 'renewal' | 'rotation',
    ask: () => Promise<T>,
  ): Promise<T> {
    const { peelId } = this.#options;
    const startedAt = performance.now();
    const durationMs = () => performance.now() - startedAt;
    try {
      const given = await ask();
      const { publicKey, claims } = given.creds;
      const expiresAt = expiryTime(claims);
      diagnose('renewal', { peelId, what, durationMs: durationMs(), publicKey, expiresAt });
      return given;
    } catch (error) {
      if (!this.#stopped)
        diagnose('renewal', { peelId, what, durationMs: durationMs(), error: error as Error });
      throw error;
    }
  }

  #sayClock(): void {
    const offsetMs = this.#options.clock.confirmed ? this.#options.clock.offsetToReport() : undefined;
    if (offsetMs !== undefined) this.#emit({ type: 'clockOff', offsetMs, knownFrom: 'master' });
  }

  #happened(event: RenewalEvent): void {
    this.#state = afterEvent(this.#state, event);
  }

  #emit(event: PeelEvent): void {
    // ignore work that was in progress when the peel stopped
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

function credentialOf({ publicKey, claims }: CredsFile): Credential {
  return { publicKey, lifetime: { issuedAt: claims.iat * 1000, expiresAt: expiryTime(claims) } };
}
