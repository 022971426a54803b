// Runs the examples of doc comments, one after the other, with a fleet and the files that CONTRIBUTING.md names.
import { copyFile, cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { format, inspect } from 'node:util';
import { joinFleet } from 'zester/peel';
import { startTestFleet, type TestFleet } from 'zester/testing';

/** Timeout of an example, in milliseconds. */
const LIMIT_MS = 30_000;
/** Timeout for closing what an example opened. */
const END_MS = 5_000;

const [list = '', results = ''] = process.argv.slice(2);
const examples = JSON.parse(await readFile(list, 'utf8')) as {
  name: string;
  module: string;
  prints: string[];
}[];

let fail: ((error: unknown) => void) | undefined;
for (const name of ['unhandledRejection', 'uncaughtException'] as const)
  process.on(name, (error) => {
    if (fail === undefined) throw error;
    fail(error);
  });

await using fleet = await startTestFleet({
  master: { policy: ({ peelId }) => (peelId.startsWith('new-') ? 'pending' : 'accept') },
});
const files = await prepare(fleet);
process.env['NATS_URL'] = fleet.urls.join(',');

const failures: string[] = [];
const environment = { ...process.env };
for (const [i, { name, module, prints }] of examples.entries()) {
  const directory = join(fleet.dir, `example-${i}`);
  await cp(files, directory, { recursive: true });
  process.chdir(directory);
  const lines: string[] = [];
  const restore = captureConsole(lines);
  const started = performance.now();
  try {
    await run(module);
    const missing = firstMissing(prints, lines);
    if (missing !== undefined)
      throw new Error(`it does not print "${missing}"; it prints:\n${lines.join('\n')}`);
  } catch (error) {
    failures.push(`${name}: ${inspect(error)}`);
  } finally {
    restore();
  }
  if (process.env['ZESTER_EXAMPLES_TIMES'] !== undefined)
    process.stderr.write(`${Math.round(performance.now() - started)} ms ${name}\n`);
  process.chdir(fleet.dir);
  process.env = { ...environment };
  // its credentials may have been renewed
  for (const file of await readdir(files, { withFileTypes: true }))
    if (file.isFile()) await copyFile(join(directory, file.name), join(files, file.name));
}
await writeFile(results, JSON.stringify(failures));
setTimeout(() => {
  process.stderr.write(`an example leaves something open: ${process.getActiveResourcesInfo().join(', ')}\n`);
  process.exit(1);
}, END_MS).unref();

/** The files in the working directory of examples, and the peels that they name. */
async function prepare({ home, dir }: TestFleet): Promise<string> {
  const directory = join(dir, 'files');
  await mkdir(directory, { mode: 0o700 });
  const own = (name: string) => join(directory, name);
  await symlink(home, own('home'));
  for (const name of ['operator', 'account'])
    await copyFile(join(home, 'jwt', `${name}.jwt`), own(`${name}.jwt`));
  for (const name of ['operator-signing', 'account', 'peel-signing'])
    await copyFile(join(home, 'keys', `${name}.seed`), own(`${name}.seed`));
  for (const name of ['admin', 'master', 'system'])
    await copyFile(join(home, 'creds', `${name}.creds`), own(`${name}.creds`));
  for (const peelId of ['web-01', 'web-03', 'web-04'])
    await fleet.peelCreds(peelId, { path: own(`${peelId}.creds`) });
  await copyFile(await fleet.joinToken({ uses: 100 }), own('join.creds'));
  await fleet.startPeel('web-02');
  for (const peelId of ['new-01', 'new-02']) await ask(peelId);
  return directory;
}

/** Lets a new host request to join; it is then pending. */
async function ask(peelId: string): Promise<void> {
  const asked = new AbortController();
  const token = await fleet.joinToken();
  const out = join(fleet.dir, `${peelId}.creds`);
  const joining = joinFleet({
    servers: fleet.urls,
    token,
    peelId,
    out,
    signal: asked.signal,
    onEvent: ({ type }) => type === 'pending' && asked.abort(),
  });
  await joining.catch((error: unknown) => {
    if (!asked.signal.aborted) throw error;
  });
}

async function run(module: string): Promise<void> {
  const failed = new Promise<never>((_resolve, reject) => (fail = reject));
  failed.catch(() => undefined);
  const late = new AbortController();
  const limit = delay(LIMIT_MS, undefined, { signal: late.signal }).then(() => {
    throw new Error(`it has not ended after ${LIMIT_MS / 1000} s`);
  });
  limit.catch(() => undefined);
  try {
    await Promise.race([import(pathToFileURL(module).href), failed, limit]);
  } finally {
    late.abort();
  }
}

function captureConsole(lines: string[]): () => void {
  const { log, warn, error } = console;
  const capture = (...args: unknown[]) => void lines.push(format(...args));
  Object.assign(console, { log: capture, warn: capture, error: capture });
  return () => Object.assign(console, { log, warn, error });
}

/** The first expected line that is missing from the output, in order. */
function firstMissing(prints: readonly string[], lines: readonly string[]): string | undefined {
  const rest = [...lines];
  return prints.find((text) => {
    const pattern = new RegExp(`^${text.split('…').map(escape).join('.*')}$`, 's');
    const at = rest.findIndex((line) => pattern.test(line));
    rest.splice(0, at + 1);
    return at < 0;
  });
}

function escape(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
