import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig, type ConfigFlags } from '../../src/cli/config/load.js';
import { definitionOf, settingsOf, CONFIG_KINDS } from '../../src/cli/config/settings.js';
import { createProgram } from '../../src/cli/program.js';
import { processIo } from '../../src/cli/terminal/io.js';
import { refusal } from '../support/refusal.js';
import { tempDir } from '../support/temp-dir.js';
import { zester } from './run-zester.js';

async function file(text: string, name = 'master.yaml'): Promise<string> {
  const path = join(await tempDir(), name);
  await writeFile(path, text);
  return path;
}

function load(flags: ConfigFlags, env: Record<string, string> = {}, kind: 'master' | 'peel' = 'master') {
  return loadConfig(kind, flags, { ...processIo(), env });
}

describe('a setting', () => {
  it.each([
    ['2%', 0.02],
    ['0.5%', 0.005],
    ['0.1', 0.1],
    ['0', 0],
  ])('that is a share may be given as %s', async (text, share) => {
    const { values } = await load({ maxRevocationsShare: text, maxRevocations: '5' });
    expect([values.maxRevocationsShare, values.maxRevocations]).toEqual([share, 5]);
  });

  it.each(['101%', '1.5', '-1', 'many'])('that is a share is not %s', async (text) => {
    const { message } = await refusal('ERR_USAGE', () => load({ maxRevocationsShare: text }));
    expect(message).toContain('--max-revocations-share');
  });

  it('comes from the flag, else the environment, else the file, else the default', async () => {
    const config = await file('policy: auto-all\nlifetime: 2h\nlogLevel: warn\n');
    const { values, sources } = await load(
      { config, policy: 'auto-trusted' },
      { ZESTER_POLICY: 'manual', ZESTER_LIFETIME: '1h' },
    );
    expect(values).toMatchObject({
      policy: 'auto-trusted',
      lifetime: 3_600,
      logLevel: 'warn',
      http: undefined,
    });
    expect(sources).toMatchObject({
      policy: { kind: 'flag', name: '--policy' },
      lifetime: { kind: 'environment', name: 'ZESTER_LIFETIME' },
      logLevel: { kind: 'file', name: config },
      http: { kind: 'default' },
    });
  });

  it('ignores an empty variable', async () => {
    expect((await load({}, { ZESTER_POLICY: '' })).values.policy).toBe('manual');
  });

  it.each([
    ['http: true', { host: '127.0.0.1', port: 9464 }],
    ['http: 9000', { host: '127.0.0.1', port: 9000 }],
    ['http: 0.0.0.0:9000', { host: '0.0.0.0', port: 9000 }],
    ['http: "[::1]:9000"', { host: '::1', port: 9000 }],
    ['http: off', undefined],
  ])('%s is the address for metrics', async (text, http) => {
    expect((await load({ config: await file(text) })).values.http).toEqual(http);
  });

  it.each([
    ['24h', 86_400],
    ['90', 90],
    ['none', 0],
    ['0', 0],
  ])('--lifetime %s is a number of seconds', async (lifetime, seconds) => {
    expect((await load({ lifetime })).values.lifetime).toBe(seconds);
  });

  it('for several servers may be a list or comma-separated', async () => {
    const servers = ['nats://a:4222', 'nats://b:4222'];
    const config = await file('servers:\n  - nats://a:4222\n  - nats://b:4222\n');
    expect((await load({ config })).values.servers).toEqual(servers);
    expect((await load({}, { ZESTER_SERVERS: servers.join(', ') })).values.servers).toEqual(servers);
    expect((await load({ servers })).values.servers).toEqual(servers);
  });

  it('that is a path is relative to its configuration file', async () => {
    const config = await file('creds: keys/master.creds\nhome: /srv/zester\n');
    const { values } = await load({ config });
    expect(values.creds).toBe(join(config, '..', 'keys', 'master.creds'));
    expect(values.home).toBe('/srv/zester');
  });
});

describe('the configuration file', () => {
  it('is that of --config, else of ZESTER_CONFIG, else master.yaml in the home', async () => {
    const home = await tempDir();
    await writeFile(join(home, 'master.yaml'), 'lifetime: 1h\n');
    const other = await file('lifetime: 2h\n');
    const third = await file('lifetime: 3h\n');
    expect((await load({ home })).values.lifetime).toBe(3_600);
    expect((await load({ home }, { ZESTER_CONFIG: other })).values.lifetime).toBe(7_200);
    expect((await load({ home, config: third }, { ZESTER_CONFIG: other })).values.lifetime).toBe(10_800);
  });

  it('may be missing in the home, but not where it is named', async () => {
    const home = await tempDir();
    expect((await load({ home })).values.lifetime).toBe(86_400);
    await expect(load({ config: join(home, 'no.yaml') })).rejects.toMatchObject({
      code: 'ERR_FILE_NOT_FOUND',
    });
  });

  it('may be empty', async () => {
    expect((await load({ config: await file('# nothing\n') })).values.policy).toBe('manual');
  });

  it.each([
    ['polici: manual', /has "polici", which is not a setting of a master/],
    ['rotate: hitless', /has "rotate", which is not a setting of a master/],
    ['policy: everyone', /"policy" in .* is not a policy: use manual, auto-trusted, auto-all/],
    ['lifetime: 3 fortnights', /"lifetime" in .* is not a lifetime/],
    ['lifetime: 1', /"lifetime" in .* is not a lifetime/],
    ['port: 99999', /"port" in .* is not a port/],
    ['http: over there', /"http" in .* is not an address/],
    ['servers: []', /"servers" in .* cannot be used: no server given/],
    ['- policy', /is not a list of settings/],
    ['policy: [', /is not valid YAML/],
    ['? '.repeat(4_000), /is not valid YAML/],
    ['[]'.repeat(20_000), /is not valid YAML.* at line 1, column 3/],
  ])('%j is refused, with the place and the reason', async (text, message) => {
    const config = await file(text);
    const refused = await refusal('ERR_FLEET_CONFIG', () => load({ config }));
    expect(refused.message).toMatch(message);
  });

  it('in the home does not set the home', async () => {
    const home = await tempDir();
    await writeFile(join(home, 'master.yaml'), 'home: /elsewhere\n');
    await refusal('ERR_FLEET_CONFIG', () => load({ home }));
  });

  it('of a peel has a peel’s settings', async () => {
    const config = await file('servers: nats://a:4222\ncreds: peel.creds\nrotate: reconnect\n');
    const { values } = await load({ config }, {}, 'peel');
    expect(values).toMatchObject({ servers: ['nats://a:4222'], rotate: 'reconnect' });
    await expect(load({ config: await file('policy: manual') }, {}, 'peel')).rejects.toMatchObject({
      code: 'ERR_FLEET_CONFIG',
    });
  });
});

describe('zester config show', () => {
  it('prints each setting with its value and source', async () => {
    const config = await file('policy: auto-trusted\n');
    const env = { ZESTER_LIFETIME: '1h' };
    const { code, stdout } = await zester(['config', 'show', '--config', config], { env });
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`^policy +auto-trusted +file ${config}$`, 'm'));
    expect(stdout).toMatch(/^lifetime +3600 +environment ZESTER_LIFETIME$/m);
    expect(stdout).toMatch(/^http +\(off\) +default$/m);
  });

  it.each(CONFIG_KINDS)('--for %s --json lists all, with their flags and variables', async (kind) => {
    const home = await tempDir();
    const { stdout } = await zester(['config', 'show', '--for', kind, '--json'], {
      env: { ZESTER_HOME: home },
    });
    const { settings } = JSON.parse(stdout) as { settings: { name: string; flag: string; env: string }[] };
    expect(settings.map(({ name }) => name)).toEqual(settingsOf(kind));
    for (const { flag, env } of settings) expect(`${flag} ${env}`).toMatch(/^--[a-z-]+ ZESTER_[A-Z_]+$/);
  });

  it('exits with 1 for an invalid file, and with 2 for an invalid flag', async () => {
    const home = await tempDir();
    await mkdir(join(home, 'x'));
    const config = await file('policy: no\n');
    expect((await zester(['config', 'show', '--config', config])).code).toBe(1);
    const { code, stderr } = await zester(['master', '--home', home, '--policy', 'everyone']);
    expect(code).toBe(2);
    expect(stderr).toContain('--policy is not a policy');
  });
});

const program = await createProgram(processIo());

describe('the programs', () => {
  const flagsOf = (...words: string[]) =>
    words
      .reduce((at, word) => at.commands.find((sub) => sub.name() === word) ?? at, program)
      .options.map(({ long }) => long);

  it('have a flag for each of their settings', () => {
    const master = new Set([...flagsOf('master'), ...flagsOf('up')]);
    for (const name of settingsOf('master')) expect(master).toContain(definitionOf(name).flag);
    for (const name of settingsOf('peel')) expect(flagsOf('peel', 'run')).toContain(definitionOf(name).flag);
    for (const flags of [flagsOf('master'), flagsOf('up'), flagsOf('peel', 'run')]) {
      expect(flags).toContain('--config');
    }
  });
});
