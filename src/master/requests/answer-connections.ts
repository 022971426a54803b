// The connections that requests arrive on and are answered over.
import { connectWithInbox, type ConnectSettings, type ZesterConnection } from '../../connection/connect.js';
import { nameOf } from '../../connection/credentials.js';
import { drained } from '../../connection/drained.js';
import type { GivenUserCredentials } from '../../creds/credentials-option.js';
import { MASTER_ANSWERS_INBOX_PREFIX, MASTER_INBOX_PREFIX } from '../../permissions/names.js';
import { missingMasterAnswers } from '../../trust/master-answers.js';
import { pathExists } from '../../trust/private-files.js';
import type { ConnectionLog } from './connection-log.js';
import type { MasterLogger } from '../logger.js';
import { ANSWER_RECONNECT_MS, FLOOD_RECONNECT_MS } from '../../timing.js';

/** The options of {@link AnswerConnections.open}. */
interface AnswerOptions {
  /** Credentials of the user that may publish to inboxes only. */
  credentials: GivenUserCredentials;
  /** Used if that file is missing, in a home of an older version. */
  main: GivenUserCredentials;
  logger: MasterLogger;
  /** Called for each event of each connection. */
  connections: ConnectionLog;
}

/**
 * The connections that requests arrive on and are answered over. A connection delivers in order, so groups of callers
 * that must not delay each other have one each: peels, holders of join tokens, and admins.
 */
export class AnswerConnections {
  /** For `zester.auth`: peels that renew. */
  readonly auth: ZesterConnection;
  /** For `zester.enroll`: holders of join tokens. */
  readonly enroll: ZesterConnection;
  /** For admins and discovery. */
  readonly admins: ZesterConnection;
  /**
   * Opens another connection, for diverted floods. Servers cut it repeatedly, which is expected and not logged.
   *
   * @param at the server to connect to, if it accepts
   */
  readonly openSink: (at: string) => Promise<ZesterConnection>;

  private constructor(
    [auth, enroll, admins]: readonly [ZesterConnection, ZesterConnection, ZesterConnection],
    openSink: (at: string) => Promise<ZesterConnection>,
  ) {
    this.auth = auth;
    this.enroll = enroll;
    this.admins = admins;
    this.openSink = openSink;
  }

  /**
   * @param main the master's own connection: the others use the same server if possible, so that a master does not depend on
   *   several servers
   */
  static async open(
    main: ZesterConnection,
    connection: ConnectSettings & { servers: string[] },
    { credentials, main: mainCredentials, logger, connections }: AnswerOptions,
  ): Promise<AnswerConnections> {
    const isMissing = credentials.kind === 'file' && !pathExists(credentials.path);
    if (isMissing) {
      const { path } = credentials;
      const { message, fix } = missingMasterAnswers(path);
      logger.warn({ path, fix }, `${path} ${message}`);
    }
    const inUse = isMissing ? mainCredentials : credentials;
    const inbox = isMissing ? MASTER_INBOX_PREFIX : MASTER_ANSWERS_INBOX_PREFIX;
    const open = async (name: string, at: string, options: ConnectSettings) => {
      const servers = serverFirst(connection.servers, at);
      const all = { ...connection, servers, noRandomize: true, name, ...options };
      return (await connectWithInbox(() => inbox, all, inUse)).connection;
    };
    const opened: ZesterConnection[] = [];
    const next = async (name: string) => {
      const nc = await open(name, main.getServer(), {
        rotate: 'hitless',
        reconnectTimeWait: ANSWER_RECONNECT_MS,
        onEvent: (event) => connections.handle(name, nameOf(inUse), event),
      });
      opened.push(nc);
      return nc;
    };
    try {
      const auth = await next('zester-master-auth');
      const enroll = await next('zester-master-enroll');
      const admins = await next('zester-master-admins');
      return new AnswerConnections([auth, enroll, admins], (at) =>
        open('zester-master-floods', at, { reconnectTimeWait: FLOOD_RECONNECT_MS, reconnectJitter: 0 }),
      );
    } catch (error) {
      await Promise.all(opened.map((nc) => nc.close()));
      throw error;
    }
  }

  get all(): readonly ZesterConnection[] {
    return [this.auth, this.enroll, this.admins];
  }

  async close(): Promise<void> {
    await Promise.all(this.all.map(drained));
  }
}

function serverFirst(servers: readonly string[], at: string): string[] {
  const ofAt = servers.find((url) => url.endsWith(`//${at}`)) ?? servers.find((url) => url.endsWith(at));
  return ofAt === undefined ? [...servers] : [ofAt, ...servers.filter((url) => url !== ofAt)];
}
