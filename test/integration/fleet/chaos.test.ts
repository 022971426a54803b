import { mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, onTestFailed } from 'vitest';
import type { PeelRecord } from '../../../src/protocol/records/record.js';
import { connectedUsers } from '../../../src/system-account/connected-users.js';
import { connectSystem } from '../../../src/system-account/system-connection.js';
import { contextOf } from '../../../src/master/context-of.js';
import { atEnd } from '../../support/cleanup.js';
import { noCluster } from '../../support/nats-servers.js';
import { waitFor } from '../../support/wait-for.js';
import { ZESTER } from '../../support/zester-command.js';
import { allAnswer } from './asking.js';
import { startFleetCluster, type Fleet } from './fleet.js';
import { addCreds } from './peels.js';
import { peelHost, Program } from './program.js';

/** Seconds of chaos: some by default; `npm run test:chaos` has the long form. */
const SECONDS = Number(process.env['ZESTER_CHAOS_SECONDS'] ?? 8);
const SEED = Number(process.env['ZESTER_CHAOS_SEED'] ?? 20_261_124);
const PEELS = Number(process.env['ZESTER_CHAOS_PEELS'] ?? 100);
const HOSTS = 5;
const MASTERS = 3;
/** Seconds: short enough that peels renew in the middle of the long form, long enough for a machine that is busy. */
const LIFETIME = 120;

/** Numbers that look random and are the same at each run (mulberry32). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Any seed of any role, in the text that seeds have. */
const A_SEED = /(?<![A-Z2-7])S[ACNOUX][A-Z2-7]{56}(?![A-Z2-7])/;

describe.skipIf(noCluster)('masters, servers and peels that are killed at random', () => {
  it(
    `after ${SECONDS} s of it, the fleet is as it was decided to be (seed ${SEED})`,
    { timeout: (SECONDS + 240) * 1_000 },
    async () => {
      const next = random(SEED);
      const pick = <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)] as T;
      const fleet = await startFleetCluster();
      const { home } = fleet.home;
      const masters = Array.from(
        { length: MASTERS },
        (_, i) =>
          new Program(
            `master ${i + 1}`,
            [
              ...ZESTER,
              ...['master', '--home', home, '--servers', ...fleet.servers],
              ...['--lifetime', `${LIFETIME}s`, '--json', '--debug', '--log-level', 'info'],
            ],
            /"event":"ready"/,
          ),
      );
      await Promise.all(masters.map((master) => master.start()));
      const admin = await fleet.admin();
      const ids = Array.from({ length: PEELS }, (_, i) => `peel-${i}`);
      const files = await Promise.all(ids.map((id) => addCreds(fleet, admin, id)));
      const hosts = Array.from({ length: HOSTS }, (_, i) => {
        const own = files.filter((_file, j) => j % HOSTS === i);
        return peelHost(`host ${i + 1}`, fleet.servers, own);
      });
      await Promise.all(hosts.map((host) => host.start()));
      onTestFailed(() => keepLogs(fleet, [...masters, ...hosts]), 30_000);

      const revoked = new Set<string>();
      const done: string[] = [];
      const pending: Promise<unknown>[] = [];
      let serverDown: Promise<void> | undefined;
      const actions: Record<string, () => unknown> = {
        'kill a master': () => {
          const master = pick(masters);
          return bounce(master, 500 + next() * 2_000);
        },
        'kill a peel host': () => {
          const host = pick(hosts);
          return bounce(host, 200 + next() * 1_000);
        },
        'kill a server': () => {
          // one at a time: with two of three servers down there is no JetStream, and no decision is possible
          if (serverDown !== undefined) return;
          const node = pick(fleet.home.nodes);
          serverDown = (async () => {
            await node.kill('SIGKILL');
            await delay(1_000 + next() * 2_000);
            await node.start();
            await fleet.home.whole();
          })().finally(() => (serverDown = undefined));
          return serverDown;
        },
        revoke: () => {
          const id = pick(ids);
          revoked.add(id);
          // not every server may be up to confirm; the decision is carried out later
          return insist(() => admin.ask('peel.revoke', { peelId: id, reason: 'chaos' }));
        },
        rotate: () => {
          const id = pick(ids);
          return admin.ask('peel.rotate', { peelId: id }).catch(() => undefined);
        },
      };
      const names = ['kill a master', 'kill a peel host', 'kill a server', 'revoke', 'rotate', 'rotate'];
      const busy = new Map<Program, Promise<void>>();
      async function bounce(what: Program, downMs: number): Promise<void> {
        if (busy.has(what)) return;
        const bouncing = (async () => {
          await what.kill();
          await delay(downMs);
          await what.start();
        })().finally(() => busy.delete(what));
        busy.set(what, bouncing);
        await bouncing;
      }
      const end = Date.now() + SECONDS * 1_000;
      while (Date.now() < end) {
        const name = pick(names);
        done.push(name);
        const going = actions[name]?.();
        if (going instanceof Promise) pending.push(going);
        await delay(300 + next() * 900);
      }
      await Promise.all(pending);
      await fleet.home.whole();

      // the fleet as seen by a master that took no part in it
      const judge = await fleet.startMaster();
      const records = () =>
        new Map([...contextOf(judge).registry.records()].map((record) => [record.id, record]));
      const wanted = ids.filter((id) => !revoked.has(id));
      const system = await connectSystem(await fleet.home.domain(), { servers: fleet.servers });
      atEnd(() => system.close());
      const account = (await fleet.home.domain()).publicKeys.account;

      await waitFor(
        'every peel that should be connected to be, and no revoked one',
        async () => {
          const connected = new Set((await connectedUsers(system, account)).users.map(({ name }) => name));
          const missing = wanted.filter((id) => !connected.has(id));
          const wrong = [...revoked].filter((id) => connected.has(id));
          if (missing.length + wrong.length > 0)
            throw new Error(`missing: ${missing.join()}; wrong: ${wrong.join()}`);
          return true;
        },
        90_000,
      );
      await waitFor(
        'every wanted peel to be active, and every revoked key to be revoked',
        () => {
          const all = records();
          const lost = ids.filter((id) => !all.has(id));
          if (lost.length > 0) throw new Error(`no record of ${lost.join()}`);
          const inactive = wanted.filter((id) => all.get(id)?.state !== 'active');
          const open = [...revoked].filter((id) => !isShut(all.get(id)));
          if (inactive.length + open.length > 0) {
            throw new Error(`not active: ${inactive.join()}; not revoked: ${open.join()}`);
          }
          return true;
        },
        60_000,
      );
      await allAnswer(fleet, wanted);

      // peels renew in the meantime: compare the replayed audit log with the records at one instant
      const snapshot = records();
      const folded = await waitFor(
        'the audit to have every event of the records',
        async () => {
          const all = await fleet.folded(snapshot);
          for (const { id, number } of snapshot.values()) {
            const audited = all.get(id)?.number;
            if (audited !== number)
              throw new Error(`${id}: audited up to ${audited}, its record is ${number}`);
          }
          return all;
        },
        30_000,
      );
      for (const record of snapshot.values()) expect(folded.get(record.id)).toEqual(record);
      expect(folded.size).toBe(PEELS);

      for (const { name, output } of [...masters, ...hosts])
        expect(A_SEED.test(output), `a seed in the log of ${name}`).toBe(false);
      for (const node of fleet.home.nodes)
        expect(A_SEED.test(node.log.join('\n')), 'a seed in a log of a server').toBe(false);
      await noSeedUnder(fleet);
      expect(done.length).toBeGreaterThan(SECONDS / 2);
    },
  );
});

/** Keeps all logs and decisions for the analysis of a failure. */
async function keepLogs(fleet: Fleet, programs: readonly Program[]): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'zester-chaos-'));
  const keep = (name: string, text: string) => writeFile(join(directory, name), text);
  for (const { name, output } of programs) await keep(`${name.replace(' ', '-')}.log`, output);
  for (const [i, { log }] of fleet.home.nodes.entries()) await keep(`server-${i + 1}.log`, log.join('\n'));
  const lines = (list: readonly unknown[]) => list.map((item) => `${JSON.stringify(item)}\n`).join('');
  const judge = fleet.masters.at(-1);
  if (judge !== undefined) {
    await keep('records.ndjson', lines([...contextOf(judge).registry.records()]));
    await keep('audit.ndjson', lines(await fleet.audit()));
  }
  process.stderr.write(`the logs are kept in ${directory}\n`);
}

function isShut(record: PeelRecord | undefined): boolean {
  return record?.state === 'revoked' && record.keys.every(({ state }) => state === 'revoked');
}

/** Makes an admin's decision, with retries. */
async function insist(act: () => Promise<unknown>): Promise<void> {
  for (let attempt = 0; attempt < 60; attempt += 1) {
    try {
      await act();
      return;
    } catch (error) {
      // decided, and in progress
      if ((error as { code?: string }).code === 'ERR_FLEET_UNCONFIRMED') return;
      await delay(500);
    }
  }
  throw new Error('no master took a decision for half a minute');
}

/** Searches streams, records, logs and everything else on the servers' disks. */
async function noSeedUnder(fleet: Fleet): Promise<void> {
  const attempts = (await readdir(fleet.home.dir)).filter((name) => name.startsWith('attempt-'));
  let looked = 0;
  for (const attempt of attempts) {
    const root = join(fleet.home.dir, attempt);
    for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name);
      // the next run checks a file that the server is replacing at this moment
      const content = await readFile(path, 'latin1').catch(() => '');
      expect(A_SEED.test(content), `a seed in ${path}`).toBe(false);
      looked += content.length;
    }
  }
  expect(looked).toBeGreaterThan(10_000);
}
