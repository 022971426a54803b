import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { connectMaster, type ZesterConnection } from '../src/connection/connect.js';
import { loadCredsFile } from '../src/creds/parse.js';
import { AdminClient } from '../src/protocol/admin-client.js';
import { MessageSigner } from '../src/protocol/signed.js';
import { createTrustDomain } from '../src/trust/create/create.js';
import type { TrustDomain } from '../src/trust/domain.js';
import { cpuSeconds, memoryOf } from './fleet.js';
import { printBars, type Bar } from './report.js';
import { countKnown } from './storm/known.js';
import { Generators } from './storm/generators.js';
import { StormMaster } from './storm/master.js';
import type { MadePeel } from './storm/messages.js';
import { planStorm, waveLimitMs, type StormPlan } from './storm/plan.js';
import { addRecords } from './storm/records.js';
import { StormServers } from './storm/servers.js';
import { BesideTheStorm, RENEWING_PEELS } from './storm/waits.js';
import { POLL_MS, seconds, wave, type WaveResult } from './storm/wave.js';

const DEFAULT_PEELS = [2_000];
/** The server that is killed. */
const KILLED = 0;
/** While the master is away, this share of the peels goes for good, and as many move to a new connection. */
const CHANGED_SHARE = 0.01;
/** What a master still does this long after a wave counts as its cost. */
const TAIL_MS = 3_000;
/** How long a master is watched at rest. */
const REST_MS = 3_000;
/** Servers that use less CPU than this in a second are at rest: they still have renewals and pings. */
const REST_CPU_SECONDS = 0.3;
const MASTER_RESTART_BAR_SECONDS = 15;
const REVOCATION_BAR_SECONDS = 2;
/** Milliseconds of a master's CPU for a connection, at most. */
const CPU_BARS = { first: 0.5, again: 0.1 } as const;

/** What one number of peels came to. */
interface StormResult {
  peels: number;
  met: boolean;
  /** A master's CPU for a connection in the first wave, in milliseconds. */
  firstMs?: number;
}

/**
 * N peels connect at once, a server is killed, and the master is killed. The peels are plain sockets in child processes
 * that connect as fast as the servers accept, without jitter; the servers, the master and all of them share the machine.
 *
 * @param sizes numbers of peels; several are measured on as many servers as the most of them need
 */
export async function storm(sizes: readonly number[]): Promise<boolean> {
  const all = sizes.length === 0 ? DEFAULT_PEELS : sizes;
  const openFiles = openFilesLimit();
  const needed = Math.max(...all.map((peels) => planOf(peels, openFiles)?.servers ?? 0));
  if (needed === 0) return false;
  const stop = new AbortController();
  const onInterrupt = () => stop.abort(new Error('interrupted'));
  process.once('SIGINT', onInterrupt);
  process.once('SIGTERM', onInterrupt);
  const results: StormResult[] = [];
  try {
    for (const peels of all) {
      const plan = planOf(peels, openFiles, needed);
      if (plan === undefined) return false;
      results.push(await withStorm(peels, plan, stop.signal));
    }
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    console.log('interrupted: the servers, the master and the generators are stopped');
    // nothing of it is waited for any longer
    process.exit(130);
  } finally {
    process.off('SIGINT', onInterrupt);
    process.off('SIGTERM', onInterrupt);
  }
  return compareSizes(results) && results.every(({ met }) => met);
}

function planOf(peels: number, openFiles: number, servers?: number): StormPlan | undefined {
  const plan = planStorm(peels, openFiles, servers);
  if (typeof plan !== 'string') return plan;
  console.error(`storm: ${plan}`);
  process.exitCode = 2;
  return undefined;
}

function compareSizes(results: readonly StormResult[]): boolean {
  const [smallest, ...others] = [...results].sort((a, b) => a.peels - b.peels);
  const largest = others.at(-1);
  if (smallest?.firstMs === undefined || largest?.firstMs === undefined) return true;
  return printBars([
    {
      what: `CPU per peel of ${largest.peels} over that of ${smallest.peels}, on the same servers`,
      ratio: largest.firstMs / smallest.firstMs,
      bound: 1.2,
      kind: 'at most',
    },
  ]);
}

function openFilesLimit(): number {
  const text = execFileSync('/bin/sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }).trim();
  return text === 'unlimited' ? Infinity : Number(text);
}

async function withStorm(peels: number, plan: StormPlan, signal: AbortSignal): Promise<StormResult> {
  const dir = await mkdtemp(join(tmpdir(), 'zester-storm-'));
  const generators = new Generators(plan.shares);
  let servers: StormServers | undefined;
  let run: Storm | undefined;
  try {
    console.log(
      `storm: ${peels} peels on ${plan.servers === 1 ? 'one server' : `a cluster of ${plan.servers}`}, ` +
        `${plan.shares.length} generators; each reconnects to its own server, without jitter`,
    );
    const domain = await createTrustDomain(join(dir, 'home'));
    servers = await StormServers.start(domain, dir, plan.servers);
    run = new Storm({ peels, domain, servers, generators, signal });
    return await run.measure();
  } finally {
    await run?.close();
    await generators.stop();
    await servers?.stop();
    await rm(dir, { recursive: true, force: true });
  }
}

interface StormParts {
  peels: number;
  domain: TrustDomain;
  servers: StormServers;
  generators: Generators;
  signal: AbortSignal;
}

/** What the servers need alone, in milliseconds. */
interface Alone {
  first: number;
  restart: number;
}

class Storm {
  readonly #parts: StormParts;
  readonly #open: ZesterConnection[] = [];
  #master: StormMaster | undefined;
  #beside: BesideTheStorm | undefined;
  readonly #bars: Bar[] = [];
  #failed = false;
  #firstMs: number | undefined;
  /** Seconds of a master's CPU in a millisecond, for the bench's own requests. */
  #restCpu = 0;

  constructor(parts: StormParts) {
    this.#parts = parts;
  }

  async measure(): Promise<StormResult> {
    const { peels } = this.#parts;
    await this.#prepare();
    const alone = await this.#withoutMaster();
    if (alone !== undefined && (await this.#firstWave(alone)) && (await this.#serverRestart(alone))) {
      await this.#masterRestart();
    }
    const met = this.#bars.length > 0 && printBars(this.#bars);
    return {
      peels,
      met: met && !this.#failed,
      ...(this.#firstMs !== undefined && { firstMs: this.#firstMs }),
    };
  }

  async close(): Promise<void> {
    await this.#beside?.stop();
    await this.#master?.stop();
    await Promise.all(this.#open.map((nc) => nc.close()));
  }

  async #prepare(): Promise<void> {
    const { domain, generators, signal } = this.#parts;
    const signer = await domain.peelSigner();
    const made: MadePeel[] = [];
    const seed = Buffer.from(signer.seed).toString();
    await generators.prepare({ account: domain.publicKeys.account, seed }, (batch) => made.push(...batch));
    await addRecords(await this.#connect(domain.paths.masterCreds), made, signal);
  }

  async #connect(credsPath: string): Promise<ZesterConnection> {
    const options = { servers: this.#parts.servers.urls, credsPath };
    const nc = await connectMaster({ ...options, reconnectTimeWait: 100, reconnectJitter: 0 });
    this.#open.push(nc);
    return nc;
  }

  /** The same connections, with no master. */
  async #withoutMaster(): Promise<Alone | undefined> {
    const { peels, servers, generators, signal } = this.#parts;
    const limitMs = waveLimitMs(peels);
    const first = await this.#step('the first wave, no master', async (startedAt) => {
      generators.connect(servers.endpoints);
      return wave(generators, { startedAt, accepted: peels, fresh: peels, limitMs, signal });
    });
    if (first.acceptedMs === undefined) return undefined;
    const fresh = generators.shareOf(KILLED, servers.size);
    const restart = await this.#step('a server is killed, no master', async (startedAt) => {
      const crashed = servers.crash(KILLED);
      const goal = { startedAt, accepted: peels, fresh, limitMs, signal };
      return (await Promise.all([wave(generators, goal), crashed]))[0];
    });
    generators.close();
    while (generators.state().accepted > 0) await delay(100, undefined, { signal });
    await servers.whole();
    if (restart.acceptedMs === undefined) return undefined;
    return { first: first.acceptedMs, restart: restart.acceptedMs };
  }

  async #firstWave(alone: Alone): Promise<boolean> {
    const { peels, domain, servers, generators, signal } = this.#parts;
    this.#master = await StormMaster.start(domain.home, servers.urls, signal);
    const admin = await this.#admin();
    this.#beside = new BesideTheStorm(admin);
    await this.#beside.start(servers.urls);
    await this.#rest(admin);
    const result = await this.#step(
      'the first wave',
      (startedAt) => {
        generators.connect(servers.endpoints);
        return this.#wave(admin, { startedAt, accepted: peels, fresh: peels }, alone.first);
      },
      peels,
    );
    this.#ratio('the first wave, over what the servers need alone', result, alone.first);
    this.#cpuBar("master's CPU of a first connection", result, CPU_BARS.first);
    this.#firstMs = result.cpuMs;
    if (result.knownMs === undefined) return false;
    await this.#quietRevocation();
    return true;
  }

  async #serverRestart(alone: Alone): Promise<boolean> {
    const { peels, servers, generators } = this.#parts;
    const admin = await this.#admin();
    const fresh = generators.shareOf(KILLED, servers.size);
    const result = await this.#step(
      `a server is killed, with ${fresh} connections`,
      async (startedAt) => {
        const crashed = servers.crash(KILLED);
        const wave = this.#wave(admin, { startedAt, accepted: peels, fresh }, alone.restart);
        return (await Promise.all([wave, crashed]))[0];
      },
      fresh,
    );
    this.#ratio('the restart of a server, over what the servers need alone', result, alone.restart);
    this.#cpuBar("master's CPU of a reconnect", result, CPU_BARS.again);
    return result.knownMs !== undefined;
  }

  async #masterRestart(): Promise<void> {
    const { peels, domain, servers, generators, signal } = this.#parts;
    const admin = await this.#admin();
    const each = Math.max(1, Math.floor((peels * CHANGED_SHARE) / servers.size / 2));
    const result = await this.#step('the master is killed', async (startedAt) => {
      await this.#master?.kill();
      const { gone, moved } = generators.change({ gone: each, moved: each });
      console.log(`      meanwhile ${gone} peels go, and ${moved} connect again`);
      const starting = StormMaster.start(domain.home, servers.urls, signal).then((master) => {
        this.#master = master;
        console.log(`      the new master answers after ${seconds(Date.now() - startedAt)}`);
      });
      const goal = { startedAt, accepted: peels - gone, fresh: moved };
      const [done] = await Promise.all([this.#wave(admin, goal), starting]);
      return done;
    });
    this.#bars.push({
      what: 'the restarted master knows everything',
      ratio: (result.knownMs ?? Infinity) / 1_000,
      bound: MASTER_RESTART_BAR_SECONDS,
      unit: 's',
      kind: 'at most',
    });
  }

  async #wave(
    admin: AdminClient,
    goal: { startedAt: number; accepted: number; fresh: number },
    aloneMs?: number,
  ): Promise<WaveResult> {
    const { peels, generators, signal } = this.#parts;
    const limitMs = waveLimitMs(peels, aloneMs);
    const master = { admin, others: RENEWING_PEELS, cpu: () => this.#masterCpu() };
    const revoking = this.#beside?.revokeOne();
    const result = await wave(generators, { ...goal, limitMs, master, signal });
    // one that waits still is of this wave: its wait is reported as it is
    await Promise.race([revoking, delay(TAIL_MS, undefined, { signal })]);
    return result;
  }

  /** @param connections the connections over which the master's CPU is divided */
  async #step(
    name: string,
    act: (startedAt: number) => Promise<WaveResult>,
    connections?: number,
  ): Promise<WaveResult & { cpuMs?: number }> {
    const { servers, generators, signal } = this.#parts;
    console.log(`  ${name}`);
    await this.#beside?.addOne();
    this.#beside?.renewals.take();
    this.#beside?.revocations.take();
    const before = { servers: servers.cpu(), generators: generators.state().cpu, master: this.#masterCpu() };
    const pid = this.#master?.pid;
    const start = Date.now();
    const result = await act(start);
    if (this.#master !== undefined) await delay(TAIL_MS, undefined, { signal });
    const master = this.#masterCpu() - (pid === this.#master?.pid ? before.master : 0);
    const own = Math.max(0, master - this.#restCpu * (Date.now() - start));
    const cpu = `servers ${(servers.cpu() - before.servers).toFixed(1)} s, generators ${(generators.state().cpu - before.generators).toFixed(1)} s`;
    console.log(`    accepted by the servers after ${shown(result.acceptedMs)}; CPU: ${cpu}`);
    if (result.missing !== undefined) {
      console.log(`    MISSING ${result.missing}`);
      this.#failed = true;
    }
    if (this.#master === undefined) return result;
    const perPeel = connections === undefined ? undefined : (own * 1_000) / connections;
    console.log(
      `    known by the master after ${shown(result.knownMs)}; master's CPU: ${master.toFixed(1)} s` +
        (perPeel === undefined ? '' : `, ${perPeel.toFixed(2)} ms for each of ${connections} connections`),
    );
    await this.#printMaster(name);
    return { ...result, ...(perPeel !== undefined && { cpuMs: perPeel }) };
  }

  async #printMaster(name: string): Promise<void> {
    const { servers, signal } = this.#parts;
    const master = this.#master;
    if (master === undefined) return;
    const mib = (kilobytes: number) => `${(kilobytes / 1_024).toFixed(0)} MiB`;
    console.log(
      `    memory: master ${mib(await memoryOf(master.pid))} (at most ${mib(master.peakMemory())}), ` +
        `servers ${mib(await servers.memory())} in all`,
    );
    const renewals = this.#beside?.renewals.take();
    const revocations = this.#beside?.revocations.take();
    console.log(
      `    longest wait: renewal ${shown(renewals?.longestMs)} (${renewals?.count} done), ` +
        `revocation ${shown(revocations?.longestMs)} (${revocations?.count} done)`,
    );
    this.#bars.push({
      what: `the longest wait of a revocation: ${name}`,
      ratio: (revocations?.longestMs ?? NaN) / 1_000,
      bound: REVOCATION_BAR_SECONDS,
      unit: 's',
      kind: 'at most',
    });
    const refused = await master.refused().catch(() => NaN);
    if (refused !== 0) {
      console.log(`    REFUSED: ${refused} connections that should not be`);
      this.#failed = true;
    }
    for (const [text, times] of master.warnings) console.log(`    the master logged ${times} times: ${text}`);
    signal.throwIfAborted();
  }

  /** What the bench's own requests cost a master that has nothing else to do, and how long a revocation waits then. */
  async #rest(admin: AdminClient): Promise<void> {
    const { signal } = this.#parts;
    await this.#beside?.revokeOne();
    const revocation = this.#beside?.revocations.take();
    const before = this.#masterCpu();
    const start = performance.now();
    while (performance.now() - start < REST_MS) {
      await countKnown(admin);
      await delay(POLL_MS, undefined, { signal });
    }
    this.#restCpu = (this.#masterCpu() - before) / (performance.now() - start);
    console.log(
      `  with nobody connected: a revocation waits ${shown(revocation?.longestMs)}; the bench's own requests cost the ` +
        `master ${(this.#restCpu * 100_000).toFixed(1)} % of a core, which is subtracted below`,
    );
  }

  /** How long a revocation waits while all peels are connected and quiet: a server verifies all their JWTs for it. */
  async #quietRevocation(): Promise<void> {
    // one that began in the wave may still be under way
    await this.#atRest();
    await this.#beside?.addOne();
    await this.#beside?.addOne();
    this.#beside?.revocations.take();
    const { servers } = this.#parts;
    const before = servers.cpu();
    await this.#beside?.revokeOne();
    const revocation = this.#beside?.revocations.take();
    await this.#beside?.revokeOne();
    const next = this.#beside?.revocations.take();
    await this.#atRest();
    console.log(
      `  with all connected and quiet: a revocation waits ${shown(revocation?.longestMs)}, one right after it ` +
        `${shown(next?.longestMs)}; both cost the servers ${(servers.cpu() - before).toFixed(1)} s of CPU`,
    );
  }

  /** Resolves when the servers have used little CPU for a second. */
  async #atRest(): Promise<void> {
    const { servers, signal } = this.#parts;
    let before = servers.cpu();
    for (;;) {
      await delay(1_000, undefined, { signal });
      const now = servers.cpu();
      if (now - before < REST_CPU_SECONDS) return;
      before = now;
    }
  }

  async #admin(): Promise<AdminClient> {
    const { adminCreds } = this.#parts.domain.paths;
    const nc = await this.#connect(adminCreds);
    return new AdminClient(nc, new MessageSigner(await loadCredsFile(adminCreds)), { timeoutMs: 30_000 });
  }

  #masterCpu(): number {
    try {
      return this.#master === undefined ? 0 : cpuSeconds(this.#master.pid);
    } catch {
      return 0; // killed an instant ago
    }
  }

  #ratio(what: string, { knownMs }: WaveResult, aloneMs: number): void {
    this.#bars.push({ what, ratio: (knownMs ?? Infinity) / aloneMs, bound: 1.3, kind: 'at most' });
  }

  #cpuBar(what: string, { cpuMs = Infinity }: { cpuMs?: number }, bar: number): void {
    this.#bars.push({ what, ratio: cpuMs, bound: bar, unit: 'ms', kind: 'at most' });
  }
}

function shown(ms: number | undefined): string {
  return ms === undefined ? 'never' : seconds(ms);
}
