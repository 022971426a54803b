import { within } from '../connection/within.js';
import { startAdminService } from './admin-service.js';
import { startAuthService } from './auth-service.js';
import type { MasterContext } from './context.js';
import { answerDiscovery } from './discovery.js';
import { startEnrollService } from './enroll-service.js';
import { packageVersion } from '../fleet/package-version.js';
import { RefusalAudit } from './refusal-audit.js';

/**
 * Starts to answer peels, holders of join tokens and admins, as one master of several.
 *
 * @returns `stop` takes nothing more and resolves when what was taken is answered
 */
export async function startServices(context: MasterContext): Promise<{ stop(): Promise<void> }> {
  const { nc, id } = context;
  const refusals = new RefusalAudit(context.audit);
  const services = [
    startAuthService(context, refusals),
    startEnrollService(context, refusals),
    startAdminService(context, refusals),
  ];
  const discovery = answerDiscovery(nc, {
    name: 'zester-master',
    id,
    version: packageVersion(),
    description: 'issues, renews and revokes the credentials of a fleet',
    endpoints: services.flatMap(({ endpoints }) => endpoints),
  });
  // who hears of this master finds it answering; if the connection is down at the moment, as soon as it is up
  await within(
    nc.flush().catch(() => undefined),
    Date.now() + 2_000,
  );
  return {
    async stop() {
      for (const subscription of discovery) subscription.unsubscribe();
      await Promise.all(services.map((service) => service.stop()));
      refusals.close();
    },
  };
}
