import { describe, expect, it } from 'vitest';
import { connectMaster } from '../../../src/connection/connect.js';
import { openStore } from '../../../src/master/store/store.js';
import { encodeJson } from '../../../src/protocol/messages.js';
import { atEnd } from '../../support/cleanup.js';
import { refusal } from '../../support/refusal.js';
import { waitFor } from '../../support/wait-for.js';
import { startZester } from '../server/zester-process.js';
import { startHome } from '../trust/support.js';
import { Fleet, startFleet } from './fleet.js';

const SILENT = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** A fleet without a master, with the lease of a master that was just killed. */
async function fleetWithStaleLease(): Promise<Fleet> {
  const fleet = new Fleet(await startHome());
  const { paths } = await fleet.home.domain();
  const nc = await connectMaster({ servers: fleet.servers, credsPath: paths.masterCreds });
  atEnd(() => nc.close());
  const { challenges } = await openStore(nc, { logger: SILENT });
  await challenges.put('lease.watch', encodeJson({ holder: 'killed' }));
  return fleet;
}

describe.concurrent('startMaster', () => {
  it('resolves with a healthy master that watches, when it is the only one', async () => {
    const { master } = await startFleet();
    expect(master.health()).toEqual({ ok: true, problems: [] });
    expect(master.watching).toBe(true);
  });

  it('resolves with a master that exposes neither its connections, nor its registry, nor its keys', async () => {
    const { master } = await startFleet();
    const members = (of: object) => Object.getOwnPropertyNames(of);
    const shown = new Set([...members(master), ...members(Object.getPrototypeOf(master) as object)]);
    expect([...shown].sort()).toEqual([
      'closed',
      'constructor',
      'endedBy',
      'events',
      'health',
      'id',
      'metricsText',
      'stop',
      'watching',
    ]);
  });

  it('resolves with healthy masters when several start at once, and one of them watches', async () => {
    const fleet = new Fleet(await startHome());
    const healths = await Promise.all(
      Array.from({ length: 4 }, async () => (await fleet.startMaster()).health()),
    );
    expect(healths).toEqual(Array(4).fill({ ok: true, problems: [] }));
    expect(fleet.masters.filter(({ watching }) => watching)).toHaveLength(1);
  });

  it('resolves with a healthy master that does not watch, when another holds the lease', async () => {
    const fleet = await startFleet();
    const second = await fleet.startMaster();
    expect(second.health()).toEqual({ ok: true, problems: [] });
    expect(second.watching).toBe(false);
    expect(fleet.master.watching).toBe(true);
  });

  it('does not count a killed master as one that watches: it takes over its lease first', async () => {
    const fleet = new Fleet(await startHome());
    const killed = startZester([
      'master',
      '--home',
      fleet.home.home,
      '--servers',
      ...fleet.servers,
      '--json',
    ]);
    await waitFor('the first master', () => killed.stdout().includes('"ready"'), 60_000);
    killed.kill('SIGKILL');
    await killed.exited;
    const master = await fleet.startMaster();
    expect(master.health()).toEqual({ ok: true, problems: [] });
    expect(master.watching).toBe(true);
  });

  it('fails and stops the master when it is not healthy within the limit', async () => {
    const fleet = await fleetWithStaleLease();
    const error = await refusal('ERR_FLEET_NOT_READY', () => fleet.startMaster({ readyTimeoutMs: 300 }));
    expect(error.message).toBe("the master is not ready after 0.3 s: no master follows the servers' events");
    const admin = await fleet.admin();
    await refusal('ERR_FLEET_NO_MASTER', () => admin.ask('status', {}));
  });

  it('names the connections that are down when the server dies before the master is ready', async () => {
    const fleet = await fleetWithStaleLease();
    let down = false;
    const starting = refusal('ERR_FLEET_NOT_READY', () =>
      fleet.startMaster({
        readyTimeoutMs: 8_000,
        logger: { ...SILENT, warn: (_fields, message) => (down ||= message.startsWith('disconnected')) },
      }),
    );
    const admin = await fleet.admin();
    await waitFor('it to answer', () => admin.ask('status', {}));
    await fleet.home.node(0).kill('SIGKILL');
    await waitFor('the outage', () => down);
    expect((await starting).message).toContain('the connection is down, and is being restored');
  });

  it('ends with the reason of its signal while it waits to be healthy', async () => {
    const fleet = await fleetWithStaleLease();
    const aborting = new AbortController();
    const starting = fleet.startMaster({ signal: aborting.signal }).catch((error: unknown) => error);
    const admin = await fleet.admin();
    await waitFor('it to answer', () => admin.ask('status', {}));
    const reason = new Error('no longer needed');
    aborting.abort(reason);
    expect(await starting).toBe(reason);
    await refusal('ERR_FLEET_NO_MASTER', () => admin.ask('status', {}));
  });
});
