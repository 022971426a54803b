import { connectMaster } from '../../../src/connection/connect.js';
import { loadCredsFile } from '../../../src/creds/parse.js';
import { applyEvent } from '../../../src/protocol/records/apply-event.js';
import { AdminClient } from '../../../src/protocol/admin-client.js';
import { isPeelEvent, type AuditEvent, type PeelEvent } from '../../../src/protocol/records/audit-event.js';
import type { PeelRecord } from '../../../src/protocol/records/record.js';
import { MessageSigner } from '../../../src/protocol/signed.js';
import type { MasterLogger } from '../../../src/master/logger.js';
import type { Master, MasterOptions } from '../../../src/master/master.js';
import { TestClock } from '../../../src/testing/clock.js';
import { TestFleet } from '../../../src/testing/test-fleet.js';
import type { CreateTrustDomainOptions } from '../../../src/trust/create/create.js';
import type { TlsFiles } from '../../../src/trust/tls-settings.js';
import { contextOf } from '../../../src/master/context-of.js';
import { atEnd, cleanup } from '../../support/cleanup.js';
import { waitFor } from '../../support/wait-for.js';
import { startHome, startHomeCluster, type HomeWithServers } from '../trust/support.js';
import { readAudit } from '../../../src/master/audit/read-audit.js';

/** Errors in a master's log are printed, since they may explain why another assertion fails. */
const ERRORS_ONLY: MasterLogger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: (fields, message) => void process.stderr.write(`master: ${message} ${JSON.stringify(fields)}\n`),
};

/** The fleet of `zester/testing`, with access to its masters. */
export class Fleet {
  readonly home: HomeWithServers;
  readonly #fleet: TestFleet;

  constructor(home: HomeWithServers) {
    this.home = home;
    this.#fleet = new TestFleet(home, new TestClock(), cleanup);
  }

  get servers(): string[] {
    return this.home.servers;
  }

  get masters(): Master[] {
    return this.#fleet.masters;
  }

  /** Connection options, to be spread. */
  get connection(): { servers: string[]; tls?: TlsFiles } {
    return { servers: this.servers, ...this.home.tls };
  }

  get master(): Master {
    const [master] = this.masters;
    if (master === undefined) throw new Error('no master was started');
    return master;
  }

  startMaster(options: Partial<MasterOptions> = {}): Promise<Master> {
    return this.#fleet.startMaster({ ...this.connection, logger: ERRORS_ONLY, ...options });
  }

  /** Sends a request as the admin of the home. */
  async admin(): Promise<AdminClient> {
    const { paths } = await this.home.domain();
    const nc = await connectMaster({ ...this.connection, credsPath: paths.adminCreds });
    atEnd(() => nc.close());
    const creds = await loadCredsFile(paths.adminCreds);
    return new AdminClient(nc, new MessageSigner(creds), { timeoutMs: 15_000 });
  }

  /** Waits until the record of a peel in a master's memory matches. */
  async record(
    peelId: string,
    is: (record: PeelRecord) => boolean,
    master: Master = this.master,
  ): Promise<PeelRecord> {
    return waitFor(
      `the record of ${peelId}, which is ${JSON.stringify(contextOf(master).registry.get(peelId))}`,
      () => {
        const record = contextOf(master).registry.get(peelId);
        return record !== undefined && is(record) ? record : undefined;
      },
    );
  }

  /** All events of the audit log, or those of a peel, once the log has the last change of its record. */
  async audit(peelId?: string): Promise<AuditEvent[]> {
    const { store, registry } = contextOf(this.master);
    const last = peelId === undefined ? 0 : ((await registry.refresh(peelId))?.number ?? 0);
    // a master writes a record before it publishes the event
    return waitFor(`change ${last} of ${peelId} in the audit`, async () => {
      const events: AuditEvent[] = [];
      for await (const event of readAudit(store, { peelId })) events.push(event);
      return last === 0 || events.some(({ number = 0 }) => number >= last) ? events : undefined;
    });
  }

  /** Waits for an audit event, and returns it. */
  async audited(kind: string, is: (event: AuditEvent) => boolean = () => true): Promise<AuditEvent> {
    return waitFor(`${kind} in the audit`, async () =>
      (await this.audit()).find((event) => event.kind === kind && is(event)),
    );
  }

  /**
   * The records that result from replaying the audit log.
   *
   * @param upTo only the events that these records contain: peels keep renewing while the audit log is read
   */
  async folded(upTo?: ReadonlyMap<string, PeelRecord>): Promise<Map<string, PeelRecord>> {
    const records = new Map<string, PeelRecord>();
    const isWanted = ({ peelId, number }: PeelEvent) =>
      upTo === undefined || number <= (upTo.get(peelId)?.number ?? 0);
    const events = (await this.audit())
      .filter(isPeelEvent)
      .filter(isWanted)
      .sort((a, b) => a.number - b.number);
    for (const event of events) {
      try {
        records.set(event.peelId, applyEvent(records.get(event.peelId), event));
      } catch (cause) {
        const same = events.filter(
          ({ peelId, number }) => peelId === event.peelId && number === event.number,
        );
        throw new Error(`the audit cannot be added up: ${JSON.stringify(same)}`, { cause });
      }
    }
    return records;
  }
}

/** A fleet with one server and one master. */
export async function startFleet(
  options: Partial<MasterOptions> = {},
  trust: CreateTrustDomainOptions = {},
): Promise<Fleet> {
  const fleet = new Fleet(await startHome(trust));
  await fleet.startMaster(options);
  return fleet;
}

/** A fleet with a cluster of three, and no master yet. */
export async function startFleetCluster(options: { program?: string } = {}): Promise<Fleet> {
  return new Fleet(await startHomeCluster(options));
}
