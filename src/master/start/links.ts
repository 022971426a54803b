// Opens the connections of a master.
import { connectMaster, type ZesterConnection } from '../../connection/connect.js';
import { drained } from '../../connection/drained.js';
import type { SystemConnectionOptions } from '../../system-account/system-connection.js';
import { serverUrls } from '../../trust/home.js';
import type { MasterLogger } from '../logger.js';
import type { MasterOptions } from '../master.js';
import { AnswerConnections } from '../requests/answer-connections.js';
import { ConnectionLog } from '../requests/connection-log.js';
import { Signers } from '../trust/signers.js';
import type { MasterTrust } from '../trust/trust.js';
import { ServerWatch } from '../watch/server-watch.js';
import type { Closing } from './closing.js';

/** How a master reaches its servers. */
export interface Links {
  servers: readonly string[];
  /** Of the fleet's account, as a master. */
  nc: ZesterConnection;
  /** Of the system account. */
  system: ZesterConnection;
  /** What requests are heard and answered over. */
  answers: AnswerConnections;
  /** What happens to all of them. */
  log: ConnectionLog;
  signers: Signers;
  serverWatch: ServerWatch;
  /** How to make another connection such as `system`. */
  at: SystemConnectionOptions;
}

/** Opens them. @throws CredsError, ConnectError; NatsServerError `ERR_SERVER_TOO_OLD` */
export async function openLinks(
  options: MasterOptions,
  { domain }: MasterTrust,
  logger: MasterLogger,
  closing: Closing,
): Promise<Links> {
  const { paths } = domain;
  const servers = serverUrls(options.servers, domain.servers);
  const credsPath = options.credsPath ?? paths.masterCreds;
  const signers = closing.add(await Signers.open(credsPath), (part) => part.close());
  const tls = options.tls ?? domain.tls;
  const requireTls = options.requireTls ?? domain.requireTls;
  const connection = { servers, requireTls, ...(tls != null && { tls }) };
  const log = closing.add(new ConnectionLog(logger), (part) => part.end());
  const nc = await connectMaster({
    ...connection,
    credsPath,
    rotate: 'hitless',
    onEvent: (event) => {
      log.hear('zester-master', credsPath, event);
      if (event.type === 'credentialsLoaded') void signers.reload(logger);
    },
  });
  closing.add(nc, drained);
  const systemCredsPath = options.systemCredsPath ?? paths.systemCreds;
  const system = await connectMaster({
    ...connection,
    credsPath: systemCredsPath,
    name: 'zester-master-system',
    onEvent: (event) => log.hear('zester-master-system', systemCredsPath, event),
  });
  closing.add(system, (part) => part.close());
  const serverWatch = closing.add(new ServerWatch(system, logger), (part) => part.stop());
  await serverWatch.checkAtStart();
  const answers = await AnswerConnections.open(nc, connection, {
    credsPath: options.answersCredsPath ?? paths.masterAnswersCreds,
    mainCredsPath: credsPath,
    logger,
    connections: log,
  });
  closing.add(answers, (part) => part.close());
  const { systemCredsPath: systemCreds } = options;
  const at = { servers, tls, requireTls, ...(systemCreds !== undefined && { systemCreds }) };
  return { servers, nc, system, answers, log, signers, serverWatch, at };
}
