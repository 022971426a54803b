// Starts and stops the request services of a master.
import { withDeadline } from '../../async/deadline.js';
import { adminOfUserName } from '../../permissions/admin-names.js';
import { isPeelId } from '../../permissions/peel-id.js';
import { peelIdOfRecoveryName } from '../../permissions/recovery.js';
import { tokenIdOfName } from '../../permissions/roles.js';
import { startAdminService } from './admin/service.js';
import type { AnswerConnections } from './answer-connections.js';
import { UNKNOWN_ACTOR } from './admin/authenticate.js';
import { startAuthService } from './auth.js';
import type { MasterContext } from '../context.js';
import { answerDiscovery } from './discovery.js';
import { startEnrollService } from './enroll.js';
import type { FloodLimits } from './flood/meter.js';
import type { FloodGuard } from './flood/guard.js';
import { FloodSink, type FloodSinkOptions } from './flood/sink.js';
import { packageVersion } from '../../protocol/package-version.js';
import { RefusalAudit } from '../audit/refusal-audit.js';
import { SUBSCRIBED_TIMEOUT_MS } from '../../timing.js';
import { excerpt } from '../../text/excerpt.js';
import { adminSubjects, subjectFor, MASTER_NAME } from '../../permissions/names.js';

/** Requests over the rate within a quarter of a second after which a peel is diverted: it sends a few a day. */
const PEEL_DIVERSION: FloodLimits = { requests: 200, bytes: 2 * 1024 * 1024 };
/** Ten thousand hosts may share a token and start at once. */
const TOKEN_DIVERSION: FloodLimits = { requests: 2_500, bytes: 2 * 1024 * 1024 };
/** An admin's program may send ten thousand requests at once. */
const ADMIN_DIVERSION: FloodLimits = { requests: 2_500, bytes: 2 * 1024 * 1024 };

/**
 * Starts answering peels, holders of join tokens and admins, as one of several masters.
 *
 * @returns `stop` takes no more requests and resolves when accepted ones are answered
 */
export async function startServices(
  context: MasterContext,
  { auth, enroll, admins, openSink }: AnswerConnections,
  floods: Pick<FloodGuard, 'peelExcess' | 'tokenExcess' | 'adminExcess'>,
): Promise<{ stop(): Promise<void> }> {
  const { id, logger, metrics } = context;
  const refusals = new RefusalAudit(context.audit);
  const sinkOf = (
    options: Pick<FloodSinkOptions, 'shared' | 'subject' | 'isCaller' | 'limits' | 'onExcess'>,
  ) => new FloodSink({ ...options, open: openSink, onDropped: () => metrics.ignoredRequests.inc(), logger });
  const peelSink = sinkOf({
    shared: auth,
    subject: (peelId) => subjectFor.auth(peelId),
    isCaller: isPeelId,
    limits: PEEL_DIVERSION,
    onExcess: floods.peelExcess,
  });
  const tokenSink = sinkOf({
    shared: enroll,
    subject: (user) => subjectFor.enroll(user),
    isCaller: (user) => tokenIdOfName(user) !== undefined || peelIdOfRecoveryName(user) !== undefined,
    limits: TOKEN_DIVERSION,
    onExcess: floods.tokenExcess,
  });
  const adminSink = sinkOf({
    shared: admins,
    subject: adminSubjects,
    // the owner's subjects have no name, so a sink for them would get the requests of all admins
    isCaller: (user) => adminOfUserName(user) !== undefined,
    limits: ADMIN_DIVERSION,
    onExcess: floods.adminExcess,
  });
  const services = [
    startAuthService(context, auth, refusals, peelSink.excess),
    startEnrollService(context, enroll, refusals, tokenSink.excess),
    startAdminService(context, admins, refusals, adminSink.excess),
  ];
  const discovery = answerDiscovery(
    admins,
    {
      name: MASTER_NAME,
      id,
      version: packageVersion(),
      description: 'issues, renews and revokes the credentials of a fleet',
      endpoints: services.flatMap(({ endpoints }) => endpoints),
    },
    ({ subject }, { code, message }) => {
      logger.debug({ subject: excerpt(subject, 100), code }, message);
      // any user of the account may send one, without identifying itself: the audit log counts them all as one
      refusals.note({ request: 'discovery ($SRV)', by: UNKNOWN_ACTOR, code, reason: message });
    },
  );
  // a master must answer once it can be discovered; if the connection is down, as soon as it is up
  await withDeadline(
    Promise.all([auth, enroll, admins].map((nc) => nc.flush().catch(() => undefined))),
    Date.now() + SUBSCRIBED_TIMEOUT_MS,
  );
  return {
    async stop() {
      for (const subscription of discovery) subscription.unsubscribe();
      await Promise.all([...services, peelSink, tokenSink, adminSink].map((part) => part.stop()));
      refusals.close();
    },
  };
}
