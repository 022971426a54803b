// Runs a master in the foreground, with its HTTP endpoint.
import type { Config } from '../config/load.js';
import type { Master, MasterOptions } from '../../master/master.js';
import type { MasterLogger } from '../../master/logger.js';

/** A master and its HTTP endpoint. */
export interface RunningMaster {
  master: Master;
  /** The URL of `/metrics` and `/healthz`; undefined: none. */
  http: string | undefined;
  stop: Master['stop'];
}

/**
 * Starts a master from a configuration.
 *
 * @throws as `startMaster` and `serveMasterHttp`
 */
export async function runMaster(
  { values }: Config,
  log: MasterLogger,
  more: Pick<MasterOptions, 'servers' | 'tls' | 'requireTls' | 'signal' | 'credsPath' | 'systemCredsPath'>,
): Promise<RunningMaster> {
  const { home, policy, lifetime, replicas, http, maxRevocations, maxRevocationsShare } = values;
  const { recovery, recoveryLimit } = values;
  const { startMaster } = await import('../../master/master.js');
  const master = await startMaster({
    home,
    policy,
    lifetime,
    recoverySeconds: recovery,
    recoveryLimit,
    breaker: { peels: maxRevocations, share: maxRevocationsShare },
    logger: log,
    ...(replicas !== undefined && { replicas }),
    ...more,
  });
  try {
    const { serveMasterHttp } = await import('../../master/http.js');
    const served = http === undefined ? undefined : await serveMasterHttp(master, http);
    if (served !== undefined) log.info({ url: served.url }, 'serving /metrics and /healthz');
    return {
      master,
      http: served?.url,
      stop: async (options) => {
        await served?.close();
        await master.stop(options);
      },
    };
  } catch (error) {
    await master.stop();
    throw error;
  }
}
