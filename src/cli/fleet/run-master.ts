import type { Config } from '../config/load.js';
import type { Master, MasterOptions } from '../../master/master.js';
import type { MasterLogger } from '../../master/logger.js';
import type { Output } from '../output.js';

/** A master, and what tells how it is. */
export interface RunningMaster {
  master: Master;
  /** Where `/metrics` and `/healthz` are; undefined: nowhere. */
  http: string | undefined;
  stop(): Promise<void>;
}

/**
 * Starts a master as a configuration says.
 *
 * @throws as `startMaster` and `serveMasterHttp`
 */
export async function runMaster(
  { values }: Config,
  log: MasterLogger,
  output: Output,
  more: Pick<MasterOptions, 'servers' | 'signal'>,
): Promise<RunningMaster> {
  const { home, policy, lifetime, replicas, creds, systemCreds, http } = values;
  if (policy === 'auto-all') {
    output.warn(
      'the policy auto-all accepts EVERY peel whose credentials hold: it is for development, not for a fleet',
    );
  }
  const { startMaster } = await import('../../master/master.js');
  const master = await startMaster({
    home,
    policy,
    lifetime,
    replicas,
    logger: log,
    ...(creds !== undefined && { credsPath: creds }),
    ...(systemCreds !== undefined && { systemCredsPath: systemCreds }),
    ...more,
  });
  try {
    const { serveMasterHttp } = await import('../../master/http.js');
    const served = http === undefined ? undefined : await serveMasterHttp(master, http);
    if (served !== undefined) log.info({ url: served.url }, '/metrics and /healthz are served');
    return {
      master,
      http: served?.url,
      stop: async () => {
        await served?.close();
        await master.stop();
      },
    };
  } catch (error) {
    await master.stop();
    throw error;
  }
}
