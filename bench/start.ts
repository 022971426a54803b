import { connect } from '@nats-io/transport-node';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { natsOptionsForPeel } from '../src/connection/options.js';
import { duration } from './report.js';

const BAR_MS = 5_000;

/**
 * From a bare machine to a connected peel, by the program as it is installed: `zester init`, `zester server`, `zester creds
 * bootstrap`, connect. Needs `npm run build` first.
 */
export async function start(): Promise<boolean> {
  const main = resolve('dist/cli/main.js'); // npm runs this in the package's directory, wherever it is compiled to
  const dir = await mkdtemp(join(tmpdir(), 'zester-bench-'));
  const zester = (...args: string[]) =>
    spawn(process.execPath, [main, ...args, '--home', join(dir, 'home'), '--quiet'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  const steps: [string, number][] = [];
  const begin = performance.now();
  const step = (name: string) => steps.push([name, performance.now() - begin]);
  let server: ChildProcess | undefined;
  try {
    await done(zester('init'));
    step('zester init');
    server = zester('server', '--port', '-1', '--json');
    if (server.stdout === null) throw new Error('no output');
    const lines = createInterface({ input: server.stdout });
    const [line] = (await once(lines, 'line')) as [string];
    const { url } = JSON.parse(line) as { url: string };
    step('zester server takes clients');
    const path = join(dir, 'web-01.creds');
    await done(zester('creds', 'bootstrap', 'web-01', '--out', path));
    step('zester creds bootstrap web-01');
    const nc = await connect({ ...natsOptionsForPeel(path, 'web-01'), servers: url, reconnect: false });
    await nc.flush();
    step('web-01 is connected');
    await nc.close();
  } finally {
    if (server !== undefined && server.exitCode === null) {
      server.kill('SIGTERM');
      await once(server, 'exit');
    }
    await rm(dir, { recursive: true, force: true });
  }
  console.log('From a bare machine with nats-server to a connected peel, wall time since the start:');
  for (const [name, ms] of steps) console.log(`  ${name.padEnd(30)}  ${duration(ms * 1_000).padStart(12)}`);
  const total = steps.at(-1)?.[1] ?? Infinity;
  const met = total < BAR_MS;
  console.log(`  bar: under ${BAR_MS / 1_000} s   ${met ? 'met' : 'NOT MET'}`);
  return met;
}

async function done(child: ChildProcess): Promise<void> {
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`${child.spawnargs.slice(2).join(' ')} ended with ${code}`);
}
