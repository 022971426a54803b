import { beforeEach, describe, expect, it, vi } from 'vitest';
import type * as SystemEvents from '../../../src/master/watch/system-events.js';
import type { UserConnection } from '../../../src/master/watch/system-events.js';
import type { Finding } from '../../../src/trust/finding.js';
import { zester } from '../../cli/run-zester.js';
import { contextOf } from '../../../src/master/context-of.js';
import { waitFor } from '../../support/wait-for.js';
import { startFleet, type Fleet } from './fleet.js';
import { addCreds } from './peels.js';

/** The servers' reports on a connection, as the master gets them: a test may inject a fault here. */
const fault = vi.hoisted(() => ({ of: undefined as ((c: UserConnection) => UserConnection) | undefined }));

vi.mock('../../../src/master/watch/system-events.js', async (importActual) => {
  const actual = await importActual<typeof SystemEvents>();
  const withFault = (connection: UserConnection) => fault.of?.(connection) ?? connection;
  const mocked: Partial<typeof actual> = {
    listenToSystem: (nc, account, listener) =>
      actual.listenToSystem(nc, account, {
        connected: (connection) => listener.connected(withFault(connection)),
        disconnected: (of) => listener.disconnected(of),
        clock: (time) => listener.clock(time),
      }),
    connectionsNow: async (nc, account) => {
      const { servers, connections } = await actual.connectionsNow(nc, account);
      return { servers, connections: connections.map(withFault) };
    },
  };
  return { ...actual, ...mocked };
});

const IDS = Array.from({ length: 6 }, (_, i) => `web-${i}`);
/** Only for peels: a fault that affects the master itself would stop it. */
const unreadable = (connection: UserConnection): UserConnection =>
  IDS.includes(connection.name) ? { ...connection, jwt: 'not.a.jwt' } : connection;

const asLeafnode = (connection: UserConnection): UserConnection =>
  IDS.includes(connection.name) ? { ...connection, kind: 'Leafnode' } : connection;

beforeEach(() => {
  fault.of = undefined;
});

async function startPeels(fleet: Fleet): Promise<void> {
  const admin = await fleet.admin();
  for (const id of IDS) await fleet.home.peel(id, await addCreds(fleet, admin, id));
  for (const id of IDS) await fleet.record(id, ({ keys }) => keys[0]?.state === 'live');
}

/** Makes the servers close all connections, and waits until all are back. */
async function restart(fleet: Fleet): Promise<void> {
  const [node] = fleet.home.nodes;
  await node?.stop();
  await node?.start();
}

describe('a fault in the servers’ reports', () => {
  it('revokes no healthy peel, is reported, and is over when its cause is', async () => {
    const fleet = await startFleet();
    await startPeels(fleet);
    fault.of = unreadable;
    await restart(fleet);
    await fleet.audited('revocations.held', ({ detail }) => detail?.['peels'] === IDS.length);
    const admin = await fleet.admin();
    await waitFor('the status to say it', async () => (await admin.ask('status', {})).held?.peels === 6);
    expect(await fleet.master.metricsText()).toContain('\nzester_master_revocations_held 6\n');
    const at = ['--home', fleet.home.home, '--servers', ...fleet.servers, '--json'];
    const { code, stdout } = await zester(['doctor', ...at]);
    expect(code).not.toBe(0);
    const { findings } = JSON.parse(stdout) as { findings: Finding[] };
    const held = findings.find(({ check }) => check === 'held');
    expect(held).toMatchObject({
      severity: 'error',
      message: expect.stringContaining('6 healthy') as string,
    });
    fault.of = undefined;
    await restart(fleet);
    await fleet.audited('revocations.resumed', ({ by }) => by.kind === 'master');
    expect((await admin.ask('status', {})).held).toBeUndefined();
    expect(await fleet.master.metricsText()).toContain('\nzester_master_revocations_held 0\n');
    for (const id of IDS) expect(contextOf(fleet.master).registry.get(id)?.keys[0]?.state).toBe('live');
    expect((await fleet.audit()).map(({ kind }) => kind)).not.toContain('connection.refused');
  }, 60_000);

  it('stays held when another master takes over, and any master can resume', async () => {
    const fleet = await startFleet();
    await startPeels(fleet);
    fault.of = asLeafnode;
    await restart(fleet);
    await fleet.audited('revocations.held');
    const second = await fleet.startMaster();
    const { metrics } = contextOf(fleet.master);
    await fleet.master.stop();
    // the alert on it would never end
    expect(await metrics.registry.metrics()).toContain('\nzester_master_revocations_held 0\n');
    await waitFor("the second to follow the servers' events", () => second.watching);
    fleet.masters.shift();
    const admin = await fleet.admin();
    await waitFor('all to be held', async () => (await admin.ask('status', {})).held?.peels === 6, 30_000);
    for (const id of IDS) expect(contextOf(second).registry.get(id)?.keys[0]?.state).toBe('live');
    const at = ['--home', fleet.home.home, '--servers', ...fleet.servers, '--json'];
    const ran = await zester(['master', 'resume', ...at, '--yes', '--reason', 'it is so']);
    expect(ran.code, ran.stderr).toBe(0);
    expect(JSON.parse(ran.stdout)).toMatchObject({ resumed: { peels: 6 } });
    for (const id of IDS) await fleet.record(id, ({ keys }) => keys[0]?.state === 'revoked');
    const { by, reason } = await fleet.audited('revocations.resumed');
    expect([by.kind, reason]).toEqual(['admin', 'it is so']);
  }, 60_000);
});

describe('duplicates of healthy peels, minted with a stolen signing key', () => {
  it('are all cut at once, and the peels and the breaker are left alone', async () => {
    const fleet = await startFleet({ breaker: { peels: 0, share: 0 } });
    await startPeels(fleet);
    for (const id of IDS) {
      const { path } = await fleet.home.issue(id, 3_600);
      const { cut } = await fleet.home.peel(id, path);
      await cut;
    }
    for (const id of IDS) expect(contextOf(fleet.master).registry.get(id)?.keys[0]?.state).toBe('live');
    const isRefusal = (kind: string) => kind === 'connection.refused';
    const kinds = await waitFor('the refusals in the audit', async () => {
      const all = (await fleet.audit()).map(({ kind }) => kind);
      return all.filter(isRefusal).length >= IDS.length ? all : undefined;
    });
    expect(kinds.filter(isRefusal)).toHaveLength(IDS.length);
    expect(kinds).not.toContain('revocations.held');
  }, 60_000);
});
