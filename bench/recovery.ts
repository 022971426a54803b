import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { writeCredsFile } from '../src/creds/generate.js';
import { generateKeyBundle } from '../src/nkeys/key-bundle.js';
import { startPeel, type Peel } from '../src/peel/peel.js';
import { writeRecoveryFile } from '../src/peel/recovery-files.js';
import { newRequestId, type AdminClient } from '../src/protocol/admin-client.js';
import { startMaster, timed, withFleet, type BenchFleet } from './fleet.js';
import { printBars } from './report.js';

const DEFAULT_PEELS = 500;
const BAR_SECONDS = 60;
/** Peels that are added or started at the same time. */
const AT_ONCE = 16;
/** Of every credential before the outage, in seconds. */
const LIFETIME_SECONDS = 60;

interface RecoveringPeel {
  peel: Peel;
  recoveries: number;
  /** When it was connected again, of `performance.now()`. */
  backAt: number | undefined;
}

/**
 * All masters are killed for longer than every credential lives. How long it takes until every peel is back once a master
 * starts. The peels are real ones in this process; the master and the server are processes of their own.
 */
export async function recovery(sizes: readonly number[]): Promise<boolean> {
  let met = true;
  for (const peels of sizes.length === 0 ? [DEFAULT_PEELS] : sizes)
    await withFleet(async (fleet) => void (met = (await measure(fleet, peels)) && met));
  return met;
}

async function measure(fleet: BenchFleet, count: number): Promise<boolean> {
  console.log(`recovery: ${count} peels, all masters down for longer than every credential lifetime`);
  const master = await startMaster(fleet, 'auto-trusted', ['--lifetime', `${LIFETIME_SECONDS}s`]);
  const admin = await fleet.admin();
  const dir = join(dirname(fleet.domain.home), 'peels');
  await mkdir(dir);
  const peels: RecoveringPeel[] = [];
  const startOne = async (i: number) => {
    peels.push(await start(fleet.url, await add(admin, `web-${i}`, dir)));
  };
  await timed(count, startOne, AT_ONCE);
  try {
    console.log(`  all ${count} are connected`);
    await master.stop();
    const areOut = await until(
      () => peels.every(({ peel }) => !peel.health().connected),
      4 * LIFETIME_SECONDS * 1_000,
    );
    if (!areOut) {
      console.error('not every peel has expired');
      return false;
    }
    console.log(`  all ${count} have expired and are refused`);
    for (const one of peels) one.backAt = undefined;
    const startedAt = performance.now();
    const next = await startMaster(fleet, 'auto-trusted');
    await until(() => peels.every(({ backAt }) => backAt !== undefined), 5 * 60_000);
    const times = peels.map(({ backAt = Infinity }) => (backAt - startedAt) / 1_000).sort((a, b) => a - b);
    const at = (share: number) => (times[Math.ceil(share * count) - 1] ?? 0).toFixed(1);
    console.log(
      `  the master was ready after ${(next.readyMs / 1_000).toFixed(1)} s; back after its start: half in ${at(0.5)} s, ` +
        `95 % in ${at(0.95)} s, all in ${at(1)} s`,
    );
    const recoveries = peels.reduce((sum, one) => sum + one.recoveries, 0);
    console.log(`  ${recoveries} recoveries of ${count} peels, none by hand`);
    await next.stop();
    return (
      printBars([
        { what: 'all are back', ratio: times.at(-1) ?? 0, bound: BAR_SECONDS, unit: 's', kind: 'at most' },
      ]) && recoveries === count
    );
  } finally {
    await timed(peels.length, async (i) => peels[i]?.peel.drain(), AT_ONCE);
  }
}

async function add(admin: AdminClient, peelId: string, dir: string): Promise<string> {
  const key = generateKeyBundle('user');
  const { publicKey, seed } = key;
  const { jwt, recovery: credential = '' } = await admin.ask('peel.add', {
    requestId: newRequestId(),
    peelId,
    publicKey,
  });
  const path = join(dir, `${peelId}.creds`);
  await writeCredsFile(path, jwt, seed);
  await writeRecoveryFile(path, credential);
  return path;
}

async function start(servers: string, credsPath: string): Promise<RecoveringPeel> {
  const one = { recoveries: 0, backAt: undefined as number | undefined };
  const peel = await startPeel({
    ...{ servers, credsPath },
    onEvent: ({ type }) => {
      if (type === 'recovered') one.recoveries += 1;
      if (type === 'reconnected') one.backAt = performance.now();
    },
  });
  return Object.assign(one, { peel });
}

/** @returns whether it came true in time */
async function until(is: () => boolean, limitMs: number): Promise<boolean> {
  const deadline = performance.now() + limitMs;
  while (!is()) {
    if (performance.now() >= deadline) return false;
    await delay(50);
  }
  return true;
}
