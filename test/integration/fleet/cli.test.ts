import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { loadCredsFile } from '../../../src/creds/parse.js';
import type { InterruptSignal } from '../../../src/cli/terminal/io.js';
import { campaignPath } from '../../../src/cli/fleet/campaign.js';
import { fingerprint } from '../../../src/protocol/fingerprint.js';
import { generateKeyBundle } from '../../../src/nkeys/key-bundle.js';
import { zester as run, type ZesterOptions, type ZesterResult } from '../../cli/run-zester.js';
import { currentKey, type PeelRecord } from '../../../src/protocol/records/record.js';
import { isKnownChange } from '../../../src/protocol/records/audit-event.js';
import { contextOf } from '../../../src/master/context-of.js';
import { tempDir } from '../../support/temp-dir.js';
import { waitFor } from '../../support/wait-for.js';
import { startFleet, type Fleet } from './fleet.js';
import { TestPeel } from './peels.js';
import { SEED } from '../../support/refusal.js';

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

function zester(args: readonly string[], options: ZesterOptions = {}): Promise<ZesterResult> {
  return run(args, { ...options, env: { ...env, ...options.env } });
}

/** The JSON output of a command, which must succeed. */
async function json<T = Record<string, unknown>>(...args: string[]): Promise<T> {
  const { code, stdout, stderr } = await zester([...args, '--json']);
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout) as T;
}

const creds = (id: string) => join(dir, `${id}.creds`);

function connected({ master }: Fleet, id: string): boolean {
  return (contextOf(master).presence.get(id)?.connections.length ?? 0) > 0;
}

/** Adds peels like an operator, and runs them. */
async function running(...ids: string[]): Promise<TestPeel[]> {
  const { code, stderr } = await zester(['peel', 'add', ...ids, '--out', `${dir}/`]);
  expect(code, stderr).toBe(0);
  const peels = await Promise.all(ids.map((id) => TestPeel.start(fleet, creds(id))));
  for (const id of ids) {
    await fleet.record(id, ({ state }) => state === 'active');
    await waitFor('the master to see its connection', () => connected(fleet, id));
  }
  return peels;
}

describe('zester peel add', () => {
  it('generates a key here, has a master sign it, and writes a file that only its owner can read', async () => {
    const { code, stdout } = await zester(['peel', 'add', 'add-1', '--out', creds('add-1')]);
    expect(code).toBe(0);
    const { publicKey, claims } = await loadCredsFile(creds('add-1'));
    expect((await stat(creds('add-1'))).mode & 0o777).toBe(0o600);
    expect(stdout).toContain(fingerprint(publicKey));
    expect((claims.exp ?? 0) - claims.iat).toBe(900);
    expect((await fleet.record('add-1', () => true)).keys).toMatchObject([{ publicKey, state: 'issued' }]);
  });

  it('adds many at once, also from a list, and creates their directory', async () => {
    const list = join(dir, 'peels.csv');
    const ids = Array.from({ length: 40 }, (_, i) => `many-${i}`);
    await writeFile(list, `id,host\n${ids.map((id) => `${id},h`).join('\n')}\n`);
    const { peels } = await json<{ peels: { id: string; path: string }[] }>(
      'peel',
      'add',
      '--from',
      list,
      '--out',
      join(dir, 'new'),
      '--expiry',
      '1h',
    );
    expect(peels.map(({ id }) => id).sort()).toEqual([...ids].sort());
    for (const { path } of peels) expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(join(dir, 'new'))).mode & 0o777).toBe(0o700);
  });

  it('refuses a known ID (3), and continues with the others', async () => {
    await json('peel', 'add', 'known-1', '--out', `${dir}/a/`);
    const one = await zester(['peel', 'add', 'known-1', '--out', `${dir}/b/`]);
    expect(one.code).toBe(3);
    expect(one.stderr).toContain('[ERR_FLEET_ID_TAKEN]');
    const two = await zester(['peel', 'add', 'known-1', 'known-2', '--out', `${dir}/b/`, '--json']);
    expect(two.code).toBe(3);
    expect(JSON.parse(two.stdout)).toMatchObject({
      peels: [{ id: 'known-2' }, { id: 'known-1', error: { code: 'ERR_FLEET_ID_TAKEN' } }],
    });
    await expect(stat(join(dir, 'b', 'known-1.creds'))).rejects.toThrow();
  });

  it('--replace issues a new key for a known ID, and revokes the old one', async () => {
    const [peel] = await running('replace-1');
    const old = (await loadCredsFile(creds('replace-1'))).publicKey;
    const refused = await zester(['peel', 'add', 'replace-1', '--out', creds('replace-1')]);
    expect(refused.stderr).toContain('already exists');
    await json('peel', 'add', 'replace-1', '--out', creds('replace-1'), '--replace');
    const now = (await loadCredsFile(creds('replace-1'))).publicKey;
    expect(now).not.toBe(old);
    await peel?.event('rotated');
    await fleet.record('replace-1', ({ keys }) =>
      keys.some(({ publicKey, state }) => publicKey === old && state === 'revoked'),
    );
  });

  it('--offline needs no server, and the masters learn about the peel when it connects', async () => {
    const { code } = await zester(['peel', 'add', 'offline-1', '--offline', '--out', creds('offline-1')], {
      env: { ZESTER_SERVERS: 'nats://127.0.0.1:1' },
    });
    expect(code).toBe(0);
    const { claims } = await loadCredsFile(creds('offline-1'));
    expect((claims.exp ?? 0) - claims.iat).toBe(86_400);
    await TestPeel.start(fleet, creds('offline-1'));
    const record = await fleet.record('offline-1', () => true);
    expect(record).toMatchObject({ state: 'pending', keys: [{ publicKey: claims.sub, state: 'live' }] });
  });

  it.each([
    [[], /no peels given/],
    [['a', '--from', 'x.txt'], /no peels given/],
    [['a', 'a'], /an ID was given twice/],
    [['a.b'], /peel id/],
    [['../a'], /peel id/],
    [['a', 'b', '--run'], /--run needs exactly one ID/],
    [['a', '--expiry', 'soon'], /not a lifetime/],
  ])('%j is wrong usage', async (args, message) => {
    const { code, stderr } = await zester(['peel', 'add', ...args]);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
  });

  it('names the invalid line of a list, and adds no peel', async () => {
    const list = join(dir, 'peels.txt');
    await writeFile(list, 'list-1\nno.good\n');
    const { code, stderr } = await zester(['peel', 'add', '--from', list, '--out', dir]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/line 2 of .*no\.good/);
    expect(contextOf(fleet.master).registry.get('list-1')).toBeUndefined();
  });

  it('reports a file that cannot be written, and how to continue', async () => {
    await mkdir(creds('nowhere'));
    const { code, stderr } = await zester(['peel', 'add', 'nowhere', '--out', `${dir}/`]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/"nowhere" was issued, but not all of its files were written .* --replace/);
    await rm(creds('nowhere'), { recursive: true });
    await json('peel', 'add', 'nowhere', '--out', `${dir}/`, '--replace');
  });

  it('writes the file of every peel that a master has issued, and reports each, when one cannot be written', async () => {
    const ids = Array.from({ length: 60 }, (_, i) => `crowd-${String(i).padStart(2, '0')}`);
    const list = join(dir, 'peels.txt');
    const out = join(dir, 'out');
    await writeFile(list, ids.join('\n'));
    await mkdir(join(out, 'crowd-05.creds.recovery'), { recursive: true });
    const { code, stdout, stderr } = await zester(['peel', 'add', '--from', list, '--out', out, '--json']);

    expect(code).toBe(1);
    const { peels, remaining } = JSON.parse(stdout) as {
      peels: { id: string; publicKey?: string; error?: { code: string; message: string } }[];
      remaining: string[];
    };
    const failed = peels.filter(({ error }) => error !== undefined);
    expect(failed).toMatchObject([{ id: 'crowd-05', error: { code: 'ERR_FLEET_INCOMPLETE' } }]);
    expect(failed[0]?.error?.message).toMatch(
      /was issued, but not all .*crowd-05\.creds\.recovery.* --replace/,
    );
    expect(stderr).toMatch(/^zester: warning: crowd-05: "crowd-05" was issued/m);
    expect(stderr).toContain(`stopped: ${remaining.length} of 60 remain`);

    const { registry } = contextOf(fleet.master);
    const issued = ids.filter((id) => registry.get(id) !== undefined);
    expect(issued.length).toBeLessThan(60);
    expect(peels.map(({ id }) => id).sort()).toEqual(issued);
    expect([...issued, ...remaining].sort()).toEqual(ids);
    for (const { id, publicKey } of peels) {
      const file = await loadCredsFile(join(out, `${id}.creds`));
      expect(currentKey(registry.get(id) as PeelRecord)?.publicKey).toBe(file.publicKey);
      if (publicKey !== undefined) expect(publicKey).toBe(file.publicKey);
    }
  });

  it('names in text mode what was added and what was not', async () => {
    await mkdir(join(dir, 'text-1.creds'));
    const { code, stdout, stderr } = await zester(['peel', 'add', 'text-1', 'text-2', '--out', `${dir}/`]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^text-2 +.*text-2\.creds/m);
    expect(stderr).toMatch(/"text-1" was issued, but not all of its files were written .* --replace/);
  });
});

describe('a pending peel', () => {
  /** A peel with a valid credential that no master issued. */
  async function waiting(id: string): Promise<TestPeel> {
    await zester(['peel', 'add', id, '--offline', '--out', `${dir}/`]);
    const peel = await TestPeel.start(fleet, creds(id));
    await fleet.record(id, ({ state }) => state === 'pending');
    return peel;
  }

  it('is listed with the fingerprint of its key, and accepted by it', async () => {
    await waiting('wait-1');
    const print = fingerprint((await loadCredsFile(creds('wait-1'))).publicKey);
    const line = new RegExp(`^wait-1 +pending +yes .* ${print}$`, 'm');
    await waitFor('the connection to be listed', async () =>
      line.test((await zester(['peel', 'list', 'wait-*', '--state', 'pending'])).stdout),
    );
    const wrong = await zester(['peel', 'accept', 'wait-1', '--fingerprint', '0000-0000-0000-0000-0000']);
    expect(wrong.code).toBe(3);
    expect(wrong.stderr).toContain(`has the fingerprint ${print}`);
    const { code, stdout } = await zester(['peel', 'accept', 'wait-1', '--fingerprint', print]);
    expect(code).toBe(0);
    expect(stdout).toBe(`accepted wait-1: active, key ${print}\n`);
  });

  it('stops when an admin rejects it', async () => {
    const peel = await waiting('wait-2');
    const unasked = await zester(['peel', 'reject', 'wait-2']);
    expect(unasked.code).toBe(2);
    expect(unasked.stderr).toContain('pass --yes to confirm');
    const { code, stdout } = await zester(['peel', 'reject', 'wait-2', '--reason', 'not ours', '--yes']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^rejected wait-2: rejected, key /);
    expect(await peel.peel.closed).toMatchObject({ reason: 'ended' });
  });

  it('reports an unknown ID (3), and accepts the others', async () => {
    await waiting('wait-3');
    const { code, stderr } = await zester(['peel', 'accept', 'no-such-peel', 'wait-3']);
    expect(code).toBe(3);
    expect(stderr).toContain('[ERR_FLEET_UNKNOWN_PEEL]');
    await fleet.record('wait-3', ({ state }) => state === 'active');
  });
});

describe('zester peel list and show', () => {
  it('list the requested peels, as one document with stable keys', async () => {
    await running('look-1');
    await json('peel', 'add', 'look-2', '--out', `${dir}/`, '--expiry', '2m');
    const ids = async (...args: string[]) =>
      (await json<{ peels: { id: string }[] }>('peel', 'list', 'look-*', ...args)).peels.map(({ id }) => id);
    expect(await ids()).toEqual(['look-1', 'look-2']);
    expect(await ids('--connected')).toEqual(['look-1']);
    expect(await ids('--no-connected')).toEqual(['look-2']);
    expect(await ids('--state', 'active')).toEqual(['look-1']);
    expect(await ids('--expiring', '5m')).toEqual(['look-2']);
    const { peels } = await json<{ peels: object[] }>('peel', 'list', 'look-1');
    expect(Object.keys(peels[0] ?? {}).sort()).toEqual([
      'connected',
      'connectedSince',
      'createdAt',
      'decided',
      'expiresAt',
      'fingerprint',
      'id',
      'issuedAt',
      'keyState',
      'labels',
      'lastSeen',
      'origin',
      'publicKey',
      'recoveries',
      'rotationAskedAt',
      'state',
      'updatedAt',
    ]);
    expect((await zester(['peel', 'list', 'nothing-*'])).stdout).toBe('no peel matches nothing-*\n');
  });

  it('show a peel with its keys, where it is connected, and its last events', async () => {
    await running('look-3');
    const { publicKey } = await loadCredsFile(creds('look-3'));
    await waitFor(
      'the connection to be listed',
      async () => (await json<{ connected: boolean }>('peel', 'show', 'look-3')).connected,
    );
    const shown = await json('peel', 'show', 'look-3');
    expect(shown).toMatchObject({
      id: 'look-3',
      state: 'active',
      keys: [{ publicKey, state: 'live' }],
      connections: [{ publicKey, host: '127.0.0.1' }],
    });
    const kinds = (shown['events'] as { kind: string }[]).map(({ kind }) => kind);
    expect(kinds[0]).toBe('key.issued');
    expect(kinds).toContain('key.connected');
    const { stdout } = await zester(['peel', 'show', 'look-3']);
    expect(stdout).toMatch(/^look-3: active\n/);
    expect(stdout).toContain('connected    from 127.0.0.1');
    const unknown = await zester(['peel', 'show', 'no-such-peel']);
    expect(unknown.code).toBe(3);
  });
});

describe('zester ping and zester peel exec', () => {
  it('reach the matching peels, and print each answer', async () => {
    const [, two] = await running('cmd-1', 'cmd-2');
    two?.peel.handle('disk.free', ([path]) => ({ path, free: 7 }));
    two?.peel.handle('fails', () => {
      throw new Error('no disk');
    });
    const ping = await zester(['ping', 'cmd-*']);
    expect(ping.code).toBe(0);
    expect(ping.stdout).toMatch(/^ok +cmd-1: [\d.]+ ms\nok +cmd-2: [\d.]+ ms\n$/);
    expect(await json('peel', 'exec', 'cmd-2', 'disk.free', '/var')).toMatchObject({
      peels: [{ id: 'cmd-2', ok: true, result: { path: '/var', free: 7 } }],
      answered: 1,
      failed: 0,
    });
    const some = await zester(['peel', 'exec', 'cmd-*', 'disk.free', '/']);
    expect(some.code).toBe(1);
    expect(some.stdout).toMatch(/failed +cmd-1: .*\[ERR_FLEET_NO_HANDLER\]/);
    expect(some.stdout).toMatch(/ok +cmd-2: {"path":"\/","free":7}/);
    const failing = await zester(['peel', 'exec', 'cmd-2', 'fails']);
    expect(failing.code).toBe(1);
    expect(failing.stdout).toContain('no disk [ERR_FLEET_HANDLER]');
    expect((await zester(['peel', 'exec', 'cmd-2', 'rm -rf /'])).code).toBe(2);
  });

  it('exit with 4 if no peel could be reached, and with 3 if no accepted peel matches', async () => {
    await json('peel', 'add', 'gone-1', '--out', `${dir}/`);
    const gone = await zester(['ping', 'gone-*', '--json']);
    expect(gone.code).toBe(4);
    expect(JSON.parse(gone.stdout)).toMatchObject({
      peels: [{ id: 'gone-1', ok: false, error: { code: 'ERR_FLEET_NOT_CONNECTED' } }],
    });
    const none = await zester(['ping', 'no-such-*']);
    expect(none.code).toBe(3);
    expect(none.stderr).toContain('no peel matches "no-such-*"');
  });

  it('name the peels that did not answer in time', async () => {
    const [slow] = await running('slow-1');
    slow?.peel.handle(
      'hang',
      (_args, { signal }) => new Promise((resolve) => signal.addEventListener('abort', () => resolve(null))),
    );
    const { code, stdout } = await zester(['peel', 'exec', 'slow-1', 'hang', '--timeout', '300ms']);
    expect(code).toBe(4);
    expect(stdout).toContain('slow-1: it did not answer within 0.3 s [ERR_FLEET_TIMEOUT]');
  });

  it('--wait waits for a peel that is just being started', async () => {
    const waiting = zester(['ping', 'soon-1', '--wait', '15s']);
    await running('soon-1');
    expect((await waiting).code).toBe(0);
  });
});

describe('zester peel rotate', () => {
  it('makes a peel replace its key, and waits until the new one is in use', async () => {
    const [peel] = await running('rot-1');
    const old = peel?.peel.credentials.publicKey;
    const { code, stdout } = await zester(['peel', 'rotate', 'rot-1', '--wait']);
    expect(code).toBe(0);
    expect(stdout).toBe('rot-1 has a new key\n');
    expect((await loadCredsFile(creds('rot-1'))).publicKey).not.toBe(old);
  });

  it('notifies a disconnected peel when it next renews', async () => {
    await json('peel', 'add', 'rot-2', '--out', `${dir}/`);
    expect(await json('peel', 'rotate', 'rot-2', '--wait')).toMatchObject({ rotated: [], asked: ['rot-2'] });
  });

  it('--all: at most --limit peels rotate at once; interrupted, it resumes where it was', async () => {
    const own = await startFleet({ lifetime: 900 });
    env = { ...env, ZESTER_HOME: own.home.home, ZESTER_SERVERS: own.servers.join(',') };
    // rotated last; a file of names must keep this one, too
    const ids = [...Array.from({ length: 7 }, (_, i) => `all-${i}`), 'constructor'];
    await json('peel', 'add', ...ids, '--out', `${dir}/`);
    for (const id of ids) await TestPeel.start(own, creds(id));
    const keys = new Map<string, string>();
    for (const id of ids) {
      const record = await own.record(id, ({ state }) => state === 'active');
      keys.set(id, record.keys[0]?.publicKey ?? '');
      await waitFor('the master to see its connection', () => connected(own, id));
    }
    let underWay = 0;
    let most = 0;
    let done = 0;
    let interrupt: ((signal: InterruptSignal) => void) | undefined;
    contextOf(own.master).registry.onChange((_record, event) => {
      if (!isKnownChange(event)) return;
      if (event.kind === 'rotation.asked') most = Math.max(most, (underWay += 1));
      if (event.kind !== 'key.connected' || event.publicKey === keys.get(event.peelId)) return;
      underWay -= 1;
      if ((done += 1) === 3) interrupt?.('SIGINT');
    });
    const rotate = (...more: string[]) =>
      zester(['peel', 'rotate', '--all', '--limit', '2', '--wait', '--json', ...more], {
        onListening: (by) => (interrupt = by),
      });
    const first = await rotate();
    expect(first.code).toBe(130);
    expect(first.stderr).toContain('run the same command again to resume');
    const { rotated } = JSON.parse(first.stdout) as { rotated: string[] };
    expect(rotated.length).toBeGreaterThanOrEqual(1);
    expect(rotated.length).toBeLessThan(8);
    interrupt = undefined;
    const second = await rotate();
    expect(second.code).toBe(0);
    expect(second.stderr).toContain('resuming the rotation of');
    expect(most).toBeLessThanOrEqual(2);
    // each has one new key: none was rotated twice
    for (const id of ids) {
      const { keys: held } = await own.record(id, () => true);
      const history = JSON.stringify(await own.audit(id));
      expect(
        held.map(({ publicKey }) => publicKey),
        history,
      ).toHaveLength(2);
      expect(held.at(-1), history).toMatchObject({ state: 'live' });
    }
    const { path } = campaignPath((await own.home.domain()).publicKeys.account, { env });
    await expect(readFile(path)).rejects.toThrow(/ENOENT/);
  });

  it.each([[[]], [['a', '--all']], [['a', '--restart']], [['--all', '--limit', '0']]])(
    '%j is wrong usage',
    async (args) => expect((await zester(['peel', 'rotate', ...args])).code).toBe(2),
  );
});

describe('zester peel revoke', () => {
  it('is done when every server refuses the keys, and the peel has ended', async () => {
    const [peel] = await running('rev-1');
    const { publicKey } = await loadCredsFile(creds('rev-1'));
    expect((await zester(['peel', 'revoke', 'rev-1'])).code).toBe(2);
    const revoked = await json('peel', 'revoke', 'rev-1', '--reason', 'stolen', '--yes');
    expect(revoked).toMatchObject({ id: 'rev-1', state: 'revoked', revoked: [publicKey] });
    const closed = await peel?.peel.closed;
    expect(closed?.reason).toBe('ended');
    const { revocations } = await json<{ revocations: { publicKey: string }[] }>('revocations', 'list');
    expect(revocations.map((entry) => entry.publicKey)).toContain(publicKey);
  });

  it("of one key leaves the peel's other keys valid", async () => {
    const [peel] = await running('rev-2');
    const old = (await loadCredsFile(creds('rev-2'))).publicKey;
    await zester(['peel', 'rotate', 'rev-2', '--wait']);
    const { code, stderr } = await zester(['peel', 'revoke', 'rev-2', '--key', old, '--yes']);
    expect(code, stderr).toBe(0);
    // the connection with the old key may have been cut before it had moved everything
    expect((await zester(['ping', 'rev-2', '--wait', '10s'])).code).toBe(0);
    expect(peel?.of('ended')).toEqual([]);
  });

  it('exits with 3 for an unknown ID', async () => {
    expect((await zester(['peel', 'revoke', 'no-such-peel', '--yes'])).code).toBe(3);
  });
});

describe('zester join-token', () => {
  it('creates, lists and removes a token', async () => {
    const path = join(dir, 'web.join.creds');
    const made = await json<{ id: string }>(
      'join-token',
      'create',
      '--ttl',
      '1h',
      '--uses',
      '10',
      '--ids',
      'web-*',
      '--out',
      path,
    );
    expect(made).toMatchObject({ path, state: 'open', uses: 10, used: 0, ids: 'web-*' });
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await loadCredsFile(path)).claims.name).toBe(`_zester-join-${made.id}`);
    const { stdout } = await zester(['join-token', 'list']);
    expect(stdout).toMatch(new RegExp(`^${made.id} +open +0/10 +web-\\*`, 'm'));
    await json('join-token', 'remove', made.id);
    const { tokens } = await json<{ tokens: { id: string; state: string }[] }>('join-token', 'list');
    expect(tokens.find(({ id }) => id === made.id)).toMatchObject({ state: 'removed' });
    expect((await zester(['join-token', 'remove', 'nosuchtoken'])).code).toBe(3);
  });

  it('is written into a pipe, and never to a terminal', async () => {
    const refused = await zester(['join-token', 'create', '--out', '-'], { tty: true });
    expect(refused.code).toBe(2);
    expect(refused.stdout + refused.stderr).not.toMatch(SEED);
    const path = join(dir, 'token.creds');
    await writeFile(path, (await zester(['join-token', 'create', '--out', '-'])).stdout, { mode: 0o600 });
    expect((await loadCredsFile(path)).claims.name).toMatch(/^_zester-join-/);
  });

  it('prints no seed', async () => {
    const { stdout, stderr } = await zester(['join-token', 'create', '--out', join(dir, 't.creds')]);
    expect(stdout + stderr).not.toMatch(SEED);
  });
});

describe('zester audit', () => {
  it('shows the events of a peel, oldest first, one per line with --json', async () => {
    await running('aud-1');
    await fleet.audited('key.connected', ({ peelId }) => peelId === 'aud-1');
    const { stdout } = await zester(['audit', '--peel', 'aud-1', '--json']);
    const events = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(events[0]).toMatchObject({ kind: 'key.issued', by: { kind: 'admin' } });
    expect(events).toContainEqual(
      expect.objectContaining({ kind: 'key.connected', by: expect.objectContaining({ kind: 'master' }) }),
    );
    const last = await zester(['audit', '--peel', 'aud-1', '--last', '1']);
    expect(last.stdout).toMatch(/^\S+Z +aud-1 +key\.\S+ +/);
    expect(last.stdout.trimEnd()).not.toContain('\n');
  });

  it('--follow shows past and new events, each once', async () => {
    await running('aud-2');
    let stop: ((signal: InterruptSignal) => void) | undefined;
    const following = zester(['audit', '--follow', '--peel', 'aud-2', '--json'], {
      onListening: (by) => (stop = by),
    });
    await waitFor('it to listen', () => stop !== undefined);
    await json('peel', 'revoke', 'aud-2', '--yes');
    await fleet.audited('key.revoked', ({ peelId }) => peelId === 'aud-2');
    const all = await fleet.audit('aud-2');
    stop?.('SIGINT');
    const { code, stdout } = await following;
    expect(code).toBe(0);
    const ids = stdout
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { id: string }).id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.sort()).toEqual(all.map(({ id }) => id).sort());
  });
});

describe('without its prerequisites', () => {
  it('a command reports that no server is reachable, and exits with 4', async () => {
    const { code, stderr } = await zester(['peel', 'list', '--servers', 'nats://127.0.0.1:1']);
    expect(code).toBe(4);
    expect(stderr).toContain('[ERR_CONNECT_UNREACHABLE]');
  });

  it('a command reports that no master is running, and exits with 4', async () => {
    const { startHome } = await import('../trust/support.js');
    const home = await startHome();
    const { code, stderr } = await zester(['peel', 'list'], {
      env: { ZESTER_HOME: home.home, ZESTER_SERVERS: home.servers.join(',') },
    });
    expect(code).toBe(4);
    expect(stderr).toMatch(/no master is connected .*zester master.*\[ERR_FLEET_NO_MASTER\]/);
  });

  it('refuses a peel’s credentials for an admin’s request (3)', async () => {
    await json('peel', 'add', 'sly-1', '--out', `${dir}/`);
    const { code, stderr } = await zester(['peel', 'accept', 'sly-1', '--creds', creds('sly-1')]);
    expect(code, stderr).toBe(3);
    expect(stderr).toContain('[ERR_FLEET_DENIED]');
  });

  it('an admin needs no home, with credentials and servers', async () => {
    const admin = (await fleet.home.domain()).paths.adminCreds;
    const { code, stderr } = await run(['peel', 'list', '--creds', admin], {
      env: { ZESTER_HOME: join(dir, 'none'), ZESTER_SERVERS: fleet.servers.join(',') },
    });
    expect(code, stderr).toBe(0);
  });
});

it('no output of these commands contains a seed', async () => {
  const key = generateKeyBundle('user');
  const seed = Buffer.from(key.seed).toString();
  for (const args of [
    ['peel', 'show', seed],
    ['ping', seed],
    ['audit', '--peel', seed],
    ['peel', 'revoke', 'x', '--key', seed, '--yes'],
  ]) {
    const { stdout, stderr } = await zester(args);
    expect(stdout + stderr, args.join(' ')).not.toContain(seed);
  }
});
