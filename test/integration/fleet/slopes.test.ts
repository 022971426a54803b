import { appendFile, readdir, readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { setAuditRetention } from '../../../src/account/audit-retention.js';
import { connectMaster } from '../../../src/connection/connect.js';
import { fetchAccountJwt } from '../../../src/account/fetch-account-jwt.js';
import { jetstreamManager } from '@nats-io/jetstream';
import { AUDIT_STREAM, bucketStream, PEELS_BUCKET } from '../../../src/permissions/names.js';
import { atEnd } from '../../support/cleanup.js';
import { freePort } from '../../support/free-port.js';
import { isFlat, isFloorFlat, slopeOf, type Sample } from '../../support/slope.js';
import { waitFor } from '../../support/wait-for.js';
import { ZESTER } from '../../support/zester-command.js';
import { Fleet } from './fleet.js';
import { startHome } from '../trust/support.js';
import { addCreds } from './peels.js';
import { HEAP_PROBE, peelHost, Program } from './program.js';

/** Set by `npm run test:soak`: a few seconds are too short for a verdict. */
const SECONDS = Number(process.env['ZESTER_SLOPES_SECONDS'] ?? 0);
/** So many that caches and buffers fill early. */
const PEELS = 40;
const LIFETIME = 5;
const EVERY_MS = 5_000;
/** The limit of the audit log: reached long before the end of the warm-up. */
const AUDIT_BYTES = 128 * 1024;
/** The warm-up, which is not judged: caches, heaps and the audit log fill up. */
const WARM_UP = 1 / 2;
/** Keys are replaced in the first part of the warm-up. */
const ROTATING = 1 / 3;

/** Judged by its minimum, since buffers and caches come and go. */
const FLOORED = new Set(['server: memory, bytes']);
/** Printed only: the server's caches take longer than this test to fill and be emptied (docs/faults.md). */
const UNJUDGED = new Set(['server: live heap, bytes', 'server: live objects']);

/** The resource usage of a process, as Linux reports it. */
async function used(pid: number): Promise<{ memory: number; descriptors: number }> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const kilobytes = Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]);
  return { memory: kilobytes * 1024, descriptors: (await readdir(`/proc/${pid}/fd`)).length };
}

/**
 * What the server still uses after a garbage collection. Without one, its resident memory says nothing: Go collects when the heap has
 * doubled and keeps pages to use them again, so it grows for an hour towards a multiple of what is alive, with no Zester too (docs/faults.md).
 * What is alive goes up and down: the server keeps the end of each stream's open file in a buffer of up to 4 MiB that grows with it, and
 * up to 512 subjects for each stream in a cache.
 */
async function liveHeap(profPort: number): Promise<{ objects: number; bytes: number }> {
  const response = await fetch(`http://127.0.0.1:${profPort}/debug/pprof/heap?gc=1&debug=1`);
  const text = await response.text();
  const of = (name: string) => Number(new RegExp(`^# ${name} = (\\d+)`, 'm').exec(text)?.[1]);
  return { objects: of('HeapObjects'), bytes: of('HeapAlloc') };
}

it.skipIf(SECONDS === 0 || process.platform !== 'linux')(
  `in ${SECONDS} s of renewals, after rotations and revocations, nothing grows: not memory, descriptors, registry, audit or account JWT`,
  { timeout: (SECONDS + 120) * 1_000 },
  async () => {
    const fleet = new Fleet(await startHome());
    const server = fleet.home.node(0);
    await server.stop();
    // It remembers its last 10,000 closed connections, which takes longer to fill than this test, at two renewals a second. They are
    // the smaller part of what grows in a quarter of an hour: see liveHeap().
    const profPort = await freePort();
    await appendFile(server.configPath, `\nmax_closed_clients: 100\nprof_port: ${profPort}\n`);
    await server.start();
    const { home, options } = fleet.home;
    const flags = ['--home', home, '--servers', ...fleet.servers, '--lifetime', `${LIFETIME}s`];
    const master = new Program(
      'master',
      ['--import', HEAP_PROBE, ...ZESTER, 'master', ...flags, '--json', '--log-level', 'warn'],
      /"event":"ready"/,
    );
    await master.start();
    await setAuditRetention(home, { maxBytes: AUDIT_BYTES }, options);
    const admin = await fleet.admin();
    const ids = Array.from({ length: PEELS }, (_, i) => `slope-${i}`);
    const files: string[] = [];
    for (const id of ids) files.push(await addCreds(fleet, admin, id));
    const host = peelHost('peels', fleet.servers, files, ['--import', HEAP_PROBE]);
    await host.start();
    const nc = await connectMaster({
      ...fleet.connection,
      credsPath: (await fleet.home.domain()).paths.masterCreds,
    });
    atEnd(() => nc.close());
    const jsm = await jetstreamManager(nc, { checkAPI: false });
    const processes = { master: master.pid, peels: host.pid, server: server.pid };

    const accountBytes = async () => {
      const { operatorJwt, paths, publicKeys } = await fleet.home.domain();
      const systemCredentials = paths.systemCreds;
      const jwt = await fetchAccountJwt(publicKeys.account, {
        operatorJwt,
        systemCredentials,
        servers: fleet.servers,
      });
      return jwt?.length ?? 0;
    };
    const samples = new Map<string, Sample[]>();
    const note = (name: string, seconds: number, value: number) =>
      samples.set(name, [...(samples.get(name) ?? []), [seconds, value]]);
    const start = performance.now();
    const end = start + SECONDS * 1_000;
    for (let round = 0; performance.now() < end; round += 1) {
      // at first each round replaces the key of one peel: its revocation is forgotten ten minutes after its last JWT has expired
      if (performance.now() - start < SECONDS * 1_000 * ROTATING)
        await admin.ask('peel.rotate', { peelId: ids[round % PEELS] ?? '' });
      const at = (performance.now() - start) / 1_000;
      const live = await liveHeap(profPort);
      note('server: live objects', at, live.objects);
      note('server: live heap, bytes', at, live.bytes);
      for (const [name, pid] of Object.entries(processes)) {
        const { memory, descriptors } = await used(pid);
        note(`${name}: memory, bytes`, at, memory);
        note(`${name}: descriptors`, at, descriptors);
      }
      note('master: live heap, bytes', at, await master.heapUsed());
      note('peels: live heap, bytes', at, await host.heapUsed());
      const registry = await jsm.streams.info(bucketStream(PEELS_BUCKET));
      const audit = await jsm.streams.info(AUDIT_STREAM);
      note('registry: bytes', at, registry.state.bytes);
      note('audit: bytes', at, audit.state.bytes);
      note('account JWT: bytes', at, await accountBytes());
      await delay(EVERY_MS);
    }

    const growing: string[] = [];
    for (const [name, all] of samples) {
      const measured = all.filter(([seconds]) => seconds >= SECONDS * WARM_UP);
      const { perHour, uncertainty, mean } = slopeOf(measured);
      const flat = FLOORED.has(name) ? isFloorFlat(measured, 0.05) : isFlat(measured, 0.05);
      const isJudged = !UNJUDGED.has(name);
      if (isJudged && !flat) growing.push(name);
      const share = (value: number) => `${((100 * value) / mean).toFixed(1)} %`;
      process.stdout.write(
        `${name.padEnd(26)} mean ${mean.toFixed(0).padStart(10)}  slope ${perHour.toFixed(0).padStart(10)}/h ± ${uncertainty.toFixed(0)} (${share(perHour)}/h)  ${!isJudged ? 'not judged' : flat ? 'flat' : 'GROWS'}\n`,
      );
    }
    const ends = host.output
      .split('\n')
      .filter((line) => /"type":"(ended|closed|failed|credentialsExpired)"/.test(line));
    expect(ends, 'peels that expired or ended: nothing else can be said then').toEqual([]);
    expect(growing).toEqual([]);
    // the retention of a revocation has passed: the next push of the account JWT drops it
    if (SECONDS >= 900) {
      const before = await accountBytes();
      await admin.ask('peel.rotate', { peelId: ids[0] ?? '' });
      await waitFor('the old revocations to be dropped', async () => (await accountBytes()) < before, 30_000);
    }
  },
);
