// Fuzzes one target in its own thread: coverage-guided, with a time limit per input and a heap limit.
import { parentPort, workerData } from 'node:worker_threads';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { ZesterError } from '../../../src/errors.js';
import { SeededRandom } from '../../support/random.js';
import { Coverage } from '../coverage.js';
import { mutate } from '../mutate.js';
import type { TargetName } from '../target-names.js';
import { TARGETS } from '../targets.js';

/** The start data of the thread. */
export interface FuzzOrder {
  target: TargetName;
  seed: number;
  forMs: number;
  /** The current input: its length, then its bytes. */
  current: SharedArrayBuffer;
}

/** The report of the thread. */
export interface FuzzReport {
  target: string;
  executions: number;
  corpus: number;
  coverageAtStart: number;
  coverage: number;
  heapGrowthMiB: number;
  slowestMs: number;
  findings: { why: string; input: string }[];
}

const BATCH = 64;
const SLOW_MS = 2_000;
const { target: name, seed, forMs, current } = workerData as FuzzOrder;
const target = TARGETS[name];
if (parentPort === null) throw new Error('this runs in a thread');
const length = new Int32Array(current, 0, 1);
const place = new Uint8Array(current, 4);
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const random = new SeededRandom(seed);
const coverage = new Coverage(import.meta.url);
const findings = new Map<string, string>();
let executions = 0;
let slowestMs = 0;

async function execute(input: Uint8Array): Promise<void> {
  executions += 1;
  place.set(input.subarray(0, place.length));
  Atomics.store(length, 0, input.length);
  const start = process.cpuUsage();
  try {
    await target.run(input);
  } catch (error) {
    if (!(error instanceof ZesterError)) {
      const { stack = String(error) } = error as Error;
      note(stack.split('\n').slice(0, 4).join(' '), input);
    }
  }
  // CPU time, not wall time: other processes may have the CPU
  const used = process.cpuUsage(start);
  const took = (used.user + used.system) / 1_000;
  slowestMs = Math.max(slowestMs, took);
  if (took > SLOW_MS) note(`one input takes more than ${SLOW_MS / 1000} s of the processor`, input);
}

function note(why: string, input: Uint8Array): void {
  if (!findings.has(why) && findings.size < 20) findings.set(why, Buffer.from(input).toString('base64'));
}

function heap(): number {
  collect();
  return process.memoryUsage().heapUsed / 2 ** 20;
}

const seen = new Set<string>();
/** The parts that ran since the last call, and never before. */
function news(): string[] {
  const fresh = coverage.take().filter((part) => !seen.has(part));
  for (const part of fresh) seen.add(part);
  return fresh;
}

/** Adds the inputs of a batch that reach new code to the corpus. */
async function keep(batch: readonly Uint8Array[], fresh: ReadonlySet<string>): Promise<void> {
  const left = new Set(fresh);
  for (const input of batch) {
    await execute(input);
    const reached = coverage.take().filter((part) => left.delete(part));
    if (reached.length > 0) corpus.push(input);
    if (left.size === 0) return;
  }
}

const corpus: Uint8Array[] = target.seeds.map((one) => Buffer.from(one as string));
for (const one of corpus) await execute(one);
news();
const coverageAtStart = seen.size;
const end = Date.now() + forMs;
const warm = Date.now() + forMs / 3;
let heapWarm: number | undefined;
while (Date.now() < end) {
  const batch = Array.from({ length: BATCH }, () => {
    // recent inputs are chosen more often
    const recent = random.below(2) === 0 ? corpus.slice(-16) : corpus;
    return mutate(random.pick(recent), corpus, random);
  });
  for (const input of batch) await execute(input);
  const fresh = news();
  if (fresh.length > 0) await keep(batch, new Set(fresh));
  if (heapWarm === undefined && Date.now() > warm) heapWarm = heap();
}

const heapGrowthMiB = heap() - (heapWarm ?? heap());
parentPort.postMessage({
  target: name,
  executions,
  corpus: corpus.length,
  coverageAtStart,
  coverage: seen.size,
  heapGrowthMiB,
  slowestMs,
  findings: [...findings].map(([why, input]) => ({ why, input })),
} satisfies FuzzReport);
