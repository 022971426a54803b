// Every command that connects fails with an accurate error and exit code at a listener that is not a server.
// ZESTER_SECURITY=long: all of them.
import { beforeAll, describe, expect, it } from 'vitest';
import { CONNECTING, runConnecting, Stage } from '../integration/fleet/connecting-commands.js';
import { startFleet } from '../integration/fleet/fleet.js';
import { HOSTILE, MUTE, RAW, startListener, type HostileListener } from './hostile-listeners.js';

const IS_LONG = process.env['ZESTER_SECURITY'] === 'long';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.of(await startFleet({ policy: 'auto-all' }));
});

/** Commands that run concurrently. */
const AT_ONCE = 10;

/** They run one after the other, since they change the home. */
const CHANGE_HOME = new Set([
  'admin add',
  'admin remove',
  'account push',
  'keys add',
  'keys remove',
  'keys use',
  'master invite',
  'master remove',
  'permissions migrate',
  'permissions set',
  'restore',
  'revocations clear',
  'revoke',
]);

/** Commands that retry until their time limit. */
const WAIT = new Set(['peel join', 'peel recover', 'ping']);

async function expectTruth(name: string, servers: string, { words, code }: HostileListener): Promise<void> {
  const { warns, goesOn } = CONNECTING[name] ?? {};
  const flags = ['--servers', servers, ...(WAIT.has(name) ? ['--wait', '2s'] : [])];
  const result = await runConnecting(name, stage, { flags });
  const output = `zester ${name}\n${result.stdout}${result.stderr}`;
  expect(output).toMatch(words);
  expect(output).not.toMatch(RAW);
  const failed = code === undefined ? 4 : 3;
  // a long-running command waits for a server, unless it can never be one
  const expected = warns === true ? [0] : goesOn === true ? [0, failed] : [failed];
  expect(expected, output).toContain(result.code);
}

async function expectTruthOfAll(names: string[], servers: string, listener: HostileListener): Promise<void> {
  const parallel = names.filter((name) => !CHANGE_HOME.has(name));
  for (let i = 0; i < parallel.length; i += AT_ONCE)
    await Promise.all(parallel.slice(i, i + AT_ONCE).map((name) => expectTruth(name, servers, listener)));
  for (const name of names) if (CHANGE_HOME.has(name)) await expectTruth(name, servers, listener);
}

const SHORT = ['speaks HTTP', 'refuses with hostile words'];
const LONG = Object.keys(HOSTILE).filter((what) => HOSTILE[what]?.slow !== true || what === 'says nothing');

describe.each(IS_LONG ? LONG : SHORT)('at a listener that %s', (what) => {
  it('every command that connects reports an accurate error', async () => {
    const listener = HOSTILE[what] as HostileListener;
    const { url } = await startListener(listener);
    await expectTruthOfAll(Object.keys(CONNECTING), url, listener);
  }, 180_000);
});

describe.runIf(IS_LONG)('at a listener that answers pings and nothing else', () => {
  it('every command that connects reports an accurate error', async () => {
    const { url } = await startListener(MUTE);
    const names = Object.keys(CONNECTING).filter((name) => CONNECTING[name]?.goesOn !== true);
    await expectTruthOfAll(names, url, MUTE);
  }, 300_000);
});
