import { nuid } from '@nats-io/nats-core';
import type * as v from 'valibot';
import { guardedNumber, warnOfCallback } from '../async/guarded.js';
import { connectMaster, type ConnectOptions, type ZesterConnection } from '../connection/connect.js';
import { drained } from '../connection/drained.js';
import { loadCredsFile } from '../creds/parse.js';
import type { ZesterError } from '../errors.js';
import type { Actor } from '../protocol/records/actor.js';
import { tokenSchema, type JoinToken } from '../protocol/records/join-token.js';
import { presenceSchema, type Presence } from '../protocol/records/presence.js';
import { PEEL_STATES } from '../protocol/records/record.js';
import { MessageSigner } from '../protocol/signed.js';
import { absenceWords } from '../system-account/meta-group.js';
import { connectedUsers } from '../system-account/connected-users.js';
import { outsideJetStream } from '../system-account/servers.js';
import { serverUrls } from '../trust/home.js';
import { AccountGuard } from './trust/account-guard.js';
import { AnswerConnections } from './requests/answer-connections.js';
import { AuditLog } from './audit/audit-log.js';
import { ConnectionLog } from './requests/connection-log.js';
import { checkMasterOptions } from './check-options.js';
import type { MasterContext } from './context.js';
import { FloodGuard } from './requests/flood/guard.js';
import { KvMirror } from './store/kv-mirror.js';
import { Lease } from './store/lease.js';
import { guardedLogger, type MasterLogger } from './logger.js';
import { MasterMetrics } from './metrics.js';
import type { AcceptancePolicy } from './requests/policy.js';
import { Registry } from './registry/registry.js';
import { DEFAULT_BREAKER_LIMITS, type BreakerLimits } from './revocation/breaker.js';
import { Revoker } from './revocation/revoker.js';
import { startServices } from './requests/services.js';
import { ServerWatch } from './watch/server-watch.js';
import { openStore } from './store/store.js';
import { MasterTrust } from './trust/trust.js';
import { Watcher } from './watch/watcher.js';
import {
  DEFAULT_LIFETIME_SECONDS,
  METRICS_INTERVAL_MS,
  STOP_CUT_MS,
  STOP_POLL_MS,
  STOP_TIMEOUT_MS,
} from '../timing.js';

/** How a master is started. */
export interface MasterOptions {
  /** The home of the trust domain: its keys sign, its account is changed. */
  home: string;
  /** The servers; those of the home, else `nats://127.0.0.1:4222`, by default. A string with commas is a list. */
  servers?: string | readonly string[];
  /** Instead of the home's `creds/master.creds`. */
  credsPath?: string;
  /**
   * Instead of the home's `creds/master-answers.creds`: what requests are heard and answered with, of a user that may
   * publish to inboxes only. Where the home has none, requests are answered as the master's main user, and the log warns.
   */
  answersCredsPath?: string;
  /** Instead of the home's `creds/system.creds`: who hears the servers' events, and pushes. */
  systemCredsPath?: string;
  /** Who accepts a peel that no admin issued; `manual` by default. */
  policy?: AcceptancePolicy;
  /** Seconds that a peel's JWT is good for; 86,400 by default, 0 for without end. */
  lifetime?: number;
  /**
   * How many healthy peels the master may revoke by itself: more than `peels` and more than `share` of all within
   * `windowMs`, and it holds them until the cause is gone or an admin resumes; 3, 0.02 and 60,000 by default.
   */
  breaker?: Partial<BreakerLimits>;
  logger?: MasterLogger;
  /** Copies of the registry and the audit in a cluster; 3 by default. */
  replicas?: number;
  /** How long to wait for JetStream at the start, in milliseconds; 60,000 by default. */
  storeWaitMs?: number;
  /** For TLS, and whether to require it; those of the home by default. */
  tls?: ConnectOptions['tls'];
  requireTls?: boolean | undefined;
  /** Ends the start, while it waits. */
  signal?: AbortSignal;
  /** The clock, in milliseconds since 1970. */
  now?: () => number;
}

/** How a master is. */
export interface MasterHealth {
  ok: boolean;
  /** What is wrong, in words. */
  problems: string[];
}

/** A master that runs. */
export interface Master {
  readonly id: string;
  /** @internal What its parts work with. */
  readonly context: MasterContext;
  /** Its metrics, in the text format of Prometheus. No label holds a peel's ID. */
  metricsText(): Promise<string>;
  health(): MasterHealth;
  /** Whether it is the one that hears the servers' events. */
  readonly watching: boolean;
  /**
   * Answers what it was asked, writes down what it decided, and ends. Twice is fine.
   *
   * @param options `waitMs`: how long to wait for a server that is not reached, in milliseconds; 5,000 by default. With 0
   *   the connections are closed at once: the server is known to be gone
   */
  stop(options?: { waitMs?: number }): Promise<void>;
  /** Resolves when it has ended. */
  readonly closed: Promise<void>;
  /** Why it ended by itself: a server joined that is too old for it; undefined: for no such reason. */
  readonly endedBy: ZesterError | undefined;
}

const SILENT: MasterLogger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/**
 * Starts a master, and resolves when it answers. Any number may run at once, of the same trust domain: they share the
 * work, and any may end at any time.
 *
 * @throws FleetError `ERR_FLEET_CONFIG` and ConnectError at once, for options that can never work; TrustError, FileError,
 *   KeyError of the home; CredsError, ConnectError; FleetError `ERR_FLEET_STORE`;
 *   NatsServerError `ERR_SERVER_TOO_OLD` on a cluster of nats-server before 2.9.22, also when one server of it is
 */
export async function startMaster(options: MasterOptions): Promise<Master> {
  checkMasterOptions(options);
  const { policy = 'manual', lifetime = DEFAULT_LIFETIME_SECONDS } = options;
  const logger = guardedLogger(options.logger ?? SILENT);
  const now = guardedNumber(options.now ?? Date.now, Date.now, warnOfCallback('now'));
  const closing: (() => void | Promise<void>)[] = [];
  /** Resolves a moment after the connections were cut: what a part still waits for then will not come. */
  let onCut: () => void = () => undefined;
  const isCut = new Promise<void>((resolve) => (onCut = resolve));
  let cutting: NodeJS.Timeout | undefined;
  const closeAll = async () => {
    for (const close of closing.splice(0).reverse()) await Promise.race([close(), isCut]);
    clearTimeout(cutting);
  };
  try {
    const trust = await MasterTrust.open(options.home, logger);
    closing.push(() => trust.close());
    const { paths } = trust.domain;
    const servers = serverUrls(options.servers, trust.domain.servers);
    const credsPath = options.credsPath ?? paths.masterCreds;
    const signers = await Signers.open(credsPath);
    closing.push(() => signers.close());
    const tls = options.tls ?? trust.domain.tls;
    const requireTls = options.requireTls ?? trust.domain.requireTls;
    const connection = { servers, requireTls, ...(tls != null && { tls }) };
    const connections = new ConnectionLog(logger);
    closing.push(() => connections.end());
    const nc = await connectMaster({
      ...connection,
      credsPath,
      rotate: 'hitless',
      onEvent: (event) => {
        connections.hear('zester-master', credsPath, event);
        if (event.type === 'credentialsLoaded') void signers.reload(logger);
      },
    });
    closing.push(() => drained(nc));
    const systemCredsPath = options.systemCredsPath ?? paths.systemCreds;
    const system = await connectMaster({
      ...connection,
      credsPath: systemCredsPath,
      name: 'zester-master-system',
      onEvent: (event) => connections.hear('zester-master-system', systemCredsPath, event),
    });
    closing.push(() => system.close());
    const serverWatch = new ServerWatch(system, logger);
    closing.push(() => serverWatch.stop());
    await serverWatch.checkAtStart();
    const answers = await AnswerConnections.open(nc, connection, {
      credsPath: options.answersCredsPath ?? paths.masterAnswersCreds,
      mainCredsPath: credsPath,
      logger,
      connections,
    });
    closing.push(() => answers.close());

    const store = await openStore(nc, {
      logger,
      replicas: options.replicas,
      waitMs: options.storeWaitMs,
      signal: options.signal,
      whyWaiting: async () => absenceWords(await outsideJetStream(system)),
    });
    const audit = new AuditLog(nc, store, logger, now);
    closing.push(() => audit.close());
    const registry = await Registry.open(store, audit, logger);
    closing.push(() => registry.close());
    const tokens = await KvMirror.open<JoinToken>({
      bucket: store.fleet,
      logger,
      schema: tokenSchema,
    });
    closing.push(() => tokens.close());
    const presence = await KvMirror.open<Presence>({
      bucket: store.presence,
      logger,
      schema: presenceSchema as unknown as v.GenericSchema<unknown, Presence>,
    });
    closing.push(() => presence.close());

    const id = nuid.next();
    const actor: Actor = { kind: 'master', name: id, publicKey: signers.current.claims.sub };
    const metrics = new MasterMetrics();
    let lease: Lease | undefined = undefined as Lease | undefined;
    const context: MasterContext = {
      id,
      actor,
      nc,
      store,
      registry,
      tokens,
      presence,
      audit,
      trust,
      get issuer() {
        return trust.issuer;
      },
      get signer() {
        return signers.current;
      },
      logger,
      metrics,
      policy,
      lifetime,
      breaker: { ...DEFAULT_BREAKER_LIMITS, ...options.breaker },
      now,
      watching: () => lease?.holder,
      addressesOf: async (publicKey) => {
        const { users } = await connectedUsers(system, trust.domain.publicKeys.account, { publicKey });
        return users.flatMap(({ host }) => host ?? []);
      },
    };

    const { systemCredsPath: systemCreds } = options;
    const at = { servers, tls, requireTls, ...(systemCreds !== undefined && { systemCreds }) };
    const revoker = new Revoker(context, at);
    closing.push(() => revoker.close());
    const guard = new AccountGuard(context, system, at);
    closing.push(() => guard.stop());
    const watch = new Watch(context, system, revoker);
    lease = new Lease({
      bucket: store.challenges,
      key: 'lease.watch',
      id,
      logger,
      onTaken: () => watch.begin(),
      onLost: () => void watch.end(),
    });
    const taken = lease;
    closing.push(async () => {
      await watch.end();
      await taken.stop();
    });

    guard.start();
    const floods = new FloodGuard(context, system);
    closing.push(() => floods.stop());
    const services = await startServices(context, answers, floods);
    closing.push(() => services.stop());
    if (policy === 'auto-all') {
      logger.warn(
        { policy },
        'EVERY peel whose chain holds is accepted: this policy is for development, not for a fleet',
      );
    }
    audit.note({ kind: 'master.started', by: actor, detail: { policy, lifetime } });
    logger.info({ id, servers, peels: registry.size }, 'the master answers');

    const gauges = setInterval(() => gauge(context), METRICS_INTERVAL_MS);
    gauges.unref();
    closing.push(() => clearInterval(gauges));
    gauge(context);

    let end: () => void = () => undefined;
    const closed = new Promise<void>((resolve) => (end = resolve));
    let stopping: Promise<void> | undefined;
    const cut = async () => {
      await Promise.all([nc, system, ...answers.all].map((part) => part.close()));
      cutting ??= setTimeout(onCut, STOP_CUT_MS);
    };
    const stop = ({ waitMs = STOP_TIMEOUT_MS } = {}) => {
      const deadline = performance.now() + waitMs;
      // nothing is answered or written without a server, and each part would wait for it in turn
      const looking = setInterval(() => {
        if (connections.isDown && performance.now() >= deadline) void cut();
      }, STOP_POLL_MS);
      if (waitMs === 0) void cut();
      stopping ??= (async () => {
        audit.note({ kind: 'master.stopped', by: actor });
        await closeAll();
        logger.info({ id }, 'the master has ended');
        end();
      })();
      return stopping.finally(() => clearInterval(looking));
    };
    let endedBy: ZesterError | undefined = undefined as ZesterError | undefined;
    serverWatch.follow((error) => {
      endedBy = error;
      logger.error({ code: error.code }, `the master ends: ${error.message}`);
      void stop();
    });
    for (const part of [nc, ...answers.all]) void part.closed().then(() => stop());
    return {
      id,
      context,
      metricsText: () => metrics.registry.metrics(),
      health: () => healthOf(context, answers),
      get watching() {
        return taken.held;
      },
      stop,
      closed,
      get endedBy() {
        return endedBy;
      },
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

/** What is done by the one that has the lease, begun and ended one after the other. */
class Watch {
  readonly #context: MasterContext;
  readonly #system: ZesterConnection;
  readonly #revoker: Revoker;
  #watcher: Watcher | undefined;
  #turn: Promise<void> = Promise.resolve();

  constructor(context: MasterContext, system: ZesterConnection, revoker: Revoker) {
    this.#context = context;
    this.#system = system;
    this.#revoker = revoker;
  }

  begin(): void {
    const { logger, metrics } = this.#context;
    this.#turn = this.#turn.then(async () => {
      metrics.watching.set(1);
      const watcher = new Watcher(this.#context, this.#system, this.#revoker);
      this.#watcher = watcher;
      this.#revoker.start();
      // it may take long, and must not keep the end of it waiting
      void watcher
        .start()
        .catch((error: unknown) => logger.error({ error: String(error) }, 'cannot hear the servers'));
    });
  }

  end(): Promise<void> {
    this.#turn = this.#turn.then(async () => {
      if (this.#watcher === undefined) return;
      this.#context.metrics.watching.set(0);
      await this.#watcher.stop();
      this.#watcher = undefined;
      await this.#revoker.stop();
    });
    return this.#turn;
  }
}

/** The signer of this master's answers, as its `.creds` file has it now. */
class Signers {
  readonly #path: string;
  #current: MessageSigner;

  private constructor(path: string, current: MessageSigner) {
    this.#path = path;
    this.#current = current;
  }

  static async open(path: string): Promise<Signers> {
    return new Signers(path, await signerIn(path));
  }

  get current(): MessageSigner {
    return this.#current;
  }

  async reload(logger: MasterLogger): Promise<void> {
    try {
      this.#current = await signerIn(this.#path);
    } catch (error) {
      logger.warn({ error: String(error) }, 'signing with the credentials from before');
    }
  }

  close(): void {
    this.#current.wipe();
  }
}

async function signerIn(path: string): Promise<MessageSigner> {
  const creds = await loadCredsFile(path);
  try {
    return new MessageSigner(creds);
  } finally {
    creds.wipe();
  }
}

function healthOf(
  { nc, watching }: MasterContext,
  { auth, enroll, admins }: AnswerConnections,
): MasterHealth {
  const problems = [];
  if (nc.isClosed()) problems.push('the connection is closed');
  else if (nc.buffered.messages > 0) problems.push('the connection is down, and is being made again');
  for (const [who, answering] of [
    ['peels', auth],
    ['join tokens', enroll],
    ['admins', admins],
  ] as const) {
    if (answering.isClosed()) problems.push(`the connection for ${who} is closed`);
  }
  if (watching() === undefined) problems.push("no master hears the servers' events");
  return { ok: problems.length === 0, problems };
}

function gauge({ registry, presence, metrics }: MasterContext): void {
  const counts = Object.fromEntries(PEEL_STATES.map((state) => [state, 0]));
  for (const { state } of registry.records()) counts[state] = (counts[state] ?? 0) + 1;
  for (const state of PEEL_STATES) metrics.peels.set({ state }, counts[state] ?? 0);
  let connected = 0;
  for (const [, { connections }] of presence.entries()) if (connections.length > 0) connected += 1;
  metrics.connected.set(connected);
}
