import type { NatsConnection } from '@nats-io/nats-core';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { connectPeel } from '../../../src/connection/connect.js';
import { createLog } from '../../../src/cli/terminal/log.js';
import { zester as run, type ZesterResult } from '../../cli/run-zester.js';
import { processIo } from '../../../src/cli/terminal/io.js';
import { generateKeyBundle } from '../../../src/nkeys/key-bundle.js';
import { MAX_ANSWER_BYTES } from '../../../src/protocol/command.js';
import { atEnd } from '../../support/cleanup.js';
import { waitFor } from '../../support/wait-for.js';
import { startFleet, type Fleet } from './fleet.js';
import { addCreds, TestPeel } from './peels.js';

const EVIL =
  '\u001b]0;pwned\u0007\u001b[2J\nok      good-1: {}\r\u009b31m\u202egnp.exe\u202c\u200b\u061c\u2060\ufeff';
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

let fleet: Fleet;
let log = '';
let hostile: NatsConnection;
/** The answer of the hostile peel to every command. */
let answer = '';

function zester(...args: string[]): Promise<ZesterResult> {
  return run(args, {
    env: {
      ZESTER_HOME: fleet.home.home,
      ZESTER_SERVERS: fleet.servers.join(','),
      XDG_STATE_HOME: fleet.home.dir,
    },
  });
}

beforeAll(async () => {
  const stderr = { write: (text: string) => void (log += text), isTTY: false };
  fleet = await startFleet({
    policy: 'manual',
    logger: await createLog({ level: 'debug' }, { ...processIo(), stderr }),
  });
  const admin = await fleet.admin();
  for (const id of ['good-1', 'good-2']) await TestPeel.start(fleet, await addCreds(fleet, admin, id));
  const credsPath = await addCreds(fleet, admin, 'evil-1');
  hostile = await connectPeel({ servers: fleet.servers, credsPath, peelId: 'evil-1' });
  atEnd(() => hostile.close());
  hostile.subscribe('zester.cmd.evil-1', { callback: (_error, message) => void message.respond(answer) });
  await hostile.flush();
  for (const id of ['good-1', 'good-2', 'evil-1']) {
    await fleet.record(id, ({ state }) => state === 'active');
    await waitFor(`${id} to answer`, async () => {
      answer = '{"peelId":"evil-1"}';
      return (await zester('ping', id)).code === 0;
    });
  }
});

function expectSafe({ stdout, stderr }: ZesterResult): void {
  expect(UNSAFE.test((stdout + stderr).replaceAll('\n', '')), JSON.stringify(stdout + stderr)).toBe(false);
}

const CALLS: { call: string[] }[] = [{ call: ['ping'] }, { call: ['peel', 'exec'] }];
const handlerOf = (call: readonly string[]) => (call.length === 1 ? [] : ['facts']);

describe.each(CALLS)('zester $call', ({ call }) => {
  const ask = (glob: string, ...more: string[]) => zester(...call, glob, ...handlerOf(call), ...more);

  it.each([
    ['an error message', { error: { code: 'ERR_X', message: EVIL } }],
    ['an error code', { error: { code: EVIL, message: 'x' } }],
    ['a result', { result: { [EVIL]: EVIL } }],
    ['a name', { peelId: EVIL, result: 1 }],
  ])('prints one safe line when a peel answers with a hostile %s', async (_what, response) => {
    answer = JSON.stringify({ peelId: 'evil-1', ...response });
    const lines = await ask('evil-1');
    expectSafe(lines);
    expect(lines.stdout.trimEnd().split('\n')).toHaveLength(1);
    const json = await ask('evil-1', '--json');
    expectSafe(json);
    expect(JSON.parse(json.stdout)).toMatchObject({ peels: [{ id: 'evil-1' }] });
  });

  it.each([
    [
      'is nested deeply',
      () => `{"peelId":"evil-1","result":${'['.repeat(50_000)}${']'.repeat(50_000)}}`,
      /levels deep/,
    ],
    [
      'is nested deeply in objects',
      () => `{"peelId":"evil-1","result":${'{"a":'.repeat(40)}1${'}'.repeat(41)}`,
      /deep/,
    ],
    ['is no JSON', () => 'x', /not JSON/],
    ['is empty', () => '', /not JSON/],
    ['is nothing but null', () => 'null', /cannot be used/],
  ])('shows the other answers when one peel %s', async (_what, response, why) => {
    answer = response();
    for (const more of [[], ['--json']]) {
      const { code, stdout } = await ask('*', ...more);
      expect(code).toBe(1);
      for (const id of ['good-1', 'good-2', 'evil-1']) expect(stdout).toContain(id);
      expect(stdout).toContain('ERR_FLEET_ANSWER');
      expect(stdout).toMatch(why);
    }
  });
});

it('passes a result on unchanged with --json', async () => {
  const result = { text: EVIL, list: [1, [2, [3]]] };
  answer = JSON.stringify({ peelId: 'evil-1', result });
  const { code, stdout } = await zester('peel', 'exec', 'evil-1', 'facts', '--json');
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ peels: [{ id: 'evil-1', result }] });
  expect(answer.length).toBeLessThan(MAX_ANSWER_BYTES);
});

it('finds each decision in the audit log, whatever its reason is', async () => {
  const admin = await fleet.admin();
  const encoded = Buffer.from(Buffer.from(generateKeyBundle('user').seed).toString()).toString('base64');
  for (const [i, before] of ['\n', '\u001b', '\u0002', '\ud800'].entries()) {
    await admin.ask('peel.label', { peelId: 'good-1', set: { n: String(i) }, reason: `${before}${encoded}` });
    const event = await fleet.audited(
      'peel.labelled',
      (of) => (of as { set?: Record<string, string> }).set?.['n'] === String(i),
    );
    expect(event.reason).toContain('(a seed, encoded)');
  }
});

it('shows and logs untrusted reasons, subjects and file names safely', async () => {
  const user = fleet.home.dir;
  hostile.publish(`zester.auth.evil-1.${'\u202e\u009b31m'}`, '{}', { reply: `_INBOX.evil-1.x` });
  await hostile.flush();
  expectSafe(await zester('peel', 'revoke', 'good-2', 'evil-1', '--reason', EVIL, '--yes'));
  for (const args of [
    ['peel', 'show', 'good-2'],
    ['peel', 'list'],
    ['audit'],
    ['creds', 'inspect', join(user, EVIL)],
    ['peel', EVIL],
    ['ping', EVIL],
    ['peel', 'show', EVIL],
    ['peel', 'list', '--servers', `nats://${EVIL}`],
  ]) {
    for (const more of [[], ['--json'], ['--debug']]) expectSafe(await zester(...args, ...more));
  }
  expect(log).toContain('"level":"');
  expect(UNSAFE.test(log.replaceAll('\n', ''))).toBe(false);
});
