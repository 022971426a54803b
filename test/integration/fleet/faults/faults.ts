import { execFileSync } from 'node:child_process';
import { chmod, mkdir, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { atEnd } from '../../../support/cleanup.js';
import { waitFor } from '../../../support/wait-for.js';
import { startZester } from '../../server/zester-process.js';
import { trustPaths } from '../../../../src/trust/paths.js';
import { startHome, startHomeCluster } from '../../trust/support.js';
import { Fleet } from '../fleet.js';
import { paused, World } from './world.js';

/** A fault: `run` causes it, ends it, and returns the decisions made during it. */
export interface Fault {
  name: string;
  /** Also run with the other tests, since it takes a few seconds. */
  isShort: boolean;
  /** Time limit of the full-length fault, in milliseconds; half an hour by default. */
  timeoutMs?: number;
  /** @param isLong at full length, not shortened for a test */
  run(isLong: boolean, random: () => number): Promise<{ world: World; decided: string }>;
}

const HOUR = 3_600_000;
/** The number of bytes to cut off the registry: several records. */
const CUT_BYTES = Number(process.env['ZESTER_FAULTS_CUT'] ?? 3_000);
const KILLS = Number(process.env['ZESTER_FAULTS_KILLS'] ?? 200);

async function single(): Promise<World> {
  const fleet = new Fleet(await startHome());
  return new World(fleet, await fleet.admin());
}

async function clustered(): Promise<World> {
  const fleet = new Fleet(await startHomeCluster());
  return new World(fleet, await fleet.admin());
}

const clocks = ([HOUR, -HOUR] as const).flatMap((offMs): Fault[] => {
  const way = offMs > 0 ? 'ahead' : 'behind';
  return [
    {
      name: `clock-master-${way}`,
      isShort: false,
      async run() {
        const world = await single();
        const right = await world.startMaster({ lifetime: 7_200 });
        await world.startPeels(['web-1', 'web-2', 'web-3']);
        await right.kill();
        const wrong = await world.startMaster({ lifetime: 7_200, offMs });
        await world.connected();
        // such a request would be open to replay: it is refused with the reason
        const asked = await world.revoke('web-1');
        await wrong.kill();
        await world.startMaster({ lifetime: 7_200 });
        world.over();
        await world.insistOnRevoking('web-1');
        return {
          world,
          decided: `1 revocation (${asked ? 'at once' : 'refused until the clock was right'})`,
        };
      },
    },
    {
      name: `clock-peel-${way}`,
      isShort: true,
      async run() {
        const world = await single();
        await world.startMaster({ lifetime: 7_200 });
        await world.startPeels(['web-1', 'web-2', 'web-3'], { offMs });
        await world.admin.ask('peel.rotate', { peelId: 'web-2' });
        world.decided.push({ kind: 'rotation.asked', peelId: 'web-2' });
        await world.insistOnRevoking('web-1');
        world.over();
        return { world, decided: '1 rotation requested, 1 peel revoked' };
      },
    },
  ];
});

export const FAULTS: readonly Fault[] = [
  ...clocks,
  {
    name: 'server-stopped',
    isShort: true,
    async run(isLong) {
      const world = await single();
      await world.startMaster({ lifetime: isLong ? 60 : 20 });
      await world.startPeels(['web-1', 'web-2', 'web-3']);
      let asked = false;
      await paused(world.fleet.home.node(0).pid, isLong ? 30_000 : 3_000, async () => {
        asked = await world.revoke('web-1');
      });
      world.over();
      await world.insistOnRevoking('web-1');
      return {
        world,
        decided: `1 revocation asked for meanwhile (${asked ? 'answered' : 'refused in time, asked again'})`,
      };
    },
  },
  {
    name: 'peel-stopped',
    isShort: false,
    async run() {
      const world = await single();
      await world.startMaster({ lifetime: 5 });
      await world.startPeels(['web-1', 'web-3']);
      const host = await world.startPeels(['web-2']);
      // a peel that an admin added gets its recovery credential at the first renewal
      await waitFor('a renewal', () =>
        world.eventsOf('renewed').some(({ credsPath }) => credsPath.endsWith('web-2.creds')),
      );
      await paused(host.pid, 12_000, async () => world.insistOnRevoking('web-1'));
      world.over();
      return { world, decided: '1 peel revoked' };
    },
  },
  {
    name: 'file-truncated',
    isShort: true,
    async run() {
      const world = await single();
      await world.startMaster({ lifetime: 60 });
      await world.startPeels(['web-1', 'web-2', 'web-3']);
      await world.insistOnRevoking('web-1');
      const server = world.fleet.home.node(0);
      await server.kill('SIGKILL');
      const cut = await cutRegistry(dirname(server.configPath));
      await server.start();
      world.over();
      return { world, decided: `1 peel revoked before; ${cut} bytes of the registry lost` };
    },
  },
  {
    name: 'disk-full',
    isShort: false,
    async run(isLong) {
      const world = await single();
      const { home, servers } = world.fleet.home;
      await world.fleet.home.node(0).stop();
      // the one of a home, which Zester runs
      const { serverJetStreamDirectory: store } = trustPaths(home);
      await mkdir(store, { recursive: true, mode: 0o700 });
      await chmod(dirname(store), 0o700);
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m,mode=0700', 'tmpfs', store], { stdio: 'pipe' });
      const { port } = new URL(servers[0] ?? '');
      const server = startZester(['server', '--home', home, '--port', port, '--json']);
      atEnd(async () => {
        server.kill('SIGTERM');
        await server.exited;
        execFileSync('umount', [store]);
      });
      await waitFor('the server', () => server.stdout().includes('"event":"ready"'));
      await world.startMaster({ lifetime: 600 });
      await world.startPeels(['web-1', 'web-2', 'web-3']);
      const ballast = join(store, 'ballast');
      await writeFile(ballast, Buffer.alloc(64 * 1024 * 1024)).catch(() => undefined);
      const asked = await world.revoke('web-1');
      // rotations and renewals fail during this time
      await delay(isLong ? 20_000 : 2_000);
      await rm(ballast);
      // no manual restart: the command restarts a version that does not resume writing
      world.over();
      await world.insistOnRevoking('web-1');
      return {
        world,
        decided: `1 revocation asked for meanwhile (${asked ? 'decided' : 'refused, and decided when asked again'}); ${server.stderr().includes('before a restart') ? 'the server was restarted by "zester server"' : 'no server was restarted'}`,
      };
    },
  },
  {
    name: 'two-servers-down',
    isShort: false,
    async run() {
      const world = await clustered();
      await world.startMaster({ lifetime: 300 });
      await world.startPeels(['web-1', 'web-2', 'web-3']);
      const [, two, three] = world.fleet.home.nodes;
      await Promise.all([two?.kill(), three?.kill()]);
      const asked = await world.revoke('web-1');
      await delay(60_000);
      await Promise.all([two?.start(), three?.start()]);
      world.over();
      await world.insistOnRevoking('web-1');
      return {
        world,
        decided: `1 revocation asked for meanwhile (${asked ? 'decided' : 'refused, and decided when asked again'})`,
      };
    },
  },
  {
    name: 'master-killed',
    isShort: false,
    // after each kill, the next master waits for the lease of the one before to expire, and starts as slowly as the machine is busy
    timeoutMs: KILLS * 30_000 + 600_000,
    async run(_isLong, random) {
      const world = await single();
      const master = await world.startMaster({ lifetime: 600 });
      await world.startPeels(Array.from({ length: 100 }, (_, i) => `web-${i}`));
      let isDone = false;
      let runs = 0;
      const rotating = (async () => {
        while (!isDone) {
          runs += 1;
          const flags = ['--home', world.fleet.home.home, '--servers', ...world.fleet.servers];
          const { exited } = startZester(['peel', 'rotate', '--all', '--wait', ...flags], {
            XDG_STATE_HOME: join(world.fleet.home.dir, 'state'),
          });
          await exited;
        }
      })();
      for (let i = 0; i < KILLS; i += 1) {
        world.progress = `${i} of ${KILLS} kills`;
        await delay(random() * 1_000);
        await master.kill();
        await master.start();
      }
      world.over();
      isDone = true;
      await rotating;
      return {
        world,
        decided: `${world.eventsOf('keyRotated').length} keys replaced in ${runs} runs, ${KILLS} kills`,
      };
    },
  },
];

/**
 * Truncates the newest file of the registry, like a disk that lost its last writes.
 *
 * @returns the number of bytes removed
 */
async function cutRegistry(serverDir: string): Promise<number> {
  const root = join(serverDir, 'jetstream');
  const all = await readdir(root, { recursive: true });
  const blocks = all.filter((name) => /KV_zester-peels.*\.blk$/.test(name)).sort();
  const last = join(root, blocks.at(-1) ?? '');
  const { size } = await stat(last);
  const cut = Math.min(CUT_BYTES, Math.floor(size / 2));
  await truncate(last, size - cut);
  return cut;
}
