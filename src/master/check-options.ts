// Rejects master options that can never work, before the home is opened.
import * as v from 'valibot';
import { atLeast, checkNumbers, DURATION_MS, TIMEOUT_MS } from '../connection/check-options.js';
import { parseServerUrls } from '../connection/server-urls.js';
import { FleetError } from '../errors.js';
import {
  anything,
  bag,
  callback,
  checkOptions,
  flag,
  oneOf,
  type Entries,
} from '../options/check-options.js';
import { withCurrentNames, omitUndefined } from '../options/renamed-options.js';
import { POLICY_MAX_TIMEOUT_MS } from '../timing.js';
import type { MasterOptions } from './master.js';
import { POLICIES } from './requests/policy.js';
import { REPLICAS } from './store/replicas.js';

const metricsRegistry = v.custom<object>(
  (value) => typeof value === 'object' && value !== null && 'registerMetric' in value,
  'must have registerMetric(), as a Registry of prom-client',
);

const MASTER = bag(
  {
    home: anything,
    servers: anything,
    credentials: anything,
    credsPath: anything,
    answersCredentials: anything,
    answersCredsPath: anything,
    systemCredentials: anything,
    systemCredsPath: anything,
    policy: v.lazy((input) => (typeof input === 'function' ? callback : oneOf(POLICIES))),
    policyTimeoutMs: anything,
    lifetimeSeconds: anything,
    lifetime: anything,
    recoverySeconds: anything,
    recoveryLimit: anything,
    breaker: bag({ peels: anything, share: anything, windowMs: anything }),
    logger: anything,
    onEvent: callback,
    metrics: metricsRegistry,
    replicas: anything,
    storeWaitMs: anything,
    readyTimeoutMs: anything,
    tls: anything,
    requireTls: flag,
    signal: anything,
    now: callback,
  } satisfies Entries<MasterOptions>,
  { required: ['home'] },
);

/**
 * Checks the options of `startMaster`.
 *
 * @returns the same, by their present names
 * @throws ConnectError for the servers; FleetError `ERR_FLEET_CONFIG` for the master's own options
 */
export function checkMasterOptions(given: MasterOptions): MasterOptions {
  checkOptions('startMaster', given, MASTER, configError);
  const named = withCurrentNames(given, { lifetimeSeconds: 'lifetime' }, configError);
  const options = { ...named, ...(named.breaker && { breaker: omitUndefined(named.breaker) }) };
  if (options.servers !== undefined) parseServerUrls(options.servers);
  const { breaker, replicas, recoverySeconds } = options;
  if (replicas !== undefined && !REPLICAS.some((one) => one === replicas)) {
    throw configError(`replicas: give ${REPLICAS.join(', ')}`);
  }
  checkNumbers(
    options,
    {
      lifetimeSeconds: atLeast(0, 'seconds'),
      recoveryLimit: atLeast(0, 'recoveries'),
      storeWaitMs: DURATION_MS,
      readyTimeoutMs: DURATION_MS,
      policyTimeoutMs: { ...TIMEOUT_MS, most: POLICY_MAX_TIMEOUT_MS },
    },
    configError,
  );
  if (recoverySeconds !== 'manual')
    checkNumbers({ recoverySeconds }, { recoverySeconds: atLeast(0, 'seconds, or manual') }, configError);
  checkNumbers(
    breaker ?? {},
    {
      peels: atLeast(0, 'peels'),
      share: { least: 0, most: 1, whole: false, unit: 'parts of one' },
      windowMs: DURATION_MS,
    },
    (message) => configError(`breaker: ${message}`),
  );
  return options;
}

function configError(message: string): FleetError {
  return new FleetError('ERR_FLEET_CONFIG', message);
}
