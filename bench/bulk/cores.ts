import { open } from 'node:fs/promises';
import { documentsDelivery } from '../../src/provision/sinks/documents.js';
import { generateKeyBundle } from '../../src/nkeys/key-bundle.js';
import type { Bar } from '../report.js';
import { gatedRun } from './gated.js';
import { inTurns, printRounds, ratioOf } from './rounds.js';

const ROUNDS = 30;
const COUNT = 2_048;

/** ndjson to /dev/null: what two threads make, against what the command makes in the one that it has anyway. */
export async function cores(): Promise<Bar[]> {
  const sink = await open('/dev/null', 'w');
  const target = {
    write: async (bytes: Uint8Array) => void (await sink.write(bytes)),
    finish: async () => undefined,
    abort: async () => undefined,
  };
  const account = generateKeyBundle('account');
  const run = (workers: number) =>
    gatedRun(documentsDelivery({ kind: 'documents', format: 'ndjson' }, target), {
      signer: account,
      workers,
    });
  const [one, two] = [run(0), run(2)];
  const rounds = await inTurns({ 'one core': one.issue, 'two cores': two.issue }, ROUNDS, COUNT);
  await one.end();
  await two.end();
  await sink.close();
  console.log(`bulk: ${ROUNDS * COUNT} credentials as ndjson to /dev/null, in ${ROUNDS} rounds`);
  printRounds(rounds);
  const idle = 2 * ratioOf(rounds['one core'], rounds['two cores'], 'cpuUs');
  console.log(
    `  by processor time, two cores with nothing else to do would make ${idle.toFixed(2)} times as many`,
  );
  return [
    {
      what: "ndjson: two cores against one core's rate",
      ratio: ratioOf(rounds['one core'], rounds['two cores']),
      bound: 1.6,
      kind: 'at least',
    },
  ];
}
