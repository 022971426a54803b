// recoverCredentials: replaces a peel's expired credentials.
import { sleep } from '../async/sleep.js';
import { guarded, guardedNumber, warnOfCallback } from '../async/guarded.js';
import { DURATION_MS, checkNumbers } from '../connection/check-options.js';
import type { ConnectSettings } from '../connection/connect.js';
import { planConnection } from '../connection/connect-plan.js';
import { loadGiven, nameOf, storeOf } from '../connection/credentials.js';
import { noStoreError } from '../creds/credential-provider.js';
import type { CredsFile } from '../creds/creds-file.js';
import {
  givenUserCredentials,
  type CredentialsOption,
  type UserCredentials,
} from '../creds/credentials-option.js';
import { FleetError } from '../errors.js';
import { expiryTime } from '../jwt/expiry.js';
import { validatePeelId } from '../permissions/peel-id.js';
import { RECOVERY_TIMEOUT_MS } from '../timing.js';
import { FleetClock } from './clock.js';
import { isTransient } from './is-transient.js';
import { checkRecoverNames } from './option-names.js';
import { Recovery, type Recovered } from './recovery.js';
import { loadNow, recoveryFilesOf, withRecovery } from './recovery-files.js';
import { recoveryPause, type RecoveryResult } from './recovery-plan.js';

/** Events of {@link recoverCredentials}. */
export type RecoverEvent =
  /** The request waits for an admin's decision: `zester peel accept <id>`. */
  | { type: 'pending'; fingerprint: string }
  /** An attempt failed, and is retried. */
  | { type: 'retrying'; error: Error; retryInMs: number };

/** The options of {@link recoverCredentials}, without the credentials. */
export interface RecoverSettings extends Pick<ConnectSettings, 'servers' | 'tls' | 'requireTls' | 'timeout'> {
  /** By default the name in the JWT. */
  peelId?: string | undefined;
  /** The file of the recovery credential: a path or a `file:` URL; `FILE.recovery` beside the `.creds` file by default. */
  recovery?: string | URL | undefined;
  /** How long to retry, and to wait for an admin's decision, in milliseconds; 2 minutes by default. */
  waitMs?: number | undefined;
  /** Aborts the wait, with its reason. */
  signal?: AbortSignal | undefined;
  /** Called when waiting for an admin, and before each retry. */
  onEvent?: ((event: RecoverEvent) => void) | undefined;
  /** The clock, in milliseconds; `Date.now` by default. It does not decide expiry: a master does. */
  now?: (() => number) | undefined;
}

/** Settings, and exactly one credential: a file, or a provider with `store`. */
export type RecoverOptions = RecoverSettings & CredentialsOption<UserCredentials>;

/** The result of {@link recoverCredentials}. */
export interface RecoverResult {
  peelId: string;
  /** `valid`: a master says that they have not expired. `replaced`: another program replaced them meanwhile. */
  outcome: 'recovered' | 'valid' | 'replaced';
  /** The file, or the name of the provider. */
  path: string;
  publicKey: string;
  /** Milliseconds since 1970; undefined: never. */
  expiresAt: number | undefined;
}

/**
 * Gets new credentials for a peel whose credentials have expired, and replaces the old ones. The peel proves possession
 * of its old key, and makes a new one. `startPeel` does this by itself; call it before `connectPeel`, or when its
 * connection reports a refusal: `connectPeel` follows the file, and uses the new credentials at its next attempt.
 *
 * It needs the recovery credential that masters issue with each renewal. A revoked or rejected peel cannot recover.
 *
 * @throws CredsError, FileError, PeelIdError; ConnectError; FleetError `ERR_FLEET_RECOVERY` without a recovery credential or
 *   where the masters allow it no more, `ERR_FLEET_CLONED`, `ERR_FLEET_REVOKED`, `ERR_FLEET_REJECTED`; `ERR_FLEET_PENDING`
 *   when no admin has accepted it in time; `ERR_FLEET_NO_MASTER`, `ERR_FLEET_TIMEOUT`
 * @example
 * import { connectPeel } from 'zester';
 * import { recoverCredentials } from 'zester/peel';
 *
 * const servers = process.env.NATS_URL;
 * const { outcome } = await recoverCredentials({ servers, credentials: 'web-01.creds' });
 * console.log(outcome); // valid
 * const nc = await connectPeel({ servers, peelId: 'web-01', credentials: 'web-01.creds' });
 * await nc.drain();
 */
export async function recoverCredentials(options: RecoverOptions): Promise<RecoverResult> {
  checkRecoverNames(options);
  const { credentials, credsPath, ...settings } = options;
  const { servers, tls, requireTls, timeout, waitMs = RECOVERY_TIMEOUT_MS, signal, now, onEvent } = settings;
  const given = givenUserCredentials({ credentials, credsPath });
  const store = storeOf(given);
  const files = recoveryFilesOf(given, settings);
  if (store === undefined || files === undefined) throw noStoreError(nameOf(given));
  checkNumbers(settings, { waitMs: { ...DURATION_MS, most: Infinity } });
  planConnection({ servers, tls, requireTls });
  const current = await loadGiven(given);
  const peelId = validatePeelId(settings.peelId ?? current.claims.name ?? '');
  const recovery = new Recovery({
    peelId,
    connection: { servers, tls, requireTls, timeout },
    store: withRecovery(store, files),
    files,
    clock: new FleetClock(now && guardedNumber(now, Date.now, warnOfCallback('now'))),
    reload: () => loadNow(given),
  });
  const notify = onEvent && guarded(onEvent, warnOfCallback('onEvent'));
  const outcome = await untilDecided(() => recovery.attempt(current), { peelId, waitMs, signal, notify });
  if (outcome.is === 'unavailable') {
    throw new FleetError(
      'ERR_FLEET_RECOVERY',
      `there is no recovery credential for ${nameOf(given)} (${current.publicKey}): issue a new one ("zester peel add ${peelId} --replace")`,
      { peelId },
    );
  }
  if (outcome.is === 'recovered' && outcome.notWritten !== undefined) throw outcome.notWritten;
  const creds: CredsFile = outcome.is === 'recovered' ? outcome.creds : await loadNow(given);
  return {
    peelId,
    outcome: outcome.is === 'notExpired' ? 'valid' : outcome.is,
    path: store.path,
    publicKey: creds.publicKey,
    expiresAt: expiryTime(creds.claims),
  };
}

/** The options of {@link untilDecided}. */
interface DecisionOptions {
  peelId: string;
  waitMs: number;
  signal: AbortSignal | undefined;
  notify: ((event: RecoverEvent) => void) | undefined;
}

/** Retries until a master decides, refuses permanently, or time is up. */
async function untilDecided(
  attempt: () => Promise<Recovered>,
  { peelId, waitMs, signal, notify }: DecisionOptions,
): Promise<Exclude<Recovered, { is: 'pending' }>> {
  const deadline = performance.now() + waitMs;
  let isPendingReported = false;
  for (let attempts = 1; ; attempts += 1) {
    signal?.throwIfAborted();
    let result: RecoveryResult = 'failed';
    let failure: unknown;
    try {
      const outcome = await attempt();
      if (outcome.is !== 'pending') return outcome;
      result = 'pending';
      if (!isPendingReported) notify?.({ type: 'pending', fingerprint: outcome.fingerprint });
      isPendingReported = true;
      failure = new FleetError(
        'ERR_FLEET_PENDING',
        `nobody has accepted the peel "${peelId}" yet (${outcome.fingerprint}): run "zester peel accept ${peelId}"`,
        { peelId },
      );
    } catch (error) {
      if (!mayRetry(error)) throw error;
      failure = error;
    }
    const left = deadline - performance.now();
    if (left <= 0) throw failure;
    const retryInMs = Math.min(left, recoveryPause(result, attempts, Math.random()));
    if (result !== 'pending') notify?.({ type: 'retrying', error: failure as Error, retryInMs });
    await sleep(retryInMs, signal);
  }
}

/** A connection that closed is no reason to stop: each attempt opens its own. */
function mayRetry(error: unknown): boolean {
  return isTransient(error) || (error instanceof Error && error.name === 'ClosedConnectionError');
}
