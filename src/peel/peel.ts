// startPeel: connects, runs commands, and renews its credential.
import { connectOptionsError, RENAMED_WAITS } from '../connection/option-names.js';
import { withCurrentNames } from '../options/renamed-options.js';
import type { Subscription } from '@nats-io/nats-core';
import { guardedNumber } from '../async/guarded.js';
import {
  openPeel,
  type ConnectionCredentials,
  type ConnectSettings,
  type ZesterConnection,
} from '../connection/connect.js';
import { loadGiven, nameOf, storeOf } from '../connection/credentials.js';
import { atLeast, checkNumbers, TIMEOUT_MS } from '../connection/check-options.js';
import type { ConnectionEvent } from '../connection/events.js';
import { withDeadline } from '../async/deadline.js';
import { orAborted } from '../async/or-aborted.js';
import type { CredsFile } from '../creds/creds-file.js';
import { noStoreError } from '../creds/credential-provider.js';
import {
  givenUserCredentials,
  type CredentialsOption,
  type GivenUserCredentials,
  type UserCredentials,
} from '../creds/credentials-option.js';
import { FleetError } from '../errors.js';
import { encodeJson } from '../protocol/messages.js';
import { validatePeelId } from '../permissions/peel-id.js';
import { validateSubject } from '../permissions/subject.js';
import { FleetClock } from './clock.js';
import { ComeBack } from './come-back.js';
import { createHandlers } from './create-handlers.js';
import { EventDelivery } from './event-delivery.js';
import type { PeelEvent } from './events.js';
import { firstConnect } from './first-connect.js';
import type { Handlers, Handler } from './handlers.js';
import { afterPeelEvent, peelHealth, type PeelHealth } from './health.js';
import { PeelMetrics } from './metrics.js';
import { NoticeFollower } from './notice-follower.js';
import { Outages } from './outages.js';
import { ownFacts } from './own-facts.js';
import { PeelCredentials } from './peel-credentials.js';
import { recoverOnce, type RecoveryAttempt } from './recover-once.js';
import { Recovery } from './recovery.js';
import { Renewer } from './renewer.js';
import { runCommand, type CommandRunner } from './run-command.js';
import { shutDown } from './shut-down.js';
import { subscribe } from './subscribe.js';
import { omit } from './omit.js';
import { checkPeelNames } from './option-names.js';
import {
  DRAIN_TIMEOUT_MS,
  HANDOVER_TIMEOUT_MS,
  LAST_WORDS_TIMEOUT_MS,
  RECONNECT_WAIT_MS,
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
   * Wait and retry if no server is reachable, one refuses the credentials, or they are not valid yet: true by default,
   * since an agent may start before its server does. Permanent errors end the start anyway.
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

/** The settings that `openPeel` does not know, or that the peel itself uses. */
const NOT_OF_THE_CONNECTION = [
  'waitOnFirstConnect',
  'handlers',
  'facts',
  'renew',
  'recovery',
  'commands',
  'logger',
] as const;

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
  readonly #credentials: PeelCredentials;
  readonly #recovery: Recovery | undefined;
  /** Aborted when the peel stops. */
  readonly #stopping = new AbortController();
  readonly #handlers: Handlers;
  readonly #clock: FleetClock;
  readonly #metrics = new PeelMetrics();
  readonly #events: EventDelivery;
  readonly #notices: NoticeFollower;
  readonly #outages: Outages;
  readonly #comeBack: ComeBack;
  #nc: ZesterConnection | undefined;
  #renewer: Renewer | undefined;
  #subscriptions: Subscription[] = [];
  #end: PeelEnd | undefined;
  /** Why the last renewal, rotation or write failed, while it is being retried. */
  #renewalFailure: string | undefined;
  #resolveClosed: (end: PeelEnd) => void = () => undefined;

  /** @internal Use {@link startPeel}. */
  constructor(id: string, options: PeelSettings, given: GivenUserCredentials) {
    this.id = id;
    this.#options = options;
    this.closed = new Promise((resolve) => (this.#resolveClosed = resolve));
    const { logger, onEvent, now, handlers, commands: limits } = options;
    this.#events = new EventDelivery({ note: (event) => this.#note(event), logger, onEvent });
    const emit = (event: PeelEvent) => this.#events.emit(event);
    const ended = (error: FleetError) => this.#ended(error);
    const clock = new FleetClock(now && guardedNumber(now, Date.now, this.#events.failureOf('now')));
    this.#clock = clock;
    this.#credentials = new PeelCredentials(given, options);
    this.#recovery = this.#createRecovery();
    const claims = () => this.credentials.claims;
    const rotate = () => this.#wantRotation();
    this.#notices = new NoticeFollower({ peelId: id, claims, clock, rotate, ended, emit });
    this.#outages = new Outages({
      lost: () => emit({ type: 'disconnected' }),
      back: (isOnPurpose) => (isOnPurpose ? this.#renewer?.checkNow() : this.#renewer?.reconnected()),
    });
    this.#comeBack = new ComeBack({
      recover: () => this.#recoverOnce(),
      isDown: () => this.#outages.isDown,
      known: () => {
        const { expiresAt } = this.#credentials;
        const { confirmed } = clock;
        return { renews: this.#renewer !== undefined, expiresAt, now: clock.now(), confirmed };
      },
      signal: this.#stopping.signal,
      ...{ ended, emit },
    });
    const own = ownFacts(options.facts, this.#events.failureOf('facts'));
    const context = { peelId: id, claims, now: () => clock.local(), own };
    this.#handlers = createHandlers({ handlers, limits, context, emit });
  }

  /** The connection, for your own messages. The peel closes it: call {@link drain}. */
  get nc(): ZesterConnection {
    if (this.#nc === undefined) throw new TypeError('the peel is not connected yet');
    return this.#nc;
  }

  /** The credentials in use: their claims and public key. */
  get credentials(): CredsFile {
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
      connected: this.#nc !== undefined && !this.#outages.isDown && !this.#nc.isClosed(),
      expiresAt: this.#credentials.expiresAt,
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
    const noStore = this.#credentials.noStore();
    if (this.#nc !== undefined && this.#end === undefined && noStore !== undefined) {
      return Promise.reject(noStore);
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
    void this.#credentials.inUse?.refresh();
    this.#renewer?.checkNow();
  }

  /** @internal Connects, and starts working. */
  async open(): Promise<void> {
    const { connection, credentials } = await this.#connect();
    this.#nc = connection;
    this.#credentials.inUse = credentials;
    const { claims, publicKey } = credentials.current;
    const { expiresAt } = this.#credentials;
    this.#clock.isAtLeast(claims.iat * 1000);
    if (expiresAt !== undefined) this.#clock.isAtMost(expiresAt);
    const offsetMs = this.#clock.offsetToReport();
    if (offsetMs !== undefined) this.#events.emit({ type: 'clockOff', offsetMs, knownFrom: 'credential' });
    const runner: CommandRunner = {
      peelId: this.id,
      answer: (command) => this.#handlers.answer(command, connection.info?.max_payload),
      emit: (event) => this.#events.emit(event),
    };
    this.#subscriptions = subscribe(connection, this.id, {
      command: (msg) => void runCommand(msg, runner),
      notice: (msg) => this.#notices.received(msg),
    });
    void this.#outages.follow(connection.status());
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
    const server = connection.getServer();
    this.#events.emit({ type: 'started', peelId: this.id, server, publicKey, expiresAt });
    this.#startRenewing(connection, credentials);
  }

  #connect(): ReturnType<typeof openPeel> {
    const { waitOnFirstConnect = true, signal } = this.#options;
    const { rotate = 'hitless', handoverTimeoutMs = HANDOVER_TIMEOUT_MS } = this.#options;
    // before the first connection, the server decides what is valid, whatever this machine's clock says
    const serverDecides = () => this.#nc === undefined && this.#recovery !== undefined;
    const options = {
      ...omit(this.#options, ...NOT_OF_THE_CONNECTION),
      ...{ rotate, handoverTimeoutMs, peelId: this.id },
      now: () => (serverDecides() ? 0 : this.#clock.lenient()),
      // in doubt, a connection keeps the credential that works
      latest: () =>
        this.#nc !== undefined ? this.#clock.now() : serverDecides() ? Infinity : this.#clock.latest(),
      onEvent: (event: ConnectionEvent) => this.#connectionEvent(event),
    };
    return firstConnect({
      open: () => openPeel(options, this.#credentials.given),
      recover: () => this.#recoverOnce(),
      load: () => this.#credentials.load(),
      localTime: () => this.#clock.local(),
      emit: (event, isLogged) => this.#events.emit(event, isLogged),
      windowMs: this.#options.reconnectWindowMs ?? RECONNECT_WAIT_MS,
      ...{ waitOnFirstConnect, signal },
    });
  }

  #createRecovery(): Recovery | undefined {
    const { store, recoveryFiles: files } = this.#credentials;
    if (store === undefined || files === undefined) return undefined;
    const { servers, tls, requireTls, timeout } = this.#options;
    const connection = { servers, tls, requireTls, timeout };
    const reload = () => this.#credentials.loadNow();
    return new Recovery({ peelId: this.id, connection, store, files, clock: this.#clock, reload });
  }

  #recoverOnce(): Promise<RecoveryAttempt> {
    const emit = (event: PeelEvent) => this.#events.emit(event);
    return recoverOnce({ recovery: this.#recovery, credentials: this.#credentials, emit });
  }

  #startRenewing(nc: ZesterConnection, credentials: ConnectionCredentials): void {
    const { store, recoveryFiles: recovery } = this.#credentials;
    if (store === undefined) return;
    this.#renewer = new Renewer({
      peelId: this.id,
      clock: this.#clock,
      ...{ store, nc, credentials, recovery },
      emit: (event) => this.#events.emit(event),
      ended: (error) => this.#ended(error),
      onlyOnRequest: this.#options.renew === false,
    });
    this.#renewer.start();
  }

  /** A master asked for it. @throws CredsError `ERR_CREDS_NO_STORE` */
  #wantRotation(): void {
    const noStore = this.#credentials.noStore();
    if (noStore !== undefined) throw noStore;
    this.#renewer?.wantRotation();
  }

  #connectionEvent(event: ConnectionEvent): void {
    this.#events.emit(event);
    // before the first connection, `firstConnect` recovers
    const mayComeBack = this.#recovery !== undefined && this.#credentials.inUse !== undefined;
    if (event.type === 'refused' && mayComeBack) void this.#comeBack.refused();
    if (event.type === 'rotated' || event.type === 'credentialsLoaded') this.#renewer?.checkNow();
  }

  #note(event: PeelEvent): void {
    this.#metrics.count(event);
    this.#renewalFailure = afterPeelEvent(this.#renewalFailure, event);
  }

  #ended(error: FleetError): void {
    if (this.#end !== undefined) return;
    this.#events.emit({ type: 'ended', error });
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
    const failure = await shutDown({
      nc: this.nc,
      subscriptions: this.#subscriptions,
      handlers: this.#handlers,
      written,
      waitMs,
      isDrainLimited: end.reason === 'ended',
    });
    if (end.reason === 'drained') {
      if (failure !== undefined) end.error = failure;
      this.#events.emit({ type: 'drained' });
    }
    this.#events.end();
    this.#resolveClosed(end);
  }
}
