// Starts and stops a master: its connections, its state, its services and its watch.
import { nuid } from '@nats-io/nats-core';
import { guardedNumber } from '../async/guarded.js';
import type { ConnectOptions } from '../connection/connect.js';
import type { UserCredentials } from '../creds/credentials-option.js';
import type { ZesterError } from '../errors.js';
import { connectedUsers } from '../system-account/connected-users.js';
import { pathOf } from '../files/path-of.js';
import { errorMessage } from '../text/error-message.js';
import { POLICY_TIMEOUT_MS, READY_TIMEOUT_MS } from '../timing.js';
import { RefusalAudit } from './audit/refusal-audit.js';
import { checkMasterOptions } from './check-options.js';
import { contextOf, keepContext } from './context-of.js';
import { RetentionWatch } from './audit/retention-watch.js';
import type { MasterContext } from './context.js';
import {
  DEFAULT_LIFETIME_SECONDS,
  DEFAULT_POLICY,
  DEFAULT_RECOVERY_LIMIT,
  DEFAULT_RECOVERY_SECONDS,
} from './default-options.js';
import type { MasterHealth } from './master-health.js';
import { guardedLogger, limitedLogger, type MasterLogger } from './logger.js';
import type { MasterEvent } from './master-event.js';
import { MasterEvents } from './master-events.js';
import { registerMetrics, type MetricsRegistry } from './metrics-registry.js';
import { measurePeels, MasterMetrics, startCounters } from './metrics.js';
import { StorageWatch } from './watch/storage-watch.js';
import { FloodGuard } from './requests/flood/guard.js';
import {
  CUSTOM_POLICY,
  type AcceptancePolicy,
  type JoinRequest,
  type PolicyFunction,
} from './requests/policy.js';
import { PolicyRunner } from './requests/policy-runner.js';
import { TokenKeys } from './registry/token-keys.js';
import { Challenges } from './requests/challenges.js';
import { startServices } from './requests/services.js';
import { DEFAULT_BREAKER_LIMITS, type BreakerLimits } from './revocation/breaker.js';
import { pushFromHome } from './revocation/push-revocations.js';
import { Revoker } from './revocation/revoker.js';
import { Closing } from './start/closing.js';
import { openConnections, type MasterConnections } from './start/connections.js';
import { waitUntilReady } from './start/ready.js';
import { RunningMaster } from './start/running-master.js';
import { openState, type State } from './start/state.js';
import { renewOwnCreds } from '../trust/own-creds.js';
import { CredsKeeper } from './trust/creds-keeper.js';
import { AccountGuard } from './trust/account-guard.js';
import { auditInstallation } from './trust/audit-installation.js';
import { MasterTrust } from './trust/trust.js';
import { LeasedWatch } from './watch/leased-watch.js';

/** The options of {@link startMaster}. */
export interface MasterOptions {
  /**
   * The home of the trust domain, as a path or a `file:` URL. The master signs with its keys, and changes its account.
   */
  home: string | URL;
  /** The servers; by default those of the home, else `nats://127.0.0.1:4222`. A string with commas is a list. */
  servers?: string | readonly string[] | undefined;
  /** Replaces the home's `creds/master.creds`: a `.creds` file, parsed credentials, or a provider. */
  credentials?: UserCredentials | undefined;
  /** The same, as the path of a file. */
  credsPath?: string | URL | undefined;
  /**
   * Replaces the home's `creds/master-answers.creds`: the credentials for receiving and answering requests, of a user
   * that may publish to inboxes only. If the home has none, the master's main user answers, and the log warns.
   */
  answersCredentials?: UserCredentials | undefined;
  /** The same, as the path of a file. */
  answersCredsPath?: string | URL | undefined;
  /**
   * Replaces the home's `creds/system.creds`: the user that follows the servers' events and pushes the account JWT.
   */
  systemCredentials?: UserCredentials | undefined;
  /** The same, as the path of a file. */
  systemCredsPath?: string | URL | undefined;
  /**
   * How peels that no admin added are accepted; `manual` by default. A policy function decides on each one: it is
   * called when a host joins with a token, whenever a pending one retries (at most every 5 s), and when a peel first
   * connects with credentials that no master issued. Several masters may call their functions for one peel. If a
   * function throws, rejects, takes longer than `policyTimeoutMs` or returns anything but a decision, the peel stays
   * pending, which is audited as `policy.failed`.
   */
  policy?: AcceptancePolicy | PolicyFunction | undefined;
  /**
   * Time limit of a policy function, in milliseconds; 5,000 by default, 8,000 at most: the host waits for the answer.
   */
  policyTimeoutMs?: number | undefined;
  /** The lifetime of peels' JWTs, in seconds; 86,400 by default, 0 = never expires. */
  lifetimeSeconds?: number | undefined;
  /** @deprecated The old name, without a unit: use `lifetimeSeconds`. */
  lifetime?: number | undefined;
  /**
   * How long after its credential expired a peel may recover by itself, in seconds; 2,592,000 (30 days) by default, 0
   * for never. `manual`: an admin accepts each ("zester peel accept"). A revoked or rejected peel never recovers.
   */
  recoverySeconds?: number | 'manual' | undefined;
  /** How often a peel may recover by itself within 30 days; 30 by default. Beyond that, an admin accepts it. */
  recoveryLimit?: number | undefined;
  /**
   * The most healthy peels that the master may revoke by itself: above both `peels` and the `share` of all peels
   * within `windowMs`, it holds the revocations until the cause is gone or an admin resumes; 3, 0.02 and 60,000 by
   * default.
   */
  breaker?: Partial<BreakerLimits> | undefined;
  /** Logs the master's decisions; it has the interface of pino's loggers. */
  logger?: MasterLogger | undefined;
  /**
   * Called for each event from the beginning of the start; {@link Master.events} misses events before `startMaster`
   * resolves.
   */
  onEvent?: ((event: MasterEvent) => void) | undefined;
  /** Another registry to add the metrics to, such as a `Registry` of prom-client. Each master needs its own. */
  metrics?: MetricsRegistry | undefined;
  /** Copies of the registry and the audit log in a cluster; 3 by default. */
  replicas?: number | undefined;
  /** How long to wait for JetStream at the start, in milliseconds; 60,000 by default. */
  storeWaitMs?: number | undefined;
  /** Time limit for the master to become healthy once its parts have started, in milliseconds; 60,000 by default. */
  readyTimeoutMs?: number | undefined;
  /** TLS options, and whether TLS is required; by default those of the home. */
  tls?: ConnectOptions['tls'] | undefined;
  requireTls?: boolean | undefined;
  /** Aborts the start while it waits. */
  signal?: AbortSignal | undefined;
  /** The clock, in milliseconds since 1970. */
  now?: (() => number) | undefined;
}

/** A running master. */
export interface Master extends AsyncDisposable {
  /** Unique among masters; leases and logs use it. */
  readonly id: string;
  /** Its metrics, in the text format of Prometheus. No label contains a peel ID. */
  metricsText(): Promise<string>;
  /** Whether it is healthy, and if not, why. */
  health(): MasterHealth;
  /** Whether it is the master that follows the servers' events. */
  readonly watching: boolean;
  /**
   * This master's decisions and actions, from now on; each call returns its own iterator, which ends with the master.
   */
  events(): AsyncIterable<MasterEvent>;
  /**
   * Answers pending requests, records its decisions, and stops. May be called twice.
   *
   * @param options `waitMs`: how long to wait for a server that is not reached, in milliseconds; 5,000 by default. 0
   *   closes the connections at once, for a server that is known to be gone
   */
  stop(options?: { waitMs?: number | undefined }): Promise<void>;
  /** Resolves when it has stopped. */
  readonly closed: Promise<void>;
  /** Why it stopped by itself: a server joined that is too old; undefined: it did not. */
  readonly endedBy: ZesterError | undefined;
}

const SILENT: MasterLogger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/**
 * Starts a master, and resolves when it answers and its `health()` is `ok`: it or another master follows the servers'
 * events. Any number may run at once for one trust domain: they share the work, and any of them may stop at any time.
 *
 * After a master was killed, the next one is ready once the dead one's lease has expired, 5 s later. It answers
 * requests meanwhile. A master that is not healthy within `readyTimeoutMs` is stopped.
 *
 * @throws FleetError `ERR_FLEET_CONFIG` and ConnectError at once, for options that can never work; TrustError, FileError,
 *   KeyError of the home; CredsError, ConnectError; FleetError `ERR_FLEET_STORE`, `ERR_FLEET_NOT_READY`;
 *   NatsServerError `ERR_SERVER_TOO_OLD` on a cluster of nats-server before 2.9.22, also when one server of it is
 * @example
 * import { startMaster } from 'zester/master';
 *
 * const master = await startMaster({
 *   home: 'home', // as "zester init" made it
 *   servers: process.env.NATS_URL ?? 'nats://127.0.0.1:4222',
 *   policy: ({ trusted, returning }) => (trusted && !returning ? 'accept' : 'pending'),
 *   lifetimeSeconds: 86_400,
 *   onEvent: (event) => console.log(event.type), // started
 * });
 * console.log(master.health().ok); // true
 * console.log((await master.metricsText()).startsWith('# HELP')); // true
 * await master.stop(); // when the program ends
 */
export async function startMaster(given: MasterOptions): Promise<Master> {
  const options = checkMasterOptions(given);
  const { readyTimeoutMs: timeoutMs = READY_TIMEOUT_MS, signal } = options;
  const closing = new Closing();
  let master: RunningMaster | undefined;
  try {
    master = await start(options, closing);
    await waitUntilReady(master, { timeoutMs, signal });
    logReady(contextOf(master));
    return master;
  } catch (error) {
    await (master === undefined ? closing.closeAll() : master.stop());
    throw error;
  }
}

async function start(options: MasterOptions, closing: Closing): Promise<RunningMaster> {
  const events = closing.add(new MasterEvents(options.onEvent), (part) => part.end());
  const safeLogger = guardedLogger(options.logger ?? SILENT, events.callbackFailed('logger'));
  const logger = closing.add(limitedLogger(safeLogger), (part) => part.close());
  const now = guardedNumber(options.now ?? Date.now, Date.now, events.callbackFailed('now'));
  const metrics = new MasterMetrics();
  if (options.metrics !== undefined) {
    closing.add(registerMetrics(metrics, options.metrics), (remove) => remove());
  }
  const trust = closing.add(await MasterTrust.open(pathOf(options.home), logger), (part) => part.close());
  // credentials that expired while no master ran could not connect
  await renewAtStart(options, now, logger);
  const connections = await openConnections(options, trust, logger, closing);
  const state = await openState(connections, options, { logger, now, events }, closing);
  let watch: LeasedWatch | undefined = undefined as LeasedWatch | undefined;
  const context = makeContext(
    options,
    { trust, logger, now, events, metrics },
    connections,
    state,
    () => watch?.holder,
  );
  const revoker = closing.add(new Revoker(context, pushFromHome(context, connections.pushOptions)), (part) =>
    part.close(),
  );
  const guard = new AccountGuard(context, connections.system, connections.pushOptions);
  closing.add(guard, (part) => part.stop());
  closing.add(context.policy, (part) => part.stop());
  watch = closing.add(
    new LeasedWatch(context, connections.system, revoker, connections.pushOptions.direct?.querying),
    (part) => part.stop(),
  );
  guard.start();
  const floods = closing.add(new FloodGuard(context, connections.system), (part) => part.stop());
  closing.add(await startServices(context, connections.answers, floods), (part) => part.stop());
  closing.add(new RetentionWatch(context), (part) => part.stop());
  closing.add(new CredsKeeper(context), (part) => part.stop());
  connections.serverWatch.onStorageFailure(({ server, reason }) => {
    if (context.watching() === context.id)
      state.audit.note({ kind: 'storage.failed', by: context.actor, reason, detail: { server } });
  });
  auditStart(context);
  measurePeels(context);
  startCounters(metrics);
  closing.add(new StorageWatch(context, connections.system), (part) => part.stop());
  const master = new RunningMaster(context, connections, watch, closing);
  keepContext(master, context);
  return master;
}

/** A failure is only logged: the old credentials may still be valid, and otherwise connecting fails. */
async function renewAtStart(options: MasterOptions, now: () => number, logger: MasterLogger): Promise<void> {
  try {
    await renewOwnCreds(pathOf(options.home), { users: ['master', 'answers', 'system'], now });
  } catch (error) {
    logger.warn({ reason: errorMessage(error) }, "cannot renew the master's own credentials");
  }
}

function logReady({ id, nc, registry, logger }: MasterContext) {
  logger.info({ id, server: nc.getServer(), peels: registry.size }, 'master ready');
}

function makeContext(
  options: MasterOptions,
  parts: Pick<MasterContext, 'trust' | 'logger' | 'now' | 'events' | 'metrics'>,
  { nc, system, signers }: MasterConnections,
  state: State,
  watching: () => string | undefined,
): MasterContext {
  const { trust } = parts;
  const id = nuid.next();
  return {
    id,
    actor: { kind: 'master', name: id, publicKey: signers.current.claims.sub },
    nc,
    ...state,
    challenges: new Challenges(state.store.challenges),
    tokenKeys: new TokenKeys(state.tokens),
    ...parts,
    get issuer() {
      return trust.issuer;
    },
    get signer() {
      return signers.current;
    },
    policy: makePolicy(options, state),
    lifetime: options.lifetimeSeconds ?? DEFAULT_LIFETIME_SECONDS,
    recovery: {
      window: options.recoverySeconds ?? DEFAULT_RECOVERY_SECONDS,
      limit: options.recoveryLimit ?? DEFAULT_RECOVERY_LIMIT,
    },
    breaker: { ...DEFAULT_BREAKER_LIMITS, ...options.breaker },
    watching,
    addressesOf: async (publicKey) => {
      const { users } = await connectedUsers(system, trust.domain.publicKeys.account, { publicKey });
      return users.flatMap(({ host }) => host ?? []);
    },
  };
}

function makePolicy(
  { policy = DEFAULT_POLICY, policyTimeoutMs: timeoutMs = POLICY_TIMEOUT_MS }: MasterOptions,
  { audit }: Pick<State, 'audit'>,
): PolicyRunner {
  const failures = new RefusalAudit({ note: (entry) => audit.note({ ...entry, kind: 'policy.failed' }) });
  const onFailure = ({ peelId, publicKey, how, from }: JoinRequest, reason: string) =>
    failures.note({
      request: how === 'token' ? 'join' : 'connection',
      by: { kind: 'policy', name: CUSTOM_POLICY },
      code: 'ERR_FLEET_POLICY',
      reason,
      peelId,
      publicKey,
      from,
    });
  return new PolicyRunner({ policy, timeoutMs, onFailure, onStop: () => failures.close() });
}

function auditStart(context: MasterContext) {
  const {
    actor,
    policy: { name: policy },
    lifetime,
    audit,
    logger,
    trust,
  } = context;
  if (policy === 'auto-all') {
    logger.warn(
      { policy },
      'EVERY peel with a valid chain is accepted: use this policy for development only',
    );
  }
  const { masterName: master } = trust.domain;
  audit.note({ kind: 'master.started', by: actor, detail: { policy, lifetime, master } });
  void auditInstallation(context);
}
