// Counts the connected peels as records and presence change, without a pass over all of them.
import { isPeelConnected } from '../protocol/records/effective-presence.js';
import type { PresenceView } from './presence/presence-view.js';
import type { Registry } from './registry/registry.js';

/** The connected peels: `status` is asked often, and a pass over 100,000 records takes a tenth of a second. */
export class PeelTally {
  readonly #registry: Pick<Registry, 'get' | 'onChange'>;
  readonly #presence: Pick<PresenceView, 'seen' | 'onChange'>;
  readonly #connected = new Set<string>();

  /** @param presence empty: connections that it has already are not counted */
  constructor(
    registry: Pick<Registry, 'get' | 'onChange'>,
    presence: Pick<PresenceView, 'seen' | 'onChange'>,
  ) {
    this.#registry = registry;
    this.#presence = presence;
    registry.onChange(({ id }) => this.#update(id));
    presence.onChange((peelId) => this.#update(peelId));
  }

  /** How many peels with a record are connected. */
  get connected(): number {
    return this.#connected.size;
  }

  #update(peelId: string): void {
    const record = this.#registry.get(peelId);
    if (record !== undefined && isPeelConnected(record, this.#presence.seen(peelId)))
      this.#connected.add(peelId);
    else this.#connected.delete(peelId);
  }
}
