import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { FullScreenEvents } from '../../../src/cli/terminal/full-screen.js';
import type { AdminClient } from '../../../src/protocol/admin-client.js';
import { zester, type ZesterOptions } from '../../cli/run-zester.js';
import { atEnd } from '../../support/cleanup.js';
import { tempDir } from '../../support/temp-dir.js';
import { waitFor } from '../../support/wait-for.js';
import { ZESTER } from '../../support/zester-command.js';
import { startFleet, type Fleet } from './fleet.js';
import { addCreds } from './peels.js';
import { childInput } from '../../support/child-input.js';

const SCRIPT = '/usr/bin/script';

let fleet: Fleet;
let admin: AdminClient;
beforeAll(async () => {
  fleet = await startFleet({ policy: 'manual', lifetime: 900 });
  admin = await fleet.admin();
  await addCreds(fleet, admin, 'web-1', { labels: { env: 'prod' }, expiry: 300 });
  await addCreds(fleet, admin, 'web-2', { expiry: 600 });
  await addCreds(fleet, admin, 'web-3', { expiry: 0 });
});

const env = () => ({ ZESTER_HOME: fleet.home.home, ZESTER_SERVERS: fleet.servers.join(',') });
const run = (args: readonly string[], options: ZesterOptions = {}) =>
  zester(args, { ...options, env: env() });

describe('zester top', () => {
  it('prints the fleet once without a terminal, and as JSON', async () => {
    const { code, stdout, stderr } = await run(['top']);
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/accepted 3/);
    expect(stdout).toMatch(/web-1 +in \d+ (seconds|minutes)[^]*web-2 +in/);
    expect(stdout).toMatch(/LATEST EVENTS\n.*key\.issued/);
    const json = JSON.parse((await run(['top', '--json'])).stdout) as object;
    expect(json).toMatchObject({
      peels: { accepted: 3 },
      connected: 0,
      renewalsPerSecond: 0,
      expiring: [{ id: 'web-1' }, { id: 'web-2' }],
    });
  });

  it('shows changes live, and restores the terminal on q', async () => {
    let events: FullScreenEvents | undefined;
    let shown = '';
    let isOpen = false;
    const screen = (given: FullScreenEvents) => {
      events = given;
      isOpen = true;
      return Promise.resolve({
        size: () => ({ columns: 80, rows: 24 }),
        draw: (lines: readonly string[]) => void (shown = lines.join('\n')),
        close: () => void (isOpen = false),
      });
    };
    const ended = run(['top'], { tty: true, screen });
    await waitFor('the first picture', () => shown.includes('web-1'));
    await addCreds(fleet, admin, 'new-1', { expiry: 60 });
    await waitFor('the event to be drawn', () => /key\.issued.*\n?/.test(shown) && shown.includes('new-1'));
    await waitFor('the count to be drawn', () => shown.includes('accepted 4'));
    events?.key('q');
    expect(await ended).toMatchObject({ code: 0, stderr: '' });
    expect(isOpen).toBe(false);
  });

  it.skipIf(!existsSync(SCRIPT)).each(['q', '\u0003', 'SIGTERM'])(
    'restores a real terminal when it is ended by %j',
    async (how) => {
      const words = [process.execPath, ...ZESTER, 'top'];
      const command = `stty rows 24 cols 80; echo "pid $$"; exec ${words.map((word) => `'${word}'`).join(' ')}`;
      const child = spawn(
        SCRIPT,
        ['--quiet', '--return', '--command', command, join(await tempDir(), 'typescript')],
        { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, ...env(), SHELL: '/bin/sh' } },
      );
      let text = '';
      child.stdout.on('data', (data: Buffer) => (text += data.toString()));
      const closed = once(child, 'close').then(([code]) => code as number);
      atEnd(async () => {
        child.kill('SIGKILL');
        await closed;
      });
      await waitFor('the picture', () => text.includes('LATEST EVENTS'), 30_000);
      if (how === 'SIGTERM') process.kill(Number(/pid (\d+)/.exec(text)?.[1]), how);
      else childInput(child).write(how);
      expect(await closed).toBe(how === 'SIGTERM' ? 143 : 0);
      expect(text.match(/\u001b\[\?1049h/g)).toHaveLength(1);
      expect(text.slice(text.lastIndexOf('\u001b[?7h'))).toMatch(/^\u001b\[\?7h\u001b\[\?25h\u001b\[\?1049l/);
    },
  );
});

describe('zester top on a terminal', () => {
  /** Runs it on a terminal with a size. Its standard error goes to a file. */
  async function onTerminal(size: string) {
    const dir = await tempDir();
    const [stderr, exit] = [join(dir, 'stderr'), join(dir, 'exit')];
    const words = [process.execPath, ...ZESTER, 'top'].map((word) => `'${word}'`).join(' ');
    // the shell outlives the terminal, to write how the command ended
    const command = `stty ${size}; trap '' HUP; ${words} 2>'${stderr}'; echo $? >'${exit}'`;
    const child = spawn(SCRIPT, ['--quiet', '--command', command, join(dir, 'typescript')], {
      stdio: ['pipe', 'pipe', 'ignore'],
      env: { ...process.env, ...env(), SHELL: '/bin/sh' },
    });
    const shown = { text: '' };
    child.stdout.on('data', (data: Buffer) => (shown.text += data.toString()));
    atEnd(async () => void child.kill('SIGKILL'));
    return { child, shown, stderr, exit };
  }

  it.skipIf(!existsSync(SCRIPT))('draws on one that was given no size as on one of 80 × 24', async () => {
    const { child, shown } = await onTerminal('rows 0 cols 0');
    await waitFor('the picture', () => /LATEST EVENTS[^]*key\.issued/.test(shown.text), 30_000);
    childInput(child).write('q');
    await waitFor('the terminal back', () => shown.text.includes('\u001b[?1049l'));
  });

  it.skipIf(!existsSync(SCRIPT))('exits without a stack trace when its terminal is closed', async () => {
    const { child, shown, stderr, exit } = await onTerminal('rows 24 cols 20');
    await waitFor('the picture', () => shown.text.includes('LATEST EVENTS'), 30_000);
    child.kill('SIGKILL');
    const code = await waitFor(
      'it to end',
      async () => /^\d+(?=\n)/.exec(await readFile(exit, 'utf8').catch(() => ''))?.[0],
      30_000,
    );
    expect(await readFile(stderr, 'utf8')).not.toMatch(/\n\s+at /);
    // by SIGHUP: Node.js itself would abort, and leave a core dump
    expect(code).toBe('129');
  });
});

describe('zester peel list', () => {
  it('prints names, CSV, wide tables and JSON, with the requested columns', async () => {
    const list = async (...args: string[]) => (await run(['peel', 'list', 'web-*', ...args])).stdout;
    expect(await list('-o', 'name', '--sort', 'expires', '--limit', '2')).toBe('web-1\nweb-2\n');
    expect(await list('-o', 'csv', '--columns', 'id,state,labels')).toBe(
      'id,state,labels\nweb-1,accepted,env=prod\nweb-2,accepted,\nweb-3,accepted,\n',
    );
    expect((await list('-o', 'csv')).split('\n')[0]).toMatch(/^id,state,connected,expires,.*,key,/);
    expect(await list('-o', 'wide')).toMatch(/^ID +STATE .* KEY /);
    expect(await list('--columns', 'labels,id')).toMatch(/^LABELS +ID\nenv=prod +web-1\n/);
    expect(JSON.parse(await list('-o', 'json'))).toMatchObject({ peels: [{ id: 'web-1' }, {}, {}] });
  });

  it.each(['id', 'state', 'expires', 'seen'])(
    'sorted by %s, pages on after the last peel, even if that has left the list',
    async (sort) => {
      const ids = [1, 2, 3, 4, 5].map((i) => `${sort}-${i}`);
      for (const id of ids) await addCreds(fleet, admin, id, { expiry: 600 });
      const args = [
        'peel',
        'list',
        `${sort}-*`,
        '--state',
        'accepted',
        '--sort',
        sort,
        '--limit',
        '2',
        '--json',
      ];
      const seen: string[] = [];
      let after: string | null = null;
      do {
        const { code, stdout, stderr } = await run(after === null ? args : [...args, '--after', after]);
        expect(code, stderr).toBe(0);
        const page = JSON.parse(stdout) as { peels: { id: string }[]; next: string | null };
        seen.push(...page.peels.map(({ id }) => id));
        after = page.next;
        expect(stderr.includes(`for the next page: --after ${after}\n`)).toBe(after !== null);
        // the peel that the next page continues after
        if (after !== null) await admin.ask('peel.revoke', { peelId: seen.at(-1) ?? '' });
      } while (after !== null);
      expect(seen).toEqual(ids);
    },
  );

  it.each([
    ['--after', 'web.1'],
    ['--after', 'web-1', '--sort', 'expires'],
    ['--after', 'seen.eA', '--sort', 'seen'],
  ])('refuses %s %s %s %s, which is no place in that order', async (...args) => {
    const { code, stderr } = await run(['peel', 'list', ...args]);
    expect([code, stderr]).toEqual([2, expect.stringContaining('zester: ')]);
  });

  it.each([
    ['-o', 'name', '--columns', 'id'],
    ['-o', 'csv', '--json'],
    ['--columns', 'nothing'],
    ['-o', 'yaml'],
  ])('refuses %s %s %s %s', async (...args) => {
    expect(await run(['peel', 'list', ...args.filter(Boolean)])).toMatchObject({ code: 2 });
  });
});
