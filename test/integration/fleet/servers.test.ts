import { describe, expect, it, vi } from 'vitest';
import { examine } from '../../../src/doctor/examine.js';
import { contextOf } from '../../../src/master/context-of.js';
import { noCluster, olderNatsServer, versionOf } from '../../support/nats-servers.js';
import { waitFor } from '../../support/wait-for.js';
import { startHomeCluster } from '../trust/support.js';
import { Fleet, startFleet } from './fleet.js';
import { addCreds } from './peels.js';

const lossy = await olderNatsServer('2.9.22');

describe('a master and the versions of its servers', () => {
  it.skipIf(lossy === undefined)(
    'stops on a cluster that loses writes, and doctor says the same',
    async () => {
      if (lossy === undefined) return;
      vi.stubEnv('ZESTER_NATS_SERVER', lossy);
      try {
        const fleet = new Fleet(await startHomeCluster());
        await expect(fleet.startMaster()).rejects.toMatchObject({
          code: 'ERR_SERVER_TOO_OLD',
          message: expect.stringContaining(versionOf(lossy)) as unknown,
        });
        const { server } = await examine(fleet.home.home, { servers: fleet.servers });
        const found = server.filter(({ code }) => code === 'ERR_SERVER_TOO_OLD');
        expect(found.map(({ subject }) => subject)).toEqual(['n1', 'n2', 'n3']);
        expect(found.every(({ severity }) => severity === 'error')).toBe(true);
      } finally {
        vi.unstubAllEnvs();
      }
    },
  );

  it.skipIf(lossy === undefined)('runs on one such server, with a warning', async () => {
    if (lossy === undefined) return;
    vi.stubEnv('ZESTER_NATS_SERVER', lossy);
    try {
      const warnings: string[] = [];
      const quiet = { debug: () => undefined, info: () => undefined, error: () => undefined };
      const fleet = await startFleet({
        logger: { ...quiet, warn: (_fields, message) => void warnings.push(message) },
      });
      expect(warnings.filter((text) => text.includes('older than the supported range'))).toHaveLength(1);
      const { server } = await examine(fleet.home.home, { servers: fleet.servers });
      expect(server.find(({ check }) => check === 'version')?.severity).toBe('warning');
    } finally {
      vi.unstubAllEnvs();
    }
  });
});

describe('the registry after a server was restarted', () => {
  it('knows who is connected as soon as it receives server events again', async () => {
    const fleet = await startFleet({ policy: 'auto-trusted' });
    const admin = await fleet.admin();
    const ids = Array.from({ length: 5 }, (_, i) => `web-${i}`);
    for (const id of ids) await fleet.home.peel(id, await addCreds(fleet, admin, id));
    const { presence } = contextOf(fleet.master);
    const serversOf = (id: string) => (presence.get(id)?.connections ?? []).map(({ server }) => server);
    await waitFor('all to be connected', () => ids.every((id) => serversOf(id).length === 1));
    const [before] = serversOf('web-0');

    const [node] = fleet.home.nodes;
    await node?.kill();
    await node?.start();
    await waitFor('all to be connected to the new server, and to no other', () =>
      ids.every((id) => serversOf(id).length === 1 && !serversOf(id).includes(before ?? '')),
    );
    // a connection is known before the decision that it makes is stored
    for (const id of ids) await fleet.record(id, ({ state }) => state === 'active');
  });

  it.skipIf(noCluster)('does so in a cluster too', async () => {
    const fleet = new Fleet(await startHomeCluster());
    await fleet.startMaster({ policy: 'auto-trusted' });
    const admin = await fleet.admin();
    for (const id of ['web-0', 'web-1', 'web-2']) {
      await fleet.home.peel(id, await addCreds(fleet, admin, id));
    }
    const { presence } = contextOf(fleet.master);
    const isThere = (id: string) => (presence.get(id)?.connections ?? []).length === 1;
    await waitFor('all to be connected', () => ['web-0', 'web-1', 'web-2'].every(isThere));
    for (const node of fleet.home.nodes) {
      await node.stop();
      await node.start();
      await fleet.home.whole();
    }
    await waitFor('all to be connected again', () => ['web-0', 'web-1', 'web-2'].every(isThere));
    const audit = await waitFor('the audit to be read', () => fleet.audit());
    const kinds = audit.map(({ kind }) => kind);
    expect(kinds).not.toContain('connection.refused');
    expect(kinds).not.toContain('peel.revoked');
  });
});
