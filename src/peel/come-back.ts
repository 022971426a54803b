// Brings a running peel back that its servers refuse, by recovering its credential.
import { sleep } from '../async/sleep.js';
import { FleetError } from '../errors.js';
import { recoveryEvent } from './after-recovery.js';
import type { PeelEvent } from './events.js';
import type { RecoveryAttempt } from './recover-once.js';
import { asksToRecover, recoveryPause, type RecoveryResult, type RefusedPeel } from './recovery-plan.js';

/** The dependencies of {@link ComeBack}. */
export interface ComeBackOptions {
  /** Tries once to get new credentials. @throws FleetError that is final */
  recover: () => Promise<RecoveryAttempt>;
  isDown: () => boolean;
  /** What is known of its credential now. */
  known: () => RefusedPeel;
  emit: (event: PeelEvent) => void;
  /** A master refused permanently. */
  ended: (error: FleetError) => void;
  /** Aborted when the peel stops. */
  signal: AbortSignal;
}

/** Recovers a running peel: one round at a time, however often it is refused. */
export class ComeBack {
  readonly #options: ComeBackOptions;
  #isUnderWay = false;

  constructor(options: ComeBackOptions) {
    this.#options = options;
  }

  /**
   * The server refuses the credentials: they may have expired. Retries recovery until the peel is reconnected.
   *
   * @throws unexpected errors
   */
  async refused(): Promise<void> {
    if (this.#isUnderWay) return;
    this.#isUnderWay = true;
    const { ended, signal } = this.#options;
    try {
      await this.#untilConnected();
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof FleetError) ended(error);
      else throw error;
    } finally {
      this.#isUnderWay = false;
    }
  }

  async #untilConnected(): Promise<void> {
    const { recover, isDown, known, emit, signal } = this.#options;
    let last: RecoveryResult = 'failed';
    for (let attempts = 1; ; attempts += 1) {
      await sleep(recoveryPause(last, attempts, Math.random()), signal);
      if (!isDown()) return;
      if (!asksToRecover(attempts, known())) continue;
      const { result, cause } = await recover();
      if (result === 'unavailable') return;
      last = result;
      if (result === 'recovered' || result === 'replaced' || result === 'notExpired') continue;
      const event = recoveryEvent(result, cause, recoveryPause(last, attempts + 1, 1));
      if (event !== undefined) emit(event);
    }
  }
}
