// startPeel: connects, runs commands, and renews its credential.
import { connectOptionsError, RENAMED_WAITS } from '../connection/option-names.js';
import { withCurrentNames } from '../options/renamed-options.js';
import { expiryTime } from '../jwt/expiry.js';
import type { Msg, Subscription } from '@nats-io/nats-core';
import { Broadcast } from '../async/broadcast.js';
import { guarded, guardedNumber } from '../async/guarded.js';
import {
  openPeel,
  type ConnectionCredentials,
  type ConnectSettings,
  type ZesterConnection,
} from '../connection/connect.js';
import { loadGiven, nameOf, storeOf, type CredentialStore } from '../connection/credentials.js';
import { atLeast, checkNumbers, TIMEOUT_MS } from '../connection/check-options.js';
import type { ConnectionEvent } from '../connection/events.js';
import { Refusals } from '../connection/refusals.js';
import { withDeadline } from '../async/deadline.js';
import { orAborted } from '../async/or-aborted.js';
import type { CredsFile } from '../creds/creds-file.js';
import { expired } from '../creds/credential-holder.js';
import { noStoreError } from '../creds/credential-provider.js';
import {
  givenUserCredentials,
  type CredentialsOption,
  type GivenUserCredentials,
  type UserCredentials,
} from '../creds/credentials-option.js';
import { FleetError, ZesterError } from '../errors.js';
import { answerCommand } from '../protocol/answer-command.js';
import { commandReplyVerdict } from '../protocol/command-reply.js';
import { encodeJson } from '../protocol/messages.js';
import { commandSubject, noticeSubject } from '../permissions/names.js';
import { validatePeelId } from '../permissions/peel-id.js';
import { validateSubject } from '../permissions/subject.js';
import { afterStartRecovery, recoveryEvent } from './after-recovery.js';
import { FleetClock } from './clock.js';
import { peelLog, type PeelEvent, type PeelLog } from './events.js';
import { BUILT_IN_HANDLERS } from './built-in-handlers.js';
import { Handlers, type Handler } from './handlers.js';
import { afterPeelEvent, peelHealth, type PeelHealth } from './health.js';
import { PeelMetrics } from './metrics.js';
import { ownFacts } from './own-facts.js';
import { judgeNotice } from './judge-notice.js';
import { readNotice } from './notices.js';
import { Recovery } from './recovery.js';
import { loadNow, recoveryFilesOf, withRecovery, type RecoveryFiles } from './recovery-files.js';
import { ASK_ANYWAY_EVERY, mayHaveExpired, recoveryPause, type RecoveryResult } from './recovery-plan.js';
import { sleep } from '../async/sleep.js';
import { Renewer, type RenewerOptions } from './renewer.js';
import { omit } from './omit.js';
import { checkPeelNames } from './option-names.js';
import { afterFailedStart, afterNotice } from './start-plan.js';
import {
  DRAIN_TIMEOUT_MS,
  HANDOVER_TIMEOUT_MS,
  LAST_WORDS_TIMEOUT_MS,
  RECONNECT_WAIT_MS,
  RECOVERY_CLOCK_DOUBT_MS,
} from '../timing.js';

/**
 * The options of {@link startPeel}, without its credentials. Options of `connectPeel` and the client may be given
 * too.
 */
export interface PeelSettings extends Omit<ConnectSettings, 'watch' | 'onEvent'> {
  /** By default the name in the JWT. */
  peelId?: string | undefined;
  /** Command handlers by name. Add more with {@link Peel.handle}. */
  handlers?: Readonly<Record<string, Handler>> | undefined;
  /**
   * How to switch to new credentials; `hitless` by default, unlike in `connectPeel`: a renewal loses or doubles no
   * command.
   */
  rotate?: 'reconnect' | 'hitless' | undefined;
  /** The window of reconnects, in milliseconds, as for `connectPeel`; 2,000 by default. */
  reconnectWindowMs?: number | undefined;
  /**
   * Wait and retry if no server is reachable, or one refuses the credentials: true by default, since an agent may start
   * before its server does. Permanent errors end the start anyway.
   */
  waitOnFirstConnect?: boolean | undefined;
  /** Aborts the first connect. */
  signal?: AbortSignal | undefined;
  /**
   * Renew the JWT in time, through a master; true by default. The new JWT is stored at the source of the credentials: a
   * file, or a provider with `store`. Other sources are refused unless this is false; then another program must replace
   * the credentials in time.
   */
  renew?: boolean | undefined;
  /**
   * Where to keep the recovery credential, which lets the peel recover by itself after its credential has expired: a
   * path or a `file:` URL; by default `FILE.recovery` next to the `.creds` file, or memory for a provider. `false`
   * disables recovery, and so does `renew: false`.
   */
  recovery?: string | URL | false | undefined;
  /** Limits of concurrent commands (16), waiting commands (1,000), and the time of one (4 minutes). */
  commands?:
    | {
        concurrency?: number | undefined;
        queue?: number | undefined;
        timeoutMs?: number | undefined;
      }
    | undefined;
  /**
   * Your own facts, as JSON: `zester peel exec ID facts` shows them as `own`. Called for each request, within the time
   * limit of a command. If it throws, the facts are omitted.
   */
  facts?: (() => unknown) | undefined;
  /**
   * Called for each event from the first connection attempt on; `events()` misses those before `startPeel` resolves.
   */
  onEvent?: ((event: PeelEvent) => void) | undefined;
}

/**
 * The options of {@link startPeel}: settings, and exactly one credential with a JWT. A file is replaced at each
 * renewal, so its directory must be writable; a provider that renews needs `store`.
 */
export type PeelOptions = PeelSettings & CredentialsOption<UserCredentials>;

/** Why a peel stopped. */
export interface PeelEnd {
  /**
   * `drained`: {@link Peel.drain} was called. `ended`: a master rejected or revoked it, in a signed notice. `failed`:
   * the connection was closed permanently, which only your own code can do.
   */
  reason: 'drained' | 'ended' | 'failed';
  error?: Error;
}

/**
 * Starts a peel: connects with its credentials, runs the commands on `zester.cmd.<id>`, and renews its credential,
 * unattended. Resolves when it is connected.
 *
 * @throws at once, for permanent errors: PeelIdError, CredsError, FileError of the credentials (`ERR_CREDS_NO_STORE`:
 *   they cannot be renewed; `ERR_CREDS_PROVIDER`: the first load failed); ConnectError of the servers
 *   (`ERR_CONNECT_URL`, `ERR_CONNECT_NO_SERVERS`, `ERR_CONNECT_PLAIN`), the files for TLS (`ERR_CONNECT_TLS_FILE`) and
 *   the other options (`ERR_CONNECT_OPTIONS`). With `waitOnFirstConnect: false`, ConnectError when no server takes the
 *   first connection
 * @example
 * import { startPeel } from 'zester/peel';
 *
 * const peel = await startPeel({
 *   servers: process.env.NATS_URL,
 *   credentials: 'web-01.creds', // renewed in time: the file is replaced
 *   handlers: { greet: ([name = 'world']) => `hello, ${name}` },
 * });
 * peel.publish('started', { pid: process.pid });
 * await peel.drain(); // when the program ends
 * console.log((await peel.closed).reason); // drained
 */
export async function startPeel(options: PeelOptions): Promise<Peel> {
  checkPeelNames(options);
  const { credentials, credsPath, ...rest } = options;
  const settings = withCurrentNames(rest, RENAMED_WAITS, connectOptionsError);
  const given = givenUserCredentials({ credentials, credsPath });
  if (settings.renew !== false && storeOf(given) === undefined) throw noStoreError(nameOf(given));
  checkNumbers(settings.commands ?? {}, {
    concurrency: atLeast(1, 'commands'),
    queue: atLeast(0, 'commands'),
    timeoutMs: TIMEOUT_MS,
  });
  const initial = await loadGiven(given);
  const peelId = validatePeelId(settings.peelId ?? initial.claims.name ?? '');
  const peel = new Peel(peelId, settings, given);
  await peel.open();
  return peel;
}

/**
 * A running peel; made by {@link startPeel}.
 *
 * @example
 * import { startPeel } from 'zester/peel';
 *
 * const peel = await startPeel({ servers: process.env.NATS_URL, credentials: 'web-01.creds' });
 * const remove = peel.handle('uptime', () => process.uptime());
 * const { ok, problems } = peel.health();
 * console.log(peel.id, ok, problems); // web-01 true []
 * console.log(peel.metricsText().startsWith('# HELP')); // true
 * remove();
 * await peel.drain();
 */
export class Peel {
  /** Its ID. */
  readonly id: string;
  /** Resolves when it has stopped; never rejects. */
  readonly closed: Promise<PeelEnd>;
  readonly #options: PeelSettings;
  #given: GivenUserCredentials;
  readonly #store: CredentialStore | undefined;
  readonly #recoveryFiles: RecoveryFiles | undefined;
  readonly #recovery: Recovery | undefined;
  /** Aborted when the peel stops. */
  readonly #stopping = new AbortController();
  #isComingBack = false;
  readonly #handlers: Handlers;
  readonly #clock: FleetClock;
  readonly #events = new Broadcast<PeelEvent>();
  readonly #log: PeelLog | undefined;
  readonly #onEvent: ((event: PeelEvent) => void) | undefined;
  #nc: ZesterConnection | undefined;
  #credentials: ConnectionCredentials | undefined;
  #renewer: Renewer | undefined;
  readonly #subscriptions: Subscription[] = [];
  #end: PeelEnd | undefined;
  /** The end was reported: further events of the connection are irrelevant. */
  #over = false;
  #isDown = false;
  /** Why the last renewal, rotation or write failed, while it is being retried. */
  #renewalFailure: string | undefined;
  readonly #metrics = new PeelMetrics();
  #resolveClosed: (end: PeelEnd) => void = () => undefined;
  /** The time of the last followed notice to rotate (ISO 8601): a repeated one is ignored. */
  #rotationAskedAt = '';

  /** @internal Use {@link startPeel}. */
  constructor(id: string, options: PeelSettings, given: GivenUserCredentials) {
    this.id = id;
    this.#options = options;
    this.#given = given;
    const report = (callback: string) => (error: Error) =>
      this.#emit({ type: 'callbackFailed', callback, error });
    const { logger, onEvent, now } = options;
    this.#clock = new FleetClock(now && guardedNumber(now, Date.now, report('now')));
    const store = storeOf(given);
    const files = store && recoveryFilesOf(given, options);
    this.#recoveryFiles = files;
    this.#store = store && files ? withRecovery(store, files) : store;
    if (this.#store !== undefined && files !== undefined) {
      const { servers, tls, requireTls, timeout } = options;
      this.#recovery = new Recovery({
        peelId: id,
        connection: { servers, tls, requireTls, timeout },
        store: this.#store,
        files,
        clock: this.#clock,
        reload: () => loadNow(given),
      });
    }
    this.#log = logger && peelLog(logger, report('logger'));
    this.#onEvent = onEvent && guarded(onEvent, report('onEvent'));
    this.closed = new Promise((resolve) => (this.#resolveClosed = resolve));
    this.#handlers = new Handlers({
      peelId: id,
      ...options.commands,
      onFailure: (handler, thrown) => {
        const error = thrown instanceof Error ? thrown : new Error(String(thrown));
        this.#emit({ type: 'commandFailed', handler, error });
      },
      onAnswered: (command) => this.#emit({ type: 'command', ...command }),
    });
    const self = {
      peelId: id,
      claims: () => this.credentials.claims,
      now: () => this.#clock.local(),
      own: ownFacts(options.facts, report('facts')),
    };
    for (const [name, handler] of Object.entries(BUILT_IN_HANDLERS))
      this.#handlers.handle(name, () => handler(self), { fixed: true });
    for (const [name, handler] of Object.entries(options.handlers ?? {})) this.handle(name, handler);
  }

  /** The connection, for your own messages. The peel closes it: call {@link drain}. */
  get nc(): ZesterConnection {
    if (this.#nc === undefined) throw new TypeError('the peel is not connected yet');
    return this.#nc;
  }

  /** The credentials in use: their claims and public key. */
  get credentials(): CredsFile {
    if (this.#credentials === undefined) throw new TypeError('the peel is not connected yet');
    return this.#credentials.current;
  }

  /**
   * Registers the handler of commands with this name; it replaces an earlier one. `ping` and `facts` are built in.
   *
   * @returns a function that removes the handler
   * @throws TypeError if the name is invalid or built in
   */
  handle(name: string, handler: Handler): () => void {
    return this.#handlers.handle(name, handler);
  }

  /**
   * Events of the peel and its connection, from now on; each call returns its own iterator.
   *
   * @example
   * import { startPeel } from 'zester/peel';
   *
   * const peel = await startPeel({ servers: process.env.NATS_URL, credentials: 'web-01.creds' });
   * const events = peel.events();
   * peel.drain().catch(console.error);
   * for await (const { type } of events) console.log(type); // drained
   */
  events(): AsyncIterable<PeelEvent> {
    return this.#events.iterate();
  }

  /** Its state: the connection, the credential, and what is being retried. */
  health(): PeelHealth {
    return peelHealth({
      end: this.#end?.error?.message ?? this.#end?.reason,
      connected: this.#nc !== undefined && !this.#isDown && !this.#nc.isClosed(),
      expiresAt: this.#credentials && expiryTime(this.#credentials.current.claims),
      now: this.#clock.now(),
      commands: this.#handlers.busy,
      renewalFailure: this.#renewalFailure,
    });
  }

  /** Its metrics, in the text format of Prometheus. */
  metricsText(): string {
    return this.#metrics.text(this.health());
  }

  /**
   * Publishes on `zester.event.<id>.<event>`. Buffered during an outage, up to `reconnectBufferSize`.
   *
   * @param event one token or several, with dots between
   * @param data bytes are sent as they are, anything else as JSON
   * @throws SubjectError; ReconnectBufferExceededError
   */
  publish(event: string, data?: unknown): void {
    const subject = validateSubject(`zester.event.${this.id}.${event}`, { wildcards: false });
    const payload = data instanceof Uint8Array ? data : data === undefined ? '' : encodeJson(data);
    this.nc.publish(subject, payload);
  }

  /**
   * Replaces the key, and the credential with it: makes a new key on this host, signs the request to a master with both
   * keys, and switches the connection without losing a command. Retried until it succeeds.
   *
   * @param options.signal aborts the wait, with its reason; the rotation continues
   * @returns the new public key, once it is in use
   * @throws FleetError when the peel stops first; CredsError `ERR_CREDS_NO_STORE` when its credentials cannot be stored
   * @example
   * import { startPeel } from 'zester/peel';
   *
   * const peel = await startPeel({ servers: process.env.NATS_URL, credentials: 'web-01.creds' });
   * const publicKey = await peel.rotate({ signal: AbortSignal.timeout(30_000) });
   * console.log(publicKey === peel.credentials.publicKey); // true
   * await peel.drain();
   */
  rotate({ signal }: { signal?: AbortSignal | undefined } = {}): Promise<string> {
    if (this.#nc !== undefined && this.#end === undefined && storeOf(this.#given) === undefined) {
      return Promise.reject(noStoreError(nameOf(this.#given)));
    }
    if (this.#renewer === undefined || this.#end !== undefined) {
      return Promise.reject(
        new FleetError('ERR_FLEET_STATE', 'the peel is not running', { peelId: this.id }),
      );
    }
    return orAborted(this.#renewer.rotate(), signal);
  }

  /**
   * Accepts no more commands, waits for running ones (at most `drainTimeoutMs`, 5 s by default), sends what is
   * buffered, and closes.
   */
  async drain(): Promise<void> {
    await this.#close({ reason: 'drained' }, this.#options.drainTimeoutMs ?? DRAIN_TIMEOUT_MS);
  }

  /** The same as `drain()`, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain();
  }

  /** @internal The injected clock was set: runs what is due now. */
  checkNow(): void {
    this.#renewer?.checkNow();
  }

  /** @internal Connects, and starts working. */
  async open(): Promise<void> {
    const { connection, credentials } = await this.#connect();
    this.#nc = connection;
    this.#credentials = credentials;
    const { current } = credentials;
    const expiresAt = expiryTime(current.claims);
    this.#clock.isAtLeast(current.claims.iat * 1000);
    if (expiresAt !== undefined) this.#clock.isAtMost(expiresAt);
    const offsetMs = this.#clock.offsetToReport();
    if (offsetMs !== undefined) this.#emit({ type: 'clockOff', offsetMs, knownFrom: 'credential' });
    const commands = connection.subscribe(commandSubject(this.id), {
      // one group per peel: a connection that takes over from another one takes its commands over, each once
      queue: this.id,
      callback: (error, msg) => {
        if (error === null) void this.#command(msg);
      },
    });
    const notices = connection.subscribe(noticeSubject(this.id), {
      callback: (error, msg) => {
        if (error === null) this.#notice(msg);
      },
    });
    this.#subscriptions.push(commands, notices);
    void this.#follow(connection);
    void connection.closed().then((error) => {
      // neither by drain() nor by a master
      if (this.#end !== undefined) return;
      const reason = error instanceof Error ? { error } : {};
      void this.#close({ reason: 'failed', ...reason }, 0);
    });
    // commands arrive from here on
    await withDeadline(
      connection.flush().catch(() => undefined),
      Date.now() + DRAIN_TIMEOUT_MS,
    );
    // a master may have ended it meanwhile
    if (this.#end !== undefined) return;
    const { publicKey } = current;
    this.#emit({ type: 'started', peelId: this.id, server: connection.getServer(), publicKey, expiresAt });
    this.#startRenewing(connection, credentials);
  }

  async #connect(): ReturnType<typeof openPeel> {
    const { waitOnFirstConnect = true, signal } = this.#options;
    const { rotate = 'hitless', handoverTimeoutMs = HANDOVER_TIMEOUT_MS } = this.#options;
    const options = omit(
      this.#options,
      'waitOnFirstConnect',
      'handlers',
      'facts',
      'renew',
      'recovery',
      'commands',
      'logger',
    );
    // a repeated refusal is logged less and less often
    const refusals = new Refusals();
    let recoveries = 0;
    for (let failures = 1; ; failures += 1) {
      signal?.throwIfAborted();
      try {
        const own = {
          rotate,
          handoverTimeoutMs,
          peelId: this.id,
          // before the first connection, the server decides what has expired, whatever this machine's clock says
          now: () => (this.#nc === undefined && this.#recovery !== undefined ? 0 : this.#clock.lenient()),
          onEvent: (event: ConnectionEvent) => this.#connectionEvent(event),
        };
        return await openPeel({ ...options, ...own }, this.#given);
      } catch (error) {
        if (mayHaveExpired(error)) {
          const { result, cause } = await this.#recoverOnce();
          recoveries += 1;
          const next = afterStartRecovery(result, cause, waitOnFirstConnect);
          if (next === 'connect') continue;
          if (next === 'fail') throw cause;
          if (next === 'wait') {
            const retryInMs = recoveryPause(result, recoveries, Math.random());
            this.#emitRecovery(result, cause ?? error, retryInMs);
            await sleep(retryInMs, signal);
            continue;
          }
        }
        const windowMs = this.#options.reconnectWindowMs ?? RECONNECT_WAIT_MS;
        const { retryInMs, mayBeExpired } = afterFailedStart({
          ...{ error, waitOnFirstConnect, failures, windowMs },
          random: Math.random(),
        });
        if (mayBeExpired) await this.#throwIfExpired();
        if (retryInMs === undefined || !(error instanceof ZesterError)) throw error;
        const isNews = refusals.note(error.message, performance.now()) !== undefined;
        this.#emit({ type: 'waiting', error, retryInMs }, isNews);
        await sleep(retryInMs, signal);
      }
    }
  }

  /**
   * Requests new credentials from a master once, in case the current ones have expired.
   *
   * @throws FleetError that is final
   */
  async #recoverOnce(): Promise<{ result: RecoveryResult; cause?: unknown }> {
    const recovery = this.#recovery;
    if (recovery === undefined) return { result: 'unavailable' };
    try {
      const current = this.#credentials?.current ?? (await loadNow(this.#given));
      const outcome = await recovery.attempt(current);
      if (outcome.is === 'pending') {
        return { result: 'pending', cause: outcome.fingerprint };
      }
      if (outcome.is === 'recovered') this.#useRecovered(current, outcome.creds, outcome.notWritten);
      if (outcome.is === 'replaced') await this.#credentials?.refresh();
      // the credentials may have changed since the start loaded them
      if (this.#given.kind === 'file') this.#given = { kind: 'file', path: this.#given.path };
      return { result: outcome.is };
    } catch (error) {
      if (error instanceof FleetError && error.final) throw error;
      return { result: 'failed', cause: error };
    }
  }

  #useRecovered(before: CredsFile, creds: CredsFile, notWritten: unknown): void {
    // at the start there is nowhere to keep it: the next attempt requests the same key again
    if (notWritten !== undefined && this.#credentials === undefined) throw notWritten as Error;
    if (notWritten === undefined) this.#credentials?.stored(creds);
    else this.#credentials?.hold(creds);
    this.#emit({
      type: 'recovered',
      publicKey: creds.publicKey,
      replaces: before.publicKey,
      expiresAt: expiryTime(creds.claims),
    });
  }

  /**
   * The server refuses the credentials of a running peel: they may have expired. Retries recovery until it is
   * reconnected.
   */
  async #comeBack(): Promise<void> {
    if (this.#recovery === undefined || this.#credentials === undefined || this.#isComingBack) return;
    this.#isComingBack = true;
    const { signal } = this.#stopping;
    try {
      let last: RecoveryResult = 'failed';
      for (let attempts = 1; ; attempts += 1) {
        await sleep(recoveryPause(last, attempts, Math.random()), signal);
        if (!this.#isDown) return;
        // a confirmed clock shows whether the credential has expired, which the server's error does not; neither shows
        // that the signing key was removed
        const isInTime = this.#clock.confirmed && this.#renewer !== undefined && !this.#hasExpired();
        if (isInTime && attempts % ASK_ANYWAY_EVERY !== 0) continue;
        const { result, cause } = await this.#recoverOnce();
        if (result === 'unavailable') return;
        last = result;
        if (result !== 'recovered' && result !== 'replaced' && result !== 'notExpired')
          this.#emitRecovery(result, cause, recoveryPause(last, attempts + 1, 1));
      }
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof FleetError) this.#ended(error);
      else throw error;
    } finally {
      this.#isComingBack = false;
    }
  }

  #hasExpired(): boolean {
    const expiresAt = this.#credentials && expiryTime(this.#credentials.current.claims);
    return expiresAt !== undefined && expiresAt <= this.#clock.now() + RECOVERY_CLOCK_DOUBT_MS;
  }

  #emitRecovery(...attempt: Parameters<typeof recoveryEvent>): void {
    const event = recoveryEvent(...attempt);
    if (event !== undefined) this.#emit(event);
  }

  /** The server refuses it, and by this machine's clock it has expired: both cannot be wrong. */
  async #throwIfExpired(): Promise<void> {
    const creds = await loadGiven(this.#given);
    if (creds.isExpired(() => this.#clock.local())) throw expired(creds);
  }

  #startRenewing(nc: ZesterConnection, credentials: ConnectionCredentials): void {
    const store = this.#store;
    if (store === undefined) return;
    const options: RenewerOptions = {
      peelId: this.id,
      store,
      nc,
      credentials,
      clock: this.#clock,
      recovery: this.#recoveryFiles,
      emit: (event) => this.#emit(event),
      ended: (error) => this.#ended(error),
      onlyOnRequest: this.#options.renew === false,
    };
    this.#renewer = new Renewer(options);
    this.#renewer.start();
  }

  async #follow(connection: ZesterConnection): Promise<void> {
    let down = false;
    let isOnPurpose = false;
    for await (const { type } of connection.status()) {
      if (type === 'forceReconnect') isOnPurpose = true;
      // each refused attempt is a disconnect, too
      if (type === 'disconnect' && !down) this.#emit({ type: 'disconnected' });
      if (type === 'disconnect') down = this.#isDown = true;
      if (type === 'reconnect') {
        down = this.#isDown = false;
        if (isOnPurpose) this.#renewer?.checkNow();
        else this.#renewer?.reconnected();
        isOnPurpose = false;
      }
    }
  }

  #connectionEvent(event: ConnectionEvent): void {
    this.#emit(event);
    if (event.type === 'refused') void this.#comeBack();
    if (event.type === 'rotated' || event.type === 'credentialsLoaded') this.#renewer?.checkNow();
  }

  #emit(event: PeelEvent, isLogged = true): void {
    if (this.#over) return;
    this.#metrics.count(event);
    this.#renewalFailure = afterPeelEvent(this.#renewalFailure, event);
    if (isLogged) this.#log?.log(event);
    this.#onEvent?.(event);
    this.#events.emit(event);
  }

  async #command(msg: Msg): Promise<void> {
    if (commandReplyVerdict(msg.reply, this.id) === 'refuse') {
      // do not run it either: its sender would not learn the outcome, and would resend it
      this.#emit({
        type: 'commandRefused',
        subject: shownSubject(msg.subject),
        reply: shownSubject(msg.reply),
      });
      return;
    }
    const answer = await this.#handlers.answer(msg.data, this.#nc?.info?.max_payload);
    try {
      answerCommand(msg, this.id, answer);
    } catch {
      // closed meanwhile: the caller gets no answer, as from a stopped peel
    }
  }

  #notice(msg: Msg): void {
    const { claims } = this.credentials;
    try {
      const notice = readNotice(msg, this.id, claims, this.#clock.lenient());
      const { confirmed } = this.#clock;
      const judged = judgeNotice(notice, claims, { now: this.#clock.now(), confirmed });
      this.#clock.isAtLeast(Date.parse(notice.at));
      const action = afterNotice(notice, judged, this.#rotationAskedAt);
      if (action.do === 'report') throw action.error;
      if (action.do === 'end') this.#ended(action.error);
      if (action.do !== 'rotate') return;
      if (this.#renewer === undefined && storeOf(this.#given) === undefined)
        throw noStoreError(nameOf(this.#given));
      this.#rotationAskedAt = action.at;
      this.#renewer?.wantRotation();
    } catch (error) {
      if (!(error instanceof ZesterError)) throw error;
      this.#emit({ type: 'noticeIgnored', error });
    }
  }

  #ended(error: FleetError): void {
    if (this.#end !== undefined) return;
    this.#emit({ type: 'ended', error });
    void this.#close({ reason: 'ended', error }, LAST_WORDS_TIMEOUT_MS);
  }

  async #close(end: PeelEnd, waitMs: number): Promise<void> {
    if (this.#end !== undefined) {
      await this.closed;
      return;
    }
    this.#end = end;
    this.#stopping.abort();
    const written = this.#renewer?.stop();
    const nc = this.nc;
    const deadline = Date.now() + waitMs;
    // a draining subscription still delivers messages that the server has already sent
    const stopped = this.#subscriptions.map((subscription) => subscription.drain().catch(() => undefined));
    await withDeadline(Promise.all(stopped), deadline);
    await withDeadline(this.#handlers.whenIdle(), deadline);
    await written;
    this.#handlers.end();
    if (!nc.isClosed()) {
      const draining = nc.drain().catch((error: unknown) => {
        if (end.reason === 'drained' && error instanceof Error) end.error = error;
      });
      await (end.reason === 'ended' ? withDeadline(draining, deadline) : draining);
      await nc.close();
    }
    if (end.reason === 'drained') this.#emit({ type: 'drained' });
    this.#log?.close();
    this.#over = true;
    this.#events.end();
    this.#resolveClosed(end);
  }
}

/** A subject that someone else chose, for display: bounded, and only printable characters. */
function shownSubject(subject = ''): string {
  return subject.slice(0, 200).replace(/[^\u0021-\u007e]/g, '?');
}
