// Reports callers that keep flooding, and cuts their connections: peels, holders of join tokens, admins.
import { setTimeout as delay } from 'node:timers/promises';
import type { ZesterConnection } from '../../../connection/connect.js';
import { connectedUsers, type ConnectedUser } from '../../../system-account/connected-users.js';
import { kick } from '../../../system-account/kick.js';
import { compareVersions } from '../../../system-account/server-versions.js';
import { listServers } from '../../../system-account/servers.js';
import { adminOfUserName } from '../../../permissions/admin-names.js';
import { isPeelId } from '../../../permissions/peel-id.js';
import { ADMIN_NAME } from '../../../permissions/names.js';
import { peelIdOfRecoveryName } from '../../../permissions/recovery.js';
import { tokenIdOfName } from '../../../permissions/roles.js';
import { readAudit } from '../../audit/read-audit.js';
import type { MasterContext } from '../../context.js';
import {
  FloodMeter,
  heavySenders,
  type Flooder,
  type FloodLimits,
  type Snapshot,
  type Sent,
} from './meter.js';
import { removeJoinToken } from '../../registry/join-tokens.js';
import { errorMessage } from '../../../text/error-message.js';
import { excerpt } from '../../../text/excerpt.js';
import { FLOOD_CUTS_KEPT_MS, FLOOD_LOG_INTERVAL_MS, FLOOD_WINDOW_MS } from '../../../timing.js';

/**
 * Per second. A peel sends a few requests a day: retries by mistake do not reach this rate.
 */
const PEEL_LIMITS: FloodLimits = { requests: 100, bytes: 4 * 1024 * 1024 };
/** A thousand hosts may share a token and start at once. */
const TOKEN_LIMITS: FloodLimits = { requests: 1_000, bytes: 4 * 1024 * 1024 };
/** An admin's program stops soon after its requests are refused. */
const ADMIN_LIMITS: FloodLimits = { requests: 1_000, bytes: 4 * 1024 * 1024 };
/** Cuts after which a join token is removed; the count is reset after this many milliseconds without one. */
const TOKEN_CUTS = 3;
/** Flooders handled at a time. The others follow once these are cut. */
const AT_ONCE = 8;
/** The number of keys, the newest ones, to look up per flooder. */
const KEYS = 4;
/** The admin in reports about the owner, whose user has no admin's name. */
const OWNER = 'owner';
/** The first version with KICK. */
const KICK_SINCE = '2.10.0';

type Sender = ConnectedUser & Sent;

function inWindow({ requests, bytes }: FloodLimits): FloodLimits {
  return { requests: (requests * FLOOD_WINDOW_MS) / 1_000, bytes: (bytes * FLOOD_WINDOW_MS) / 1_000 };
}

/**
 * Reports callers that stay far over their rate, and cuts their connections: with a kick, which pushes and revokes
 * nothing. The watching master does it; the others log. The cost does not grow with the flood: it looks up the
 * connections of a few callers at a time.
 */
export class FloodGuard {
  readonly #context: MasterContext;
  readonly #system: ZesterConnection;
  readonly #peels = new FloodMeter(inWindow(PEEL_LIMITS));
  readonly #tokens = new FloodMeter(inWindow(TOKEN_LIMITS));
  readonly #admins = new FloodMeter(inWindow(ADMIN_LIMITS));
  readonly #loggedAt = new Map<string, number>();
  readonly #cuts = new Map<string, { count: number; at: number }>();
  readonly #timer: NodeJS.Timeout;
  #handling: Promise<void> | undefined;
  #stopped = false;

  constructor(context: MasterContext, system: ZesterConnection) {
    this.#context = context;
    this.#system = system;
    this.#timer = setInterval(() => this.#endWindow(), FLOOD_WINDOW_MS);
    this.#timer.unref();
  }

  /** A request of a peel was over its rate. */
  readonly peelExcess = (caller: string, bytes: number): void => this.#peels.note(caller, bytes);
  /** A request of a join token's holder was over its rate. */
  readonly tokenExcess = (caller: string, bytes: number): void => this.#tokens.note(caller, bytes);

  /** A request of an admin was over its rate. */
  readonly adminExcess = (caller: string, bytes: number): void => this.#admins.note(caller, bytes);

  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    await this.#handling;
  }

  #endWindow(): void {
    const now = performance.now();
    for (const [caller, at] of this.#loggedAt)
      if (now - at >= FLOOD_LOG_INTERVAL_MS) this.#loggedAt.delete(caller);
    for (const [caller, { at }] of this.#cuts) if (now - at >= FLOOD_CUTS_KEPT_MS) this.#cuts.delete(caller);
    const flooders = [
      ...this.#peels.endWindow().map((flooder) => ({ flooder, limits: PEEL_LIMITS })),
      ...this.#tokens.endWindow().map((flooder) => ({ flooder, limits: TOKEN_LIMITS })),
      ...this.#admins.endWindow().map((flooder) => ({ flooder, limits: ADMIN_LIMITS })),
    ];
    if (flooders.length === 0 || this.#handling !== undefined || this.#stopped) return;
    if (this.#context.watching() !== this.#context.id) {
      for (const { flooder } of flooders.slice(0, AT_ONCE)) this.#report(flooder, []);
      return;
    }
    const handled = flooders.slice(0, AT_ONCE);
    this.#handling = this.#handle(handled)
      .catch((error: unknown) =>
        this.#context.logger.warn({ error: errorMessage(error) }, 'a flooding caller could not be cut'),
      )
      .finally(() => (this.#handling = undefined));
  }

  async #handle(flooders: readonly { flooder: Flooder; limits: FloodLimits }[]): Promise<void> {
    const servers = await listServers(this.#system);
    if (!servers.every(({ version }) => compareVersions(version, KICK_SINCE) >= 0)) {
      for (const { flooder } of flooders) this.#report(flooder, []);
      return;
    }
    const keys = await Promise.all(flooders.map(({ flooder }) => this.#keysOf(flooder.caller)));
    const takeSnapshots = () => Promise.all(keys.map((of) => this.#snapshot(of)));
    const startedAt = performance.now();
    const before = await takeSnapshots();
    await delay(FLOOD_WINDOW_MS);
    if (this.#stopped) return;
    const seconds = (performance.now() - startedAt) / 1000;
    const after = await takeSnapshots();
    for (const [i, { flooder, limits }] of flooders.entries()) {
      const [first, second] = [before[i], after[i]];
      if (first === undefined || second === undefined) continue;
      const senders = heavySenders(first, second, seconds, limits);
      const outcomes = await Promise.all(senders.map((sender) => kick(this.#system, sender)));
      const cut = senders.filter((_, at) => outcomes[at] === 'kicked');
      this.#report(flooder, cut);
      if (cut.length > 0) await this.#countCut(flooder.caller);
    }
  }

  async #snapshot(keys: readonly string[]): Promise<Snapshot<Sender>> {
    const lists = await Promise.all(
      keys.map((publicKey) =>
        connectedUsers(this.#system, this.#context.trust.domain.publicKeys.account, { publicKey }),
      ),
    );
    return {
      // skip servers that did not answer both times
      servers: new Set(
        [...(lists[0]?.servers ?? [])].filter((id) => lists.every(({ servers }) => servers.has(id))),
      ),
      users: lists.flatMap(({ users }) =>
        users.flatMap((user) => (user.sent === undefined ? [] : { ...user, sent: user.sent })),
      ),
    };
  }

  async #keysOf(caller: string): Promise<string[]> {
    const { registry, tokens } = this.#context;
    const admin = adminOfUserName(caller);
    if (admin !== undefined) return this.#keysOfAdmin(admin);
    const peelId = isPeelId(caller) ? caller : peelIdOfRecoveryName(caller);
    if (peelId !== undefined) {
      const keys = registry.get(peelId)?.keys.filter(({ state }) => state !== 'revoked') ?? [];
      return keys.slice(-KEYS).map(({ publicKey }) => publicKey);
    }
    const token = tokens.get(tokenIdOfName(caller) ?? '');
    return token === undefined ? [] : [token.publicKey];
  }

  /** Each home has its own list of admins; the masters share only the audit log. */
  async #keysOfAdmin(name: string): Promise<string[]> {
    const keys: string[] = [];
    for await (const { detail, publicKey } of readAudit(this.#context.store, { kinds: ['admin.added'] }))
      if (detail?.['admin'] === name && publicKey !== undefined) keys.push(publicKey);
    return keys.slice(-KEYS);
  }

  async #countCut(caller: string): Promise<void> {
    const tokenId = tokenIdOfName(caller);
    if (tokenId === undefined) return;
    const count = (this.#cuts.get(caller)?.count ?? 0) + 1;
    this.#cuts.set(caller, { count, at: performance.now() });
    if (count < TOKEN_CUTS) return;
    const { actor, logger } = this.#context;
    const reason = `its holder floods the masters: cut ${count} times`;
    const token = await removeJoinToken(this.#context, tokenId, actor, reason);
    if (token === undefined) return;
    this.#cuts.delete(caller);
    logger.warn({ token: tokenId }, `the join token was removed: ${reason}`);
  }

  /** Counts each report, logs it at most once a minute, and audits it on the watching master. */
  #report({ caller, requests, bytes }: Flooder, cut: readonly Sender[]): void {
    const { audit, actor, logger, metrics, id, watching } = this.#context;
    metrics.floods.inc({ outcome: cut.length > 0 ? 'cut' : 'reported' });
    // a cut is reported even if the flood was reported before
    const key = `${cut.length > 0 ? 'cut' : 'seen'} ${caller}`;
    if (this.#loggedAt.has(key)) return;
    this.#loggedAt.set(key, performance.now());
    const tokenId = tokenIdOfName(caller);
    const admin = caller === ADMIN_NAME ? OWNER : adminOfUserName(caller);
    const from = cut[0] && `${cut[0].host ?? 'an unknown address'} at ${cut[0].serverName ?? cut[0].server}`;
    const reason =
      cut.length > 0
        ? 'the caller stays far above its rate: closed its connections'
        : 'the caller stays far above its rate: dropping its requests';
    const name = excerpt(caller, 100);
    logger.warn({ caller: name, requests, bytes, cut: cut.length, from }, reason);
    if (watching() !== id) return;
    audit.note({
      kind: cut.length > 0 ? 'connection.refused' : 'request.refused',
      by: actor,
      ...(isPeelId(caller) && { peelId: caller }),
      ...(cut[0] && { publicKey: cut[0].publicKey }),
      ...(from !== undefined && { from }),
      code: 'ERR_FLEET_RATE',
      reason,
      detail: {
        requests,
        bytes,
        cut: cut.length,
        ...(tokenId !== undefined && { token: tokenId }),
        ...(admin !== undefined && { admin }),
      },
    });
  }
}
