// Opens the connections of a master.
import { openMaster, type ConnectionCredentials, type ZesterConnection } from '../../connection/connect.js';
import { nameOf } from '../../connection/credentials.js';
import { drained } from '../../connection/drained.js';
import { givenUserCredentials, type GivenUserCredentials } from '../../creds/credentials-option.js';
import { DirectConnections } from '../../system-account/direct-connections.js';
import { connectSystem, type SystemConnectionOptions } from '../../system-account/system-connection.js';
import { serverUrls } from '../../trust/home.js';
import type { MasterLogger } from '../logger.js';
import type { MasterOptions } from '../master.js';
import { AnswerConnections } from '../requests/answer-connections.js';
import { ConnectionLog } from '../requests/connection-log.js';
import { Signers } from '../trust/signers.js';
import { endorsementsOf } from '../../trust/own-creds.js';
import type { MasterTrust } from '../trust/trust.js';
import { ServerWatch } from '../watch/server-watch.js';
import { DIRECT_CONNECT_TIMEOUT_MS, DIRECT_INTERVAL_MS } from '../../timing.js';
import type { Closing } from './closing.js';

/** The connection to the system account that account JWTs are pushed over. */
const PUSHES_NAME = 'zester-master-pushes';

/** The connections of a master. */
export interface MasterConnections {
  servers: readonly string[];
  /** To the fleet's account, as a master. */
  nc: ZesterConnection;
  /** To the system account. */
  system: ZesterConnection;
  /** The connections that receive and answer requests. */
  answers: AnswerConnections;
  /** Logs the events of all of them. */
  log: ConnectionLog;
  signers: Signers;
  serverWatch: ServerWatch;
  /** The options of pushes of account JWTs: over an open connection, or a new one such as `system`. */
  pushOptions: SystemConnectionOptions;
}

/** The parts that {@link openPushes} uses. */
interface PushParts {
  /** The options of each connection. */
  connection: Omit<Parameters<typeof openMaster>[0], 'name' | 'onEvent'>;
  /** Of the system account. */
  credentials: GivenUserCredentials;
  system: ZesterConnection;
  trust: MasterTrust;
  log: ConnectionLog;
  closing: Closing;
}

/** Opens the connections. @throws CredsError, ConnectError; NatsServerError `ERR_SERVER_TOO_OLD` */
export async function openConnections(
  options: MasterOptions,
  trust: MasterTrust,
  logger: MasterLogger,
  closing: Closing,
): Promise<MasterConnections> {
  const { domain } = trust;
  const { paths } = domain;
  const servers = serverUrls(options.servers, domain.servers);
  const tls = options.tls ?? domain.tls;
  const requireTls = options.requireTls ?? domain.requireTls;
  // otherwise the client creates three errors with stacks for each request, in case it fails
  const connection = { servers, requireTls, ...(tls != null && { tls }), noAsyncTraces: true };
  const log = closing.add(new ConnectionLog(logger), (part) => part.end());
  const main = masterCredentials(options, 'credentials', 'credsPath', paths.masterCreds);
  // events arrive before the connection is open, when there is no signer yet
  let signers: Signers | undefined = undefined as Signers | undefined;
  let credentials: ConnectionCredentials | undefined = undefined as ConnectionCredentials | undefined;
  const opened = await openMaster(
    {
      ...connection,
      rotate: 'hitless',
      onEvent: (event) => {
        log.handle('zester-master', nameOf(main), event);
        if (event.type === 'credentialsLoaded' && credentials !== undefined)
          signers?.use(credentials.current);
      },
    },
    main,
  );
  const nc = closing.add(opened.connection, drained);
  credentials = opened.credentials;
  signers = closing.add(
    new Signers(credentials.current, (creds) => endorsementsOf(trust.domain, creds)),
    (part) => part.close(),
  );
  const asSystem = masterCredentials(options, 'systemCredentials', 'systemCredsPath', paths.systemCreds);
  const { connection: system } = await openMaster(
    {
      ...connection,
      name: 'zester-master-system',
      onEvent: (event) => log.handle('zester-master-system', nameOf(asSystem), event),
    },
    asSystem,
  );
  closing.add(system, (part) => part.close());
  const serverWatch = closing.add(new ServerWatch(system, trust.domain.publicKeys.account, logger), (part) =>
    part.stop(),
  );
  await serverWatch.checkAtStart();
  const answers = await AnswerConnections.open(nc, connection, {
    credentials: masterCredentials(
      options,
      'answersCredentials',
      'answersCredsPath',
      paths.masterAnswersCreds,
    ),
    main,
    logger,
    connections: log,
  });
  closing.add(answers, (part) => part.close());
  const systemCreds = options.systemCredentials ?? options.systemCredsPath;
  const how = { servers, tls, requireTls, ...(systemCreds !== undefined && { systemCreds }) };
  const pushOptions = await openPushes(how, {
    connection,
    credentials: asSystem,
    system,
    trust,
    log,
    closing,
  });
  return { servers, nc, system, answers, log, signers, serverWatch, pushOptions };
}

/**
 * Opens the connections that account JWTs are pushed over: one to any server, so that an answer does not wait behind the
 * connect events of thousands of clients, and two to each. While thousands reconnect, a new connection waits behind
 * them, and a revocation must not.
 */
async function openPushes(
  how: SystemConnectionOptions,
  { connection, credentials, system, trust, log, closing }: PushParts,
): Promise<SystemConnectionOptions> {
  let direct: DirectConnections[] = [];
  const { connection: pushes } = await openMaster(
    {
      ...connection,
      name: PUSHES_NAME,
      onEvent: (event) => {
        log.handle(PUSHES_NAME, nameOf(credentials), event);
        if (event.type === 'credentialsLoaded') for (const one of direct) void one.renew();
      },
    },
    credentials,
  );
  closing.add(pushes, (part) => part.close());
  const connectOne = (only: string) =>
    connectSystem(trust.domain, { ...how, only, timeoutMs: DIRECT_CONNECT_TIMEOUT_MS });
  const querying = new DirectConnections(system, how.servers, connectOne);
  const pushing = new DirectConnections(pushes, how.servers, connectOne);
  direct = [querying, pushing];
  for (const one of direct) {
    void one.open();
    const opening = setInterval(() => void one.open(), DIRECT_INTERVAL_MS).unref();
    closing.add(opening, clearInterval);
    closing.add(one, (part) => part.close());
  }
  const existing = () => (log.down.has(PUSHES_NAME) || pushes.isClosed() ? undefined : pushes);
  return { ...how, existing, direct: { querying, pushing } };
}

/** The credentials of one of a master's users: those of the options, else the file of the home. */
function masterCredentials(
  options: MasterOptions,
  name: 'credentials' | 'answersCredentials' | 'systemCredentials',
  pathName: 'credsPath' | 'answersCredsPath' | 'systemCredsPath',
  path: string,
): GivenUserCredentials {
  const { [name]: credentials, [pathName]: credsPath } = options;
  return givenUserCredentials(
    credentials === undefined && credsPath === undefined ? { credsPath: path } : { credentials, credsPath },
    { names: [name, pathName] },
  );
}
