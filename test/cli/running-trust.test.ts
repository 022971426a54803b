import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startHome, startHomeCluster } from '../integration/trust/support.js';
import { zester, type ZesterResult } from './run-zester.js';
import { SEED } from '../support/refusal.js';

/** Runs a command with a home and its servers, set in the environment. */
function on(fleet: { home: string; servers: string[] }) {
  const env = { ZESTER_HOME: fleet.home, ZESTER_SERVERS: fleet.servers.join(',') };
  return (...args: string[]): Promise<ZesterResult> => zester(args, { env });
}

/** The JSON output of a command. */
function json<T>({ stdout }: ZesterResult): T {
  return JSON.parse(stdout) as T;
}

describe('zester revoke', () => {
  it('cuts off a peel, lists the revocation, and clears it', async () => {
    const fleet = await startHome();
    const run = on(fleet);
    const { path, publicKey } = await fleet.issue('web-01');
    const { cut } = await fleet.peel('web-01', path);

    const revoked = await run('revoke', 'web-01', '--yes', '--json');
    expect(revoked).toMatchObject({ code: 0, stderr: '' });
    expect(json(revoked)).toMatchObject({ revoked: [publicKey], servers: { confirmed: ['n1'] } });
    await cut;
    const list = await run('revocations', 'list', '--json');
    expect(json(list)).toMatchObject({ revocations: [{ publicKey, peelId: 'web-01' }] });
    expect((await run('revocations', 'list')).stdout).toContain('web-01');

    const cleared = await run('revocations', 'clear', 'web-01', '--yes');
    expect(cleared).toMatchObject({ code: 0, stdout: 'cleared 1 revocation; in force on n1\n' });
    expect((await run('revocations', 'list')).stdout).toBe('no revocations\n');
    expect(await fleet.letsIn(path, 'web-01', fleet.node(0).url)).toBe(true);
  });

  it('prompts on a terminal, and requires --yes elsewhere', async () => {
    const fleet = await startHome();
    await fleet.issue('web-01');
    const result = await on(fleet)('revoke', 'web-01');
    expect(result.code).toBe(2);
    expect(result.stderr).toContain('locks out every credential of the peel web-01: pass --yes');
    expect((await on(fleet)('revocations', 'list')).stdout).toBe('no revocations\n');
  });

  it('exits with 4 and names the node that is down, with the revocation in force on the others', async () => {
    const fleet = await startHomeCluster();
    const { path } = await fleet.issue('web-01');
    await fleet.node(2).kill();
    const result = await on(fleet)('revoke', '--creds', path, '--yes');
    expect(result.code).toBe(4);
    expect(result.stdout).toContain('in force on n1, n2');
    expect(result.stderr).toMatch(
      /^zester: the revocation is in force on n1, n2; not reached: n3.*\[ERR_NATS_SERVER_PUSH_INCOMPLETE\]\n$/,
    );
    expect(await fleet.letsIn(path, 'web-01', fleet.node(0).url)).toBe(false);
  });

  it.each([
    [['revoke'], 'pass exactly one of'],
    [['revoke', 'web-01', '--key', 'U'], 'pass exactly one of'],
    [['revoke', 'web.01'], 'is not a peel id'],
    [['revoke', '--issued-before', '2099-01-01'], 'is in the future'],
    [['revoke', '--issued-before', 'yesterday'], 'is not a time'],
    [['revoke', '--creds', 'SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY'], 'a seed was given'],
    [['revocations', 'clear', '--all', '--before', '1d'], 'pass exactly one of'],
    [['permissions', 'set'], 'nothing to change'],
    [['keys', 'add', 'user'], 'Allowed choices'],
  ])('refuses %j as wrong usage', async (args, message) => {
    const result = await zester([...args, '--home', '/nonexistent/home']);
    expect(result.code).toBe(2);
    expect(result.stderr).toContain(message);
    expect(result.stderr.trim().split('\n')).toHaveLength(1);
    expect(result.stderr).not.toContain('SUACSSL3');
  });

  it('exits with 4 if no server answers, 3 if it trusts another operator, 1 without a home', async () => {
    const fleet = await startHome();
    const other = await startHome();
    await fleet.issue('web-01');
    await fleet.node(0).stop();
    expect((await on(fleet)('revoke', 'web-01', '--yes')).code).toBe(4);
    const stranger = await on({ home: fleet.home, servers: other.servers })('revoke', 'web-01', '--yes');
    expect(stranger.code).toBe(3);
    expect(stranger.stderr).toContain('does not trust the operator "zester"');
    expect((await zester(['revoke', 'web-01', '--yes', '--home', join(fleet.dir, 'nothing')])).code).toBe(1);
  });
});

describe('zester account and permissions', () => {
  it('change the home first and push later, and show the difference in between', async () => {
    const fleet = await startHome();
    const run = on(fleet);
    const set = [
      'permissions',
      'set',
      '--allow-publish',
      'zester.m.{{name()}}',
      '--remove-publish',
      'zester.event.{{name()}}.>',
    ];
    const changed = await run(...set, '--no-push', '--yes');
    expect(changed.code).toBe(0);
    expect(changed.stdout).toContain('+ allow publish zester.m.{{name()}}');
    expect(changed.stdout).toContain('- allow publish zester.event.{{name()}}.>');
    expect((await run('account', 'show')).stdout).toContain('n1    DIFFERS');
    expect((await run('account', 'push')).stdout).toBe('in force on n1\n');
    expect(json(await run('account', 'show', '--json'))).toMatchObject({ inSync: true });
  });

  it('accept the output of show as a template, and restore the default', async () => {
    const fleet = await startHome();
    const run = on(fleet);
    const shown = await run('permissions', 'show', '--json');
    const template = json<{ permissions: { publish: { allow: string[] } } }>(shown);
    template.permissions.publish.allow.push('extra.{{name()}}');
    const file = join(fleet.dir, 'template.json');
    await writeFile(file, JSON.stringify(template));
    expect((await run('permissions', 'set', '--from', file, '--yes')).stdout).toContain(
      '+ allow publish extra.{{name()}}',
    );
    expect((await run('permissions', 'set', '--default', '--yes')).stdout).toContain(
      '- allow publish extra.{{name()}}',
    );
    expect((await run('permissions', 'show', '--json')).stdout).toBe(shown.stdout);
    await writeFile(file, '{"publish":{"allow":[1]}}');
    const bad = await run('permissions', 'set', '--from', file, '--yes');
    expect(bad).toMatchObject({ code: 1 });
    expect(bad.stderr).toContain('publish.allow.0');
  });
});

describe('zester keys', () => {
  it('rotates the keys of the peels and of join tokens, lists, and takes the identities offline', async () => {
    const fleet = await startHome();
    const run = on(fleet);
    await fleet.issue('web-01');
    const first = (await fleet.domain()).publicKeys.peelSigning;
    const added = json<{ publicKey: string; inUse: boolean }>(
      await run('keys', 'add', 'peel-signing', '--json'),
    );
    expect(added.inUse).toBe(true);
    const list = (await run('keys', 'list')).stdout;
    expect(list).toContain(`${first}  peel signing (no longer signs new ones)\n  signed 1 peel credential`);
    expect(list).not.toMatch(SEED);
    expect((await run('keys', 'remove', added.publicKey, '--yes')).stderr).toContain('is in use');
    expect((await run('keys', 'use', first)).code).toBe(0);
    expect((await run('keys', 'use', added.publicKey)).code).toBe(0);
    // the peel that it signed would be cut off permanently
    const refused = await run('keys', 'remove', first, '--yes');
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('1 valid credential depends on');
    const blind = await run('keys', 'remove', first, '--yes', '--no-push');
    expect(blind.stderr).toContain('cannot be counted');
    const forced = await run('keys', 'remove', first, '--yes', '--force');
    expect(forced.code).toBe(0);
    expect(forced.stderr).toContain('1 valid credential depends on');

    const firstJoin = (await fleet.domain()).publicKeys.joinSigning ?? '';
    const join2 = json<{ publicKey: string }>(await run('keys', 'add', 'join-signing', '--json')).publicKey;
    expect((await run('keys', 'list')).stdout).toContain(
      `${firstJoin}  join signing (no longer signs new ones)\n  signed nothing from this home; 0 valid join tokens, 0 connected`,
    );
    expect((await run('keys', 'remove', join2, '--yes')).stderr).toContain('zester keys add join-signing');
    expect((await run('keys', 'use', firstJoin)).stdout).toBe(`new join tokens are signed by ${firstJoin}\n`);
    expect((await run('keys', 'remove', join2, '--yes')).code).toBe(0);
    expect((await fleet.domain()).publicKeys).toMatchObject({
      peelSigning: added.publicKey,
      joinSigning: firstJoin,
    });

    const offline = join(fleet.dir, 'offline');
    await mkdir(offline, { mode: 0o755 });
    const exposed = await run('keys', 'export-identity', offline, '--yes');
    expect(exposed.stderr).toContain('can be read by others');
    expect((await run('keys', 'export-identity', join(fleet.dir, 'safe'), '--yes')).code).toBe(0);
    expect(await readdir(join(fleet.dir, 'safe'))).toEqual(['account.seed', 'operator.seed']);
    expect((await run('keys', 'add', 'operator-signing')).stderr).toContain('ERR_TRUST_KEY_OFFLINE');
  });
});
