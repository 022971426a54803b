// Fleet: the operations of an admin program on a fleet.
import type { ZesterConnection } from '../connection/connect.js';
import type { AddedRole } from '../permissions/admin-roles.js';
import type { AdminClient } from '../protocol/admin-client.js';
import type { FleetStatus } from '../protocol/fleet-answers.js';
import type { AuditEvent } from '../protocol/records/audit-event.js';
import type { AuditQuery } from '../protocol/records/audit-query.js';
import { checkFleetOptions } from './option-names.js';
import { readAudit, type ReadAuditOptions } from './read-audit.js';
import { FleetPeels } from './fleet-peels.js';
import { FleetTokens } from './fleet-tokens.js';
import { Abortable } from './abortable.js';
import type { WaitingOptions } from './waiting-options.js';

/**
 * An admin's view of a fleet; {@link connectFleet} creates one.
 *
 * @example
 * import { connectFleet } from 'zester';
 *
 * const fleet = await connectFleet({ servers: process.env.NATS_URL, credentials: 'admin.creds' });
 * const { policy, connected, peels } = await fleet.status();
 * console.log(policy, connected, peels.pending);
 * for await (const { at, kind, peelId } of fleet.audit({ kinds: ['peel.*'], last: 10 }))
 *   console.log(at, kind, peelId);
 * await fleet.close();
 */
export class Fleet implements AsyncDisposable {
  /** The peels of the registry. */
  readonly peels: FleetPeels;
  /** Join tokens. */
  readonly tokens: FleetTokens;
  /** The connection, for anything else: the NATS client's own. */
  readonly connection: ZesterConnection;
  /** The fleet's account (`A…`). */
  readonly account: string;
  readonly #client: AdminClient;
  readonly #abortable: Abortable;

  /** @internal */
  constructor(
    connection: ZesterConnection,
    client: AdminClient,
    account: string,
    signal: AbortSignal | undefined,
  ) {
    this.connection = connection;
    this.account = account;
    this.#client = client;
    this.#abortable = new Abortable(signal);
    this.peels = new FleetPeels(connection, client, this.#abortable);
    this.tokens = new FleetTokens(client, this.#abortable);
  }

  /**
   * The state of the fleet: the answering master, its policy, and the numbers of peels in each state and of connected
   * peels.
   *
   * @throws FleetError `ERR_FLEET_NO_MASTER`, `ERR_FLEET_TIMEOUT`, `ERR_FLEET_DENIED`; the signal's reason
   */
  async status(options: WaitingOptions = {}): Promise<FleetStatus> {
    checkFleetOptions('status', options);
    return this.#abortable.with(options.signal).run(() => this.#client.ask('status', {}));
  }

  /**
   * The events of the audit log, oldest first. With `follow`, it continues with new events as they are stored, each
   * exactly once and without a gap, even across outages, until the loop is left, the signal is aborted or the
   * connection closes. It reads ahead at most one page.
   *
   * @throws as {@link status}
   * @example
   * import { connectFleet } from 'zester';
   *
   * const fleet = await connectFleet({ servers: process.env.NATS_URL, credentials: 'admin.creds' });
   * for await (const { at, kind, peelId } of fleet.audit({ kinds: ['peel.*'], last: 1, follow: true })) {
   *   console.log(at, kind, peelId);
   *   break; // otherwise it continues with new events
   * }
   * await fleet.close();
   */
  audit(given: AuditQuery & ReadAuditOptions & WaitingOptions = {}): AsyncIterable<AuditEvent> {
    checkFleetOptions('audit', given);
    const { signal, ...query } = given;
    const abortable = this.#abortable.with(signal);
    return abortable.iterate(
      readAudit({ client: this.#client, nc: this.connection }, query, abortable.signal),
    );
  }

  /**
   * @internal The same fleet, for someone with a lower role than this admin. Keep it: each follows the connection.
   *
   * @param role masters apply its rules to each request
   */
  actingAs(role: AddedRole): Fleet {
    return new Fleet(this.connection, this.#client.actingAs(role), this.account, this.#abortable.signal);
  }

  /** @internal For requests that have no method yet. */
  get client(): AdminClient {
    return this.#client;
  }

  /** Closes the connection. Idempotent. */
  close(): Promise<void> {
    return this.connection.close();
  }

  /** The same as `close()`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
