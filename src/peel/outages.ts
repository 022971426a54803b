// Follows the status of a peel's connection: when it is lost, and when it is back.

/** The dependencies of {@link Outages}. */
export interface OutagesOptions {
  /** The connection was lost. */
  lost: () => void;
  /** It is back. `isOnPurpose`: it was dropped to switch to other credentials, not lost. */
  back: (isOnPurpose: boolean) => void;
}

/** Knows whether the connection is down. */
export class Outages {
  readonly #options: OutagesOptions;
  #isDown = false;

  constructor(options: OutagesOptions) {
    this.#options = options;
  }

  get isDown(): boolean {
    return this.#isDown;
  }

  /** Follows the status until it ends. */
  async follow(status: AsyncIterable<{ type: string }>): Promise<void> {
    let isOnPurpose = false;
    for await (const { type } of status) {
      if (type === 'forceReconnect') isOnPurpose = true;
      // each refused attempt is a disconnect, too
      if (type === 'disconnect' && !this.#isDown) {
        this.#options.lost();
        this.#isDown = true;
      }
      if (type === 'reconnect') {
        this.#isDown = false;
        this.#options.back(isOnPurpose);
        isOnPurpose = false;
      }
    }
  }
}
