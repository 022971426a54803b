import { describe, expect, it } from 'vitest';
import { connectedUsers } from '../../../src/system-account/connected-users.js';
import { listServers } from '../../../src/system-account/servers.js';
import { connectSystem } from '../../../src/system-account/system-connection.js';
import { contextOf } from '../../../src/master/context-of.js';
import { atEnd } from '../../support/cleanup.js';
import { newestNatsServer, olderNatsServer, versionOf } from '../../support/nats-servers.js';
import { waitFor } from '../../support/wait-for.js';
import { allAnswer } from './asking.js';
import { startFleetCluster } from './fleet.js';
import { addCreds } from './peels.js';
import { peelHost } from './program.js';

const PEELS = Number(process.env['ZESTER_UPGRADE_PEELS'] ?? 15);
const PEELS_OF_A_HOST = 25;
const MASTERS = 2;
/** Seconds: short enough that every peel renews during the upgrade or soon after it. */
const LIFETIME = 45;
/** Event kinds that must not occur during the upgrade. */
const HARM = new Set([
  ...['peel.rejected', 'peel.revoked', 'key.revoking', 'key.revoked', 'key.rotated'],
  ...[
    'connection.refused',
    'revocation.incomplete',
    'revocation.failed',
    'revocations.held',
    'account.restored',
  ],
]);

const older = await olderNatsServer('2.11.0', '2.10.0');
const newest = await newestNatsServer('2.11.0');
if (older === undefined) process.stderr.write('skipped: there is no nats-server 2.10 here\n');
if (newest === undefined) process.stderr.write('skipped: there is no nats-server 2.11 or newer here\n');

describe.skipIf(older === undefined || newest === undefined)('the upgrade of a cluster, node by node', () => {
  it(
    `leaves ${PEELS} peels connected and active, and everything that was decided`,
    { timeout: 420_000 },
    async () => {
      if (older === undefined || newest === undefined) return;
      const fleet = await startFleetCluster({ program: older });
      for (let i = 0; i < MASTERS; i += 1) await fleet.startMaster({ lifetime: LIFETIME });
      const admin = await fleet.admin();
      const ids = Array.from({ length: PEELS }, (_, i) => `peel-${i}`);
      const files: string[] = [];
      for (const id of ids) files.push(await addCreds(fleet, admin, id));
      const hosts = Array.from({ length: Math.ceil(PEELS / PEELS_OF_A_HOST) }, (_, i) =>
        peelHost(`host ${i + 1}`, fleet.servers, files.slice(i * PEELS_OF_A_HOST, (i + 1) * PEELS_OF_A_HOST)),
      );
      await Promise.all(hosts.map((host) => host.start()));

      const domain = await fleet.home.domain();
      const allConnected = async () => {
        const system = await connectSystem(domain, { servers: fleet.servers });
        try {
          await waitFor(
            'all peels to be connected',
            async () => {
              const { users } = await connectedUsers(system, domain.publicKeys.account);
              const connected = new Set(users.map(({ name }) => name));
              const missing = ids.filter((id) => !connected.has(id));
              if (missing.length > 0) throw new Error(`missing: ${missing.join()}`);
              return true;
            },
            60_000,
          );
        } finally {
          await system.close();
        }
      };
      const peelEvents = () =>
        hosts
          .flatMap(({ output }) => output.split('\n').slice(0, -1))
          .filter((line) => line.startsWith('{'))
          .map((line) => JSON.parse(line) as { type: string; credsPath?: string });
      const renewalsOf = (file: string) =>
        peelEvents().filter(({ type, credsPath }) => type === 'renewed' && credsPath === file).length;
      await allConnected();
      const before = await fleet.audit();

      const added: string[] = [];
      for (const node of fleet.home.nodes) {
        await node.stop();
        node.program = newest;
        // two nodes of different versions decide, while the third is down
        const id = `added-${added.length}`;
        await waitFor(`${id} to be added`, () => addCreds(fleet, admin, id), 60_000);
        added.push(id);
        await node.start();
        await fleet.home.whole();
        await allConnected();
        await allAnswer(fleet, ids);
      }
      const renewals = new Map(files.map((file) => [file, renewalsOf(file)]));

      const system = await connectSystem(domain, { servers: fleet.servers });
      atEnd(() => system.close());
      const versions = (await listServers(system)).map((server) => server.version);
      expect(versions).toEqual(Array(3).fill(versionOf(newest)));
      await waitFor(
        'every peel to renew its key on the new servers',
        () => {
          const old = files.filter((file) => renewalsOf(file) <= (renewals.get(file) ?? 0));
          if (old.length > 0) throw new Error(`not renewed: ${old.join()}`);
          return true;
        },
        LIFETIME * 1_000,
      );
      await allAnswer(fleet, ids);

      for (const master of fleet.masters) {
        for (const id of ids) await fleet.record(id, ({ state }) => state === 'active', master);
        for (const id of added) await fleet.record(id, ({ keys }) => keys.length > 0, master);
      }
      const after = await fleet.audit();
      expect(after.slice(0, before.length)).toEqual(before);
      expect(after.filter(({ kind }) => HARM.has(kind))).toEqual([]);
      await waitFor('the audit to add up to the registry', async () => {
        const folded = await fleet.folded();
        const records = [...contextOf(fleet.master).registry.records()];
        const differing = records.filter(({ id, number }) => folded.get(id)?.number !== number);
        if (differing.length > 0) throw new Error(`differ: ${differing.map(({ id }) => id).join()}`);
        return folded.size === records.length;
      });
      const folded = await fleet.folded();
      const kept = [...folded.keys()].sort();
      expect(kept).toEqual([...ids, ...added].sort());
      const ends = peelEvents().filter(({ type }) => ['closed', 'ended', 'failed'].includes(type));
      expect(ends).toEqual([]);
    },
  );
});
