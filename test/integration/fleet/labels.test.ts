import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { contextOf } from '../../../src/master/context-of.js';
import { generateKeyBundle } from '../../../src/nkeys/key-bundle.js';
import type { AdminClient } from '../../../src/protocol/admin-client.js';
import { zester, type ZesterResult } from '../../cli/run-zester.js';
import { refusal } from '../../support/refusal.js';
import { tempDir } from '../../support/temp-dir.js';
import { createToken } from './asking.js';
import { startFleet, type Fleet } from './fleet.js';
import { addCreds, TestPeel } from './peels.js';

let fleet: Fleet;
let admin: AdminClient;
let dir: string;
beforeAll(async () => {
  fleet = await startFleet({ policy: 'manual', lifetime: 900 });
  admin = await fleet.admin();
  dir = await tempDir();
});

function run(...args: string[]): Promise<ZesterResult> {
  const env = { ZESTER_HOME: fleet.home.home, ZESTER_SERVERS: fleet.servers.join(','), XDG_STATE_HOME: dir };
  return zester(args, { env });
}

async function json<T>(...args: string[]): Promise<T> {
  const { code, stdout, stderr } = await run(...args, '--json');
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout) as T;
}

const labelsOf = (id: string) => contextOf(fleet.master).registry.get(id)?.labels;

async function listed(...args: string[]): Promise<string[]> {
  return (await json<{ peels: { id: string }[] }>('peel', 'list', ...args)).peels.map(({ id }) => id);
}

describe('labels', () => {
  it('come with "peel add", and select peels in lists, for the command and the library', async () => {
    await json(
      'peel',
      'add',
      'add-1',
      '--out',
      join(dir, 'add-1.creds'),
      '--label',
      'env=prod',
      '--label',
      'zone=a',
    );
    await json('peel', 'add', 'add-2', '--out', join(dir, 'add-2.creds'), '--label', 'env=dev');
    await json('peel', 'add', 'add-3', '--out', join(dir, 'add-3.creds'));
    expect(labelsOf('add-1')).toEqual({ env: 'prod', zone: 'a' });
    expect(await listed('add-*', '-l', 'env=prod')).toEqual(['add-1']);
    expect(await listed('add-*', '-l', 'env!=prod')).toEqual(['add-2', 'add-3']);
    expect(await listed('add-*', '-l', 'env in (prod,dev),!zone')).toEqual(['add-2']);
    expect((await run('peel', 'list', 'add-*', '-l', 'env')).stdout).toMatch(/LABELS[^]*env=prod,zone=a/);
    expect((await run('peel', 'show', 'add-1')).stdout).toMatch(/labels +env=prod,zone=a/);
    const [issued] = (await fleet.audit('add-1')).filter(({ kind }) => kind === 'key.issued');
    expect(issued).toMatchObject({ labels: { env: 'prod', zone: 'a' } });
  });

  it('are changed by an admin, audited, and never by a peel', async () => {
    const creds = await addCreds(fleet, admin, 'own-1', { labels: { env: 'prod', tier: 'db' } });
    const { peel } = await TestPeel.start(fleet, creds);
    expect((await run('peel', 'label', 'own-1', 'env=dev', 'tier-', '--reason', 'moved')).stdout).toBe(
      'labelled own-1: env=dev\n',
    );
    // a repetition changes nothing, and causes no event
    await json('peel', 'label', 'own-1', 'env=dev', 'tier-');
    const changes = (await fleet.audit('own-1')).filter(({ kind }) => kind === 'peel.labelled');
    expect(changes).toMatchObject([
      { set: { env: 'dev' }, remove: ['tier'], reason: 'moved', by: { kind: 'admin' } },
    ]);
    expect((await run('audit', 'own-1', '--kind', 'peel.labelled')).stdout).toContain('labels env=dev,tier-');
    await peel.rotate();
    expect(labelsOf('own-1')).toEqual({ env: 'dev' });
    await refusal('ERR_FLEET_UNKNOWN_PEEL', () =>
      admin.ask('peel.label', { peelId: 'nobody', set: { a: 'b' } }),
    );
  });

  it("come from a join token, once: an admin's later changes stay, and the host's own labels do not count", async () => {
    const token = await createToken(admin, fleet, { labels: { env: 'prod', zone: 'a' } });
    const key = generateKeyBundle('user');
    const challenge = await token.challenge('join-1', key);
    const request = { ...token.joinRequest('join-1', key, challenge), labels: { env: 'chosen', own: 'x' } };
    expect(await token.send(request)).toMatchObject({ state: 'pending' });
    expect(labelsOf('join-1')).toEqual({ env: 'prod', zone: 'a' });
    expect(await listed('-l', 'zone=a', '--state', 'pending')).toEqual(['join-1']);
    await json('peel', 'accept', 'join-1', '--label', 'env=dev', '--label', 'rack=7');
    await token.joined('join-1', key);
    expect(labelsOf('join-1')).toEqual({ env: 'dev', rack: '7', zone: 'a' });
    const again = await run('peel', 'accept', 'join-1', '--label', 'env=other');
    expect(again).toMatchObject({ code: 3, stderr: expect.stringContaining('zester peel label') as string });
    const created = (await fleet.audit()).find(
      ({ kind, detail }) => kind === 'token.created' && detail?.['token'] === token.tokenId,
    );
    expect(created?.detail).toMatchObject({ labels: 'env=prod,zone=a' });
  });

  it('of a returning ID are replaced neither by a join token nor by an approver', async () => {
    await addCreds(fleet, admin, 'back-1', { labels: { env: 'prod' } });
    await admin.ask('peel.revoke', { peelId: 'back-1' });
    const token = await createToken(admin, fleet, { labels: { env: 'dev', zone: 'a' } });
    expect(await token.join('back-1', generateKeyBundle('user'))).toMatchObject({ state: 'pending' });
    expect(labelsOf('back-1')).toEqual({ env: 'prod', zone: 'a' });
    const creds = join(dir, 'approver.creds');
    await json('admin', 'add', 'ann', '--role', 'approver', '--out', creds);
    const denied = await run('peel', 'accept', 'back-1', '--label', 'env=dev', '--creds', creds);
    expect(denied).toMatchObject({ code: 3, stderr: expect.stringContaining('ERR_FLEET_DENIED') as string });
    await json('peel', 'accept', 'back-1', '--label', 'rack=7', '--creds', creds);
    expect(labelsOf('back-1')).toEqual({ env: 'prod', rack: '7', zone: 'a' });
    const relabel = await run('peel', 'label', 'back-1', 'env=dev', '--creds', creds);
    expect(relabel).toMatchObject({ code: 3, stderr: expect.stringContaining('ERR_FLEET_DENIED') as string });
  });

  it('come with "join-token create"', async () => {
    const out = join(dir, 'token.creds');
    const made = await json<{ id: string; labels: object }>(
      'join-token',
      'create',
      '--label',
      'env=lab',
      '--out',
      out,
    );
    expect(made.labels).toEqual({ env: 'lab' });
    expect(await readFile(out, 'utf8')).toContain('BEGIN NATS USER JWT');
    expect((await run('join-token', 'list')).stdout).toMatch(/LABELS[^]*env=lab/);
  });

  it('select the peels of "ping", "exec" and "rotate"', async () => {
    for (const id of ['call-1', 'call-2'])
      await TestPeel.start(fleet, await addCreds(fleet, admin, id, { labels: { app: 'call', n: id } }));
    await addCreds(fleet, admin, 'call-3', { labels: { app: 'other' } });
    await fleet.record('call-2', ({ state }) => state === 'active');
    const pinged = await json<{ peels: { id: string }[] }>('ping', '-l', 'app=call', '--wait', '20s');
    expect(pinged.peels.map(({ id }) => id)).toEqual(['call-1', 'call-2']);
    const called = await json<{ peels: { id: string }[] }>(
      'peel',
      'exec',
      '-l',
      'app=call,n!=call-1',
      'facts',
    );
    expect(called.peels.map(({ id }) => id)).toEqual(['call-2']);
    const both = await json<{ peels: { id: string }[] }>('peel', 'exec', '*-1', 'facts', '-l', 'app=call');
    expect(both.peels.map(({ id }) => id)).toEqual(['call-1']);
    const rotated = await json<{ rotated: string[] }>('peel', 'rotate', '-l', 'n=call-2', '--wait');
    expect(rotated.rotated).toEqual(['call-2']);
    const none = await run('ping', '-l', 'app=nothing');
    expect(none).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('the labels "app=nothing"') as string,
    });
  });

  it('select the peels that "revoke" locks out, after a confirmation that names them', async () => {
    for (const id of ['gone-1', 'gone-2', 'gone-3'])
      await addCreds(fleet, admin, id, { labels: { lab: id === 'gone-3' ? 'no' : 'yes' } });
    const asked = await run('peel', 'revoke', '-l', 'lab=yes');
    expect(asked).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('2 peels: gone-1, gone-2') as string,
    });
    const { peels } = await json<{ peels: object[] }>(
      'peel',
      'revoke',
      '-l',
      'lab=yes',
      '--yes',
      '--reason',
      'closed',
    );
    expect(peels).toMatchObject([
      { id: 'gone-1', state: 'revoked' },
      { id: 'gone-2', state: 'revoked' },
    ]);
    expect(contextOf(fleet.master).registry.get('gone-3')?.state).toBe('accepted');
    expect(await run('peel', 'revoke', '-l', 'lab=yes', '--yes')).toMatchObject({ code: 3 });
  });

  it('are changed for many at once, by labels or by a pattern', async () => {
    for (const id of ['bulk-1', 'bulk-2', 'bulk-3'])
      await addCreds(fleet, admin, id, { labels: { rack: '1' } });
    await json('peel', 'label', 'bulk-*', 'room=a');
    await json('peel', 'label', '-l', 'room=a', 'rack=2', 'room-');
    await json('peel', 'label', 'bulk-1', 'bulk-2', 'row=x');
    expect(['bulk-1', 'bulk-2', 'bulk-3'].map(labelsOf)).toEqual([
      { rack: '2', row: 'x' },
      { rack: '2', row: 'x' },
      { rack: '2' },
    ]);
  });

  it('come from a list and from --label; if both set a name, the list wins', async () => {
    const lists = {
      'list.csv': 'id,labels\nlist-1,"env=prod,tier=db"\nlist-2,env=prod zone=eu-1\nlist-3,\n',
      'list.ndjson':
        '{"id":"list-4","labels":{"env":"prod"}}\n{"id":"list-5","labels":"tier=web"}\n"list-6"\n',
    };
    for (const [name, text] of Object.entries(lists)) {
      await writeFile(join(dir, name), text);
      const given = ['peel', 'add', '--from', join(dir, name), '--out', join(dir, 'lists')];
      expect(await run(...given, '--offline')).toMatchObject({ code: 2 });
      await json(...given, '--label', 'env=test');
    }
    expect([1, 2, 3, 4, 5, 6].map((i) => labelsOf(`list-${i}`))).toEqual([
      { env: 'prod', tier: 'db' },
      { env: 'prod', zone: 'eu-1' },
      { env: 'test' },
      { env: 'prod' },
      { env: 'test', tier: 'web' },
      { env: 'test' },
    ]);
    // the output of "peel list" can be used as input
    const { stdout } = await run('peel', 'list', 'list-*', '-o', 'csv', '--columns', 'id,labels');
    await writeFile(join(dir, 'again.csv'), stdout.replaceAll('list-', 'again-'));
    await json('peel', 'add', '--from', join(dir, 'again.csv'), '--out', join(dir, 'again'));
    expect(labelsOf('again-1')).toEqual({ env: 'prod', tier: 'db' });
    await writeFile(join(dir, 'bad.csv'), 'id,labels\nlist-7,env=prod\nlist-8,=x\n');
    const bad = await run('peel', 'add', '--from', join(dir, 'bad.csv'), '--out', join(dir, 'bad'));
    expect(bad).toMatchObject({ code: 2, stderr: expect.stringContaining('line 3 of') as string });
    expect(labelsOf('list-7')).toBeUndefined();
  });

  it('stay when permissions are migrated, and with each new key and JWT', async () => {
    const path = await addCreds(fleet, admin, 'keep-1', { labels: { env: 'prod' } });
    await fleet.home.letsIn(path, 'keep-1', fleet.servers[0] ?? '');
    expect(await run('permissions', 'migrate', '--yes')).toMatchObject({ code: 0 });
    const peel = await TestPeel.start(fleet, path);
    await peel.peel.rotate();
    await fleet.record('keep-1', ({ keys }) => keys.length === 2);
    await json('peel', 'add', 'keep-1', '--replace', '--out', join(dir, 'keep-1.creds'));
    expect(labelsOf('keep-1')).toEqual({ env: 'prod' });
  });

  it.each([
    [['peel', 'list', '-l', 'a b']],
    [['peel', 'list', '-l', '']],
    [['peel', 'revoke', '-l', '', '--yes']],
    [['peel', 'revoke', 'web-1', '-l', 'a=b', '--yes']],
    [['peel', 'revoke', '--yes']],
    [['peel', 'rotate', '--all', '-l', 'a=b']],
    [['peel', 'label', 'web-1']],
    [['peel', 'label', 'env=prod']],
    [['peel', 'label', 'web-1', 'a=b', 'web-2']],
    [['peel', 'label', '-l', 'a=b', 'web-1', 'a=c']],
    [['peel', 'add', 'web-1', '--label', 'env']],
    [['peel', 'add', 'web-1', '--label', 'env=prod', '--offline']],
    [['peel', 'exec', '-l', 'a=b', 'web-*']],
    [['ping']],
  ])('are refused as a usage error in %j', async (args) => {
    expect(await run(...args)).toMatchObject({ code: 2 });
  });
});
