// A clock that a test moves.

/**
 * A clock that a test moves: it runs as the machine's does, and {@link advance} puts it forward. All of Zester's clock
 * options accept `clock.now`. A fleet of `startTestFleet` follows it: its peels renew credentials that have become due.
 *
 * nats-server has no such clock: it judges expiry by the machine's own. So put the clock forward to see renewals, and
 * to see a server refuse an expired credential, issue it in the past: `{ now: () => Date.now() - 120_000, expiry: 60
 * }`.
 *
 * @example
 * import { createUserJwt, decodeUserJwt, generateKeyBundle } from 'zester';
 * import { TestClock } from 'zester/testing';
 *
 * const clock = new TestClock();
 * const account = generateKeyBundle('account');
 * const before = decodeUserJwt(createUserJwt(generateKeyBundle('user'), account, { name: 'a', now: clock.now }));
 * clock.advance(3_600_000);
 * const after = decodeUserJwt(createUserJwt(generateKeyBundle('user'), account, { name: 'b', now: clock.now }));
 * console.log(after.iat - before.iat >= 3_600); // true
 */
export class TestClock {
  readonly #listeners = new Set<() => void>();
  #aheadMs: number;

  /** @param start the initial time, in milliseconds since 1970; by default the machine's */
  constructor(start?: number | Date) {
    this.#aheadMs = start === undefined ? 0 : Number(start) - Date.now();
    if (!Number.isFinite(this.#aheadMs)) throw new RangeError('the start of a clock is a time');
  }

  /** Returns the time in milliseconds since 1970. A separate function, so that it can be passed as an option. */
  readonly now = (): number => Date.now() + this.#aheadMs;

  /** The lead over the machine's clock, in milliseconds. */
  get aheadMs(): number {
    return this.#aheadMs;
  }

  /**
   * Moves it forward.
   *
   * @param ms milliseconds
   * @throws RangeError when this is not a number of milliseconds, or is negative: a fleet's time only moves forward
   */
  advance(ms: number): void {
    if (!Number.isFinite(ms) || ms < 0)
      throw new RangeError(`a clock is put forward by milliseconds, not by ${ms}`);
    this.#aheadMs += ms;
    for (const listener of [...this.#listeners]) listener();
  }

  /** @internal Called after each advance. @returns ends that */
  follow(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
