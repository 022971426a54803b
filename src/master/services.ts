import type { NatsConnection } from '@nats-io/nats-core';
import { within } from '../connection/within.js';
import { redactSeeds } from '../errors.js';
import { startAdminService } from './admin-service.js';
import { UNKNOWN_ACTOR } from './asker.js';
import { startAuthService } from './auth-service.js';
import type { MasterContext } from './context.js';
import { answerDiscovery } from './discovery.js';
import { startEnrollService } from './enroll-service.js';
import type { FloodGuard } from './flood-guard.js';
import { packageVersion } from '../fleet/package-version.js';
import { RefusalAudit } from './refusal-audit.js';

/** The connections that a master answers over. Both are of a user that may publish to inboxes only. */
export interface AnswerConnections {
  /** For peels and holders of join tokens: a flood of theirs delays nothing else. */
  peels: NatsConnection;
  /** For admins and discovery. */
  admins: NatsConnection;
}

/**
 * Starts to answer peels, holders of join tokens and admins, as one master of several.
 *
 * @returns `stop` takes nothing more and resolves when what was taken is answered
 */
export async function startServices(
  context: MasterContext,
  { peels, admins }: AnswerConnections,
  floods?: Pick<FloodGuard, 'peelIgnored' | 'tokenIgnored'>,
): Promise<{ stop(): Promise<void> }> {
  const { id, logger } = context;
  const refusals = new RefusalAudit(context.audit);
  const services = [
    startAuthService(context, peels, refusals, floods?.peelIgnored),
    startEnrollService(context, peels, refusals, floods?.tokenIgnored),
    startAdminService(context, admins, refusals),
  ];
  const discovery = answerDiscovery(
    admins,
    {
      name: 'zester-master',
      id,
      version: packageVersion(),
      description: 'issues, renews and revokes the credentials of a fleet',
      endpoints: services.flatMap(({ endpoints }) => endpoints),
    },
    ({ subject }, { code, message }) => {
      logger.debug({ subject: redactSeeds(subject).slice(0, 100), code }, message);
      // any user of the account may ask, and does not say who it is: all of them are one in the audit
      refusals.note({ request: 'discovery ($SRV)', by: UNKNOWN_ACTOR, code, reason: message });
    },
  );
  // who hears of this master finds it answering; if the connection is down at the moment, as soon as it is up
  await within(
    Promise.all([peels, admins].map((nc) => nc.flush().catch(() => undefined))),
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
