import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { AuditEvent } from '../../../src/protocol/records/audit-event.js';
import type { PeelDocument } from '../../../src/cli/fleet/peel-document.js';
import { zester as run, type ZesterOptions } from '../../cli/run-zester.js';
import { contextOf } from '../../../src/master/context-of.js';
import { tempDir } from '../../support/temp-dir.js';
import { waitFor } from '../../support/wait-for.js';
import { startZester } from '../server/zester-process.js';
import { startFleet, type Fleet } from './fleet.js';
import { TestPeel } from './peels.js';
import { readAudit } from '../../../src/master/audit/read-audit.js';

let fleet: Fleet;
let dir: string;
let env: Record<string, string>;
beforeAll(async () => {
  fleet = await startFleet({ policy: 'manual', lifetime: 900 });
});
beforeEach(async () => {
  dir = await tempDir();
  env = { ZESTER_HOME: fleet.home.home, ZESTER_SERVERS: fleet.servers.join(','), XDG_STATE_HOME: dir };
});

const zester = (args: readonly string[], options: ZesterOptions = {}) => run(args, { env, ...options });

const creds = (id: string) => join(dir, `${id}.creds`);

async function add(...ids: string[]): Promise<void> {
  const { code, stderr } = await zester(['peel', 'add', ...ids, '--out', `${dir}/`]);
  expect(code, stderr).toBe(0);
}

function eventsIn(stdout: string): AuditEvent[] {
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as AuditEvent);
}

async function shown(...args: string[]): Promise<AuditEvent[]> {
  const { code, stdout, stderr } = await zester(['audit', ...args, '--json']);
  expect(code, stderr).toBe(0);
  return eventsIn(stdout);
}

describe('zester audit', () => {
  it('accepts patterns of IDs, kinds, and times', async () => {
    await add('pat-1', 'pat-2', 'other-1');
    await fleet.audited('key.issued', ({ peelId }) => peelId === 'other-1');
    const ids = (events: AuditEvent[]) => new Set(events.map(({ peelId }) => peelId));
    expect(ids(await shown('pat-*'))).toEqual(new Set(['pat-1', 'pat-2']));
    expect(ids(await shown('pat-1', 'other-?', '--kind', 'key.issued'))).toEqual(
      new Set(['pat-1', 'other-1']),
    );
    expect(await shown('pat-*', '--kind', 'key.*', '--last', '1')).toHaveLength(1);
    const afterKind = await shown('--kind', 'key.issued', 'pat-*');
    expect(ids(afterKind)).toEqual(new Set(['pat-1', 'pat-2']));
    expect(new Set(afterKind.map(({ kind }) => kind))).toEqual(new Set(['key.issued']));
    const kinds = (await shown('--kind', 'master.*')).map(({ kind }) => kind);
    expect(new Set(kinds)).toEqual(new Set(['master.started']));
    const all = await shown();
    const [first] = all;
    expect(await shown('--until', '1h')).toEqual([]);
    expect((await shown('--until', '0s')).length).toBeGreaterThanOrEqual(all.length);
    expect(await shown('--since', '1h', '--kind', 'master.started')).toContainEqual(first);
  });

  it.each([
    [['web-0[13]'], 'not a pattern of peel IDs'],
    [['--kind', 'key.made'], 'not a kind of event'],
    [['--follow', '--until', '1h'], '--until'],
    [['--until', 'tomorrow'], 'not a time'],
  ])('refuses %j at once', async (args, words) => {
    const { code, stderr } = await zester(['audit', ...args]);
    expect(code).toBe(2);
    expect(stderr).toContain(words);
  });

  it('shows the last 50 on a terminal, and all events in a pipe', async () => {
    await add(...Array.from({ length: 60 }, (_, i) => `long-${i}`));
    await fleet.audited('key.issued', ({ peelId }) => peelId === 'long-59');
    const lines = async (options: ZesterOptions, ...args: string[]) => {
      const { stdout } = await zester(['audit', 'long-*', ...args], options);
      return stdout.trimEnd().split('\n').length;
    };
    expect(await lines({ tty: true })).toBe(50);
    expect(await lines({ tty: true }, '--all')).toBe(60);
    expect(await lines({ tty: true }, '--since', '1h')).toBe(60);
    expect(await lines({})).toBe(60);
  });

  it('shows which key was accepted, and from which address', async () => {
    const token = join(dir, 'token.creds');
    expect((await zester(['join-token', 'create', '--out', token])).code).toBe(0);
    const servers = fleet.servers.join(',');
    const join1 = startZester(['peel', 'join', '--token', token, '--id', 'acc-1', '--out', creds('acc-1')], {
      ZESTER_SERVERS: servers,
    });
    const { keys } = await fleet.record('acc-1', ({ state }) => state === 'pending');
    expect((await zester(['peel', 'accept', 'acc-1'])).code).toBe(0);
    const event = await fleet.audited('peel.accepted', ({ peelId }) => peelId === 'acc-1');
    expect(event).toMatchObject({
      publicKey: keys[0]?.publicKey,
      from: expect.stringMatching(/^127\.0\.0\.1/),
    });
    expect((await join1.exited).code).toBe(0);
  });
});

describe('zester audit --follow', () => {
  it('shows each event written during an outage of its server and masters, once and in order', async () => {
    const own = await startFleet({ policy: 'manual', lifetime: 900 });
    const ownEnv = { ZESTER_HOME: own.home.home, ZESTER_SERVERS: own.servers.join(','), XDG_STATE_HOME: dir };
    const add = (id: string) => run(['peel', 'add', id, '--out', creds(id)], { env: ownEnv });
    expect((await add('before')).code).toBe(0);
    const following = startZester(['audit', '--follow', '--json'], ownEnv);
    const isShown = (id: string) => eventsIn(following.stdout()).some(({ peelId }) => peelId === id);
    await waitFor('the earlier event', () => isShown('before'));
    expect((await add('live')).code).toBe(0);
    await waitFor('the live event', () => isShown('live'));
    following.kill('SIGSTOP');
    // it misses everything: its connection ends, and a different master is running when it is back
    const [server] = own.home.nodes;
    await server?.stop();
    await server?.start();
    await own.master.stop();
    const second = await own.startMaster();
    expect((await add('missed')).code).toBe(0);
    following.kill('SIGCONT');
    await waitFor('the missed event', () => isShown('missed'), 40_000);
    expect((await add('after')).code).toBe(0);
    await waitFor('the next event', () => isShown('after'), 20_000);
    const stored: string[] = [];
    for await (const { id } of readAudit(contextOf(second).store)) stored.push(id);
    await waitFor('the last event', () => following.stdout().includes(stored.at(-1) ?? ''));
    const ids = eventsIn(following.stdout()).map(({ id }) => id);
    expect(ids.slice(0, stored.length)).toEqual(stored);
    expect(new Set(ids).size).toBe(ids.length);
    following.kill('SIGINT');
    expect((await following.exited).code).toBe(0);
  });
});

describe('a connected peel', () => {
  it('was last seen now, and shows the start of its connection', async () => {
    await add('seen-1');
    const peel = await TestPeel.start(fleet, creds('seen-1'));
    await waitFor(
      'it to be connected',
      () => (contextOf(fleet.master).presence.get('seen-1')?.connections.length ?? 0) > 0,
    );
    const { stdout } = await zester(['peel', 'list', 'seen-1']);
    expect(stdout).toMatch(/seen-1 +active +yes .* now +\S+$/m);
    const list = async () => {
      const answer = await zester(['peel', 'list', 'seen-1', '--json']);
      return (JSON.parse(answer.stdout) as { peels: PeelDocument[] }).peels[0];
    };
    const before = Date.now();
    const connected = await list();
    expect(connected).toMatchObject({ connected: true, connectedSince: expect.stringMatching(/Z$/) });
    expect(Date.parse(connected?.lastSeen ?? '')).toBeGreaterThanOrEqual(before);
    await peel.peel.drain();
    await waitFor(
      'it to be gone',
      () => contextOf(fleet.master).presence.get('seen-1')?.connections.length === 0,
    );
    expect(await list()).toMatchObject({ connected: false, connectedSince: null });
  });
});

describe('a peel that is refused', () => {
  it("logs the server's reason and the fix once, not at each attempt", async () => {
    await add('ref-1');
    const lines: string[] = [];
    const log = (_fields: object, message: string) => void lines.push(message);
    const logger = { info: log, warn: log };
    const peel = await TestPeel.start(fleet, creds('ref-1'), { logger, renew: false });
    const { publicKey } = peel.peel.credentials;
    const done = await zester(['revoke', '--key', publicKey, '--yes']);
    expect(done.code, done.stderr).toBe(0);
    await waitFor('the reason', () =>
      lines.some((line) => line.includes('the server refuses the connection')),
    );
    const attempts = watchDisconnects(peel);
    await waitFor('more attempts', () => attempts() >= 4, 20_000);
    const count = (words: string) => lines.filter((line) => line.includes(words)).length;
    expect(count('the server refuses the connection')).toBeLessThanOrEqual(2);
    expect(count('disconnected')).toBe(1);
    expect(lines.find((line) => line.includes('refuses'))).toMatch(
      /\(\"[A-Za-z ]+\"\): the credentials are revoked/,
    );
  });
});

/** Counts the disconnects of a peel from now on. */
function watchDisconnects({ peel }: TestPeel): () => number {
  let count = 0;
  void (async () => {
    for await (const { type } of peel.nc.status()) if (type === 'disconnect') count += 1;
  })();
  return () => count;
}
