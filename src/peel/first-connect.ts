// Makes the first connection of a peel: retries, and recovers an expired credential.
import { sleep } from '../async/sleep.js';
import { Refusals } from '../connection/refusals.js';
import { expired, notYetValid } from '../creds/credential-holder.js';
import type { CredsFile } from '../creds/creds-file.js';
import { ZesterError } from '../errors.js';
import { isNotYetValid } from '../jwt/not-before.js';
import { afterStartRecovery, recoveryEvent } from './after-recovery.js';
import type { PeelEvent } from './events.js';
import type { RecoveryAttempt } from './recover-once.js';
import { mayHaveExpired, recoveryPause } from './recovery-plan.js';
import { afterFailedStart } from './start-plan.js';

/** What a first connection needs. */
export interface FirstConnectOptions<Connection> {
  /** Tries once to connect. */
  open: () => Promise<Connection>;
  /** Tries once to get new credentials. @throws FleetError that is final */
  recover: () => Promise<RecoveryAttempt>;
  /** Loads the credentials to connect with. */
  load: () => Promise<CredsFile>;
  /** This machine's own time, in milliseconds since 1970. */
  localTime: () => number;
  emit: (event: PeelEvent, isLogged?: boolean) => void;
  waitOnFirstConnect: boolean;
  /** The window of the first attempt to reconnect, in milliseconds. */
  windowMs: number;
  signal: AbortSignal | undefined;
}

/**
 * Connects for the first time.
 *
 * @throws the error of the last attempt, if a retry cannot succeed; the reason of `signal`
 */
export async function firstConnect<Connection>(
  options: FirstConnectOptions<Connection>,
): Promise<Connection> {
  const { open, recover, load, localTime, emit, waitOnFirstConnect, windowMs, signal } = options;
  // a repeated refusal is logged less and less often
  const refusals = new Refusals();
  let recoveries = 0;
  for (let failures = 1; ; failures += 1) {
    signal?.throwIfAborted();
    try {
      return await open();
    } catch (error) {
      if (mayHaveExpired(error)) {
        const { result, cause } = await recover();
        recoveries += 1;
        const next = afterStartRecovery(result, cause, waitOnFirstConnect);
        if (next === 'connect') continue;
        if (next === 'fail') throw cause;
        if (next === 'wait') {
          const retryInMs = recoveryPause(result, recoveries, Math.random());
          const event = recoveryEvent(result, cause ?? error, retryInMs);
          if (event !== undefined) emit(event);
          await sleep(retryInMs, signal);
          continue;
        }
      }
      const { retryInMs, mayBeUntimely } = afterFailedStart({
        ...{ error, waitOnFirstConnect, failures, windowMs },
        random: Math.random(),
      });
      let why = error;
      if (mayBeUntimely) {
        const creds = await load();
        // the server refuses it, and by this machine's clock it is not valid: both cannot be wrong
        if (creds.isExpired(localTime)) throw expired(creds);
        if (isNotYetValid(creds.claims, localTime())) why = notYetValid(creds);
      }
      if (retryInMs === undefined || !(why instanceof ZesterError)) throw why;
      const isNews = refusals.note(why.message, performance.now()) !== undefined;
      emit({ type: 'waiting', error: why, retryInMs }, isNews);
      await sleep(retryInMs, signal);
    }
  }
}
