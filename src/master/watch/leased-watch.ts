// Lets one master at a time watch the servers and push revocations: the lease holder.
import type { ZesterConnection } from '../../connection/connect.js';
import { isConnectionOpen } from '../../system-account/connection-open.js';
import type { DirectConnections } from '../../system-account/direct-connections.js';
import type { MasterContext } from '../context.js';
import type { ConnectionId } from '../../system-account/kick.js';
import type { Revoker } from '../revocation/revoker.js';
import { PresenceFeed } from '../presence/feed.js';
import { PresenceFollower } from '../presence/follower.js';
import { LastSeenStore } from '../presence/last-seen-store.js';
import { Lease, WATCH_LEASE_KEY } from '../store/lease.js';
import { systemView } from './system-view.js';
import { Watcher } from './watcher.js';

/** Starts and stops the work of the lease holder, never concurrently. */
export class LeasedWatch {
  readonly #context: MasterContext;
  readonly #system: ZesterConnection;
  readonly #revoker: Revoker;
  readonly #lease: Lease;
  readonly #follower: PresenceFollower;
  readonly #lastSeen: LastSeenStore;
  readonly #direct: DirectConnections | undefined;
  #watcher: Watcher | undefined;
  #feed: PresenceFeed | undefined;
  #transition: Promise<void> = Promise.resolve();
  #stopped = false;

  /** @param direct connections of the system account to each server */
  constructor(
    context: MasterContext,
    system: ZesterConnection,
    revoker: Revoker,
    direct: DirectConnections | undefined,
  ) {
    this.#context = context;
    this.#system = system;
    this.#revoker = revoker;
    this.#direct = direct;
    const { store, logger, presence: view } = context;
    this.#follower = new PresenceFollower(context, system);
    this.#follower.start();
    this.#lastSeen = new LastSeenStore({ store, logger, view });
    this.#lastSeen.load();
    this.#lease = new Lease({
      bucket: context.store.challenges,
      key: WATCH_LEASE_KEY,
      id: context.id,
      name: context.trust.domain.masterName,
      logger: context.logger,
      connection: () => connectionIdOf(context.nc),
      isGone: async (connection) => (await isConnectionOpen(system, connection)) === false,
      onTaken: () => this.#begin(),
      onLost: () => void this.#end(),
    });
  }

  /** Whether this master watches. */
  get held(): boolean {
    return this.#lease.held;
  }

  /** The ID of the watching master; undefined: there is none. */
  get holder(): string | undefined {
    return this.#lease.holder;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#follower.stop();
    await this.#lastSeen.close();
    await this.#end();
    await this.#lease.stop();
  }

  #begin(): void {
    const { logger, metrics, events } = this.#context;
    this.#transition = this.#transition.then(async () => {
      metrics.watching.set(1);
      events.emit({ type: 'watching', watching: true });
      // this master knows the connections from now on, and publishes them to the others
      this.#follower.stop();
      const feed = new PresenceFeed(this.#context);
      this.#feed = feed;
      this.#lastSeen.begin();
      const onSettled = () => {
        feed.settled();
        this.#lastSeen.settled();
      };
      const view = systemView(this.#system, this.#context.trust.domain.publicKeys.account, this.#direct);
      const watcher = new Watcher(this.#context, view, this.#revoker, onSettled);
      this.#watcher = watcher;
      this.#revoker.start();
      // it may take long, and must not delay the end of the lease
      void watcher
        .start()
        .catch((error: unknown) =>
          logger.error({ error: String(error) }, "cannot follow the servers' events"),
        );
    });
  }

  #end(): Promise<void> {
    this.#transition = this.#transition.then(async () => {
      if (this.#watcher === undefined) return;
      this.#context.events.emit({ type: 'watching', watching: false });
      await this.#watcher.stop();
      this.#watcher = undefined;
      this.#context.metrics.endWatching();
      this.#feed?.stop();
      this.#feed = undefined;
      this.#lastSeen.end();
      // a master that stops, or whose connection is closed permanently, does not follow another one
      if (!this.#stopped && !this.#context.nc.isClosed()) this.#follower.start();
      await this.#revoker.stop();
    });
    return this.#transition;
  }
}

function connectionIdOf({ info }: ZesterConnection): ConnectionId | undefined {
  return info && { server: info.server_id, cid: info.client_id };
}
