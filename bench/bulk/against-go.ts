import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { issueBatch } from '../../src/provision/issue-batch.js';
import { planOf } from '../../src/provision/issue-options.js';
import { generateKeyBundle } from '../../src/nkeys/key-bundle.js';
import { peelPermissions } from '../../src/permissions/roles.js';
import type { Bar } from '../report.js';
import { inTurns, printRounds, ratioOf } from './rounds.js';

const ROUNDS = 30;
const COUNT = 512;

/** The placeholder for the peel ID in the input of the Go program. */
const PLACE = 'place-of-the-id';

/** One core: a key, its JWT with a peel's permissions, the bytes of the file, here and by Go's jwt/v2. Processor time. */
export async function againstGo(dir: string): Promise<Bar[]> {
  const program = join(dir, 'issue-go');
  try {
    execFileSync('go', ['build', '-o', program, resolve('bench/go/issue.go')], {
      env: { ...process.env, GO111MODULE: 'off', GOPATH: '/usr/share/gocode' },
      stdio: 'pipe',
    });
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const why = missing ? 'there is no go' : String((error as { stderr?: unknown }).stderr ?? error);
    console.log(
      `bulk: not compared with Go (${why.trim()}): apt-get install golang-go golang-github-nats-io-jwt-dev`,
    );
    return [];
  }
  const account = generateKeyBundle('account');
  const { publish, subscribe, responses } = peelPermissions(PLACE);
  const go = spawn(program, {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, GOMAXPROCS: '1' },
  });
  const lines = createInterface({ input: go.stdout })[Symbol.asyncIterator]();
  const seed = Buffer.from(account.seed).toString();
  go.stdin.write(
    `${JSON.stringify({ seed, place: PLACE, publish: publish?.allow, subscribe: subscribe?.allow, responses })}\n`,
  );
  const goTimes: number[] = [];
  const plan = planOf({ signer: account });
  let made = 0;
  const idsOf = (count: number) => Array.from({ length: count }, () => `web-server-${made++}`);
  const rounds = await inTurns(
    {
      zester: async (count) => issueBatch(idsOf(count), account, plan, Date.now()),
      "Go's jwt/v2": async (count) => {
        go.stdin.write(`${count}\n`);
        const { value } = (await lines.next()) as { value: string };
        goTimes.push(Number(value) / count);
      },
    },
    ROUNDS,
    COUNT,
  );
  const ended = once(go, 'exit');
  go.stdin.end();
  await ended;
  // its processor time is another process's: it says it itself
  const counted = goTimes.slice(-ROUNDS);
  rounds["Go's jwt/v2"].forEach((round, i) => (round.cpuUs = counted[i] ?? NaN));
  console.log(`bulk: ${ROUNDS * COUNT} credentials on one core, in ${ROUNDS} rounds`);
  printRounds(rounds);
  return [
    {
      what: "one core: rate against Go's jwt/v2",
      ratio: ratioOf(rounds["Go's jwt/v2"], rounds.zester, 'cpuUs'),
      bound: 1,
      kind: 'at least',
    },
  ];
}
