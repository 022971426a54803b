import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { generateKeyBundle } from '../../src/nkeys/key-bundle.js';
import { tempDir } from '../support/temp-dir.js';
import { zester } from './run-zester.js';
import { SEED } from '../support/refusal.js';

let home: string;

beforeAll(async () => {
  home = join(await tempDir(), 'home');
  await zester(['init', '--home', home]);
});

const NODES = ['n1=10.0.0.1', 'n2=10.0.0.2:4333', 'n3=[fd00::3]:4222:6333'];
const config = (...args: string[]) => zester(['server', 'config', '--home', home, ...args]);

describe('zester server config', () => {
  it('prints a configuration on loopback, in operator mode, with the full resolver and JetStream', async () => {
    const { code, stdout, stderr } = await config('--data-dir', '/srv/nats');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('host: "127.0.0.1"');
    expect(stdout).toContain('port: 4222');
    expect(stdout).toMatch(/resolver: \{\s+type: "full"\s+dir: "\/srv\/nats\/jwt"/);
    expect(stdout).toContain('store_dir: "/srv/nats/jetstream"');
    expect(stdout).not.toContain('max_control_line');
    expect(stdout).not.toMatch(SEED);
  });

  it.each(['--host', '--data-dir', '--name'])('refuses a seed for %s', async (option) => {
    const seed = Buffer.from(generateKeyBundle('user').seed).toString();
    const { code, stdout, stderr } = await config(option, seed);
    expect(code).not.toBe(0);
    expect(stdout + stderr).not.toContain(seed);
  });

  it('accepts host, port and TLS', async () => {
    const args = ['--host', '0.0.0.0', '--port', '4333', '--tls-cert', '/c.crt', '--tls-key', '/c.key'];
    const { stdout } = await config(...args, '--tls-ca', '/ca.crt', '--tls-verify');
    for (const text of [
      'host: "0.0.0.0"',
      'port: 4333',
      'cert_file: "/c.crt"',
      'ca_file: "/ca.crt"',
      'verify: true',
    ]) {
      expect(stdout).toContain(text);
    }
  });

  it("prints one server's configuration of a cluster of three", async () => {
    const { code, stdout, stderr } = await config('--cluster', ...NODES, '--node', 'n2');
    expect(code).toBe(0);
    expect(stdout).toContain('server_name: "n2"');
    expect(stdout).toContain('host: "10.0.0.2"');
    expect(stdout).toContain('port: 4333');
    expect(stdout).toContain('routes: ["nats-route://10.0.0.1:6222", "nats-route://[fd00::3]:6333"]');
    expect(stdout).toContain('store_dir: "/var/lib/nats/n2/jetstream"');
    expect(stderr).toContain('--tls-ca');
  });

  it('writes all of them, with TLS between the servers', async () => {
    const out = join(await tempDir(), 'conf');
    const tls = ['--tls-cert', '/c.crt', '--tls-key', '/c.key', '--tls-ca', '/ca.crt'];
    const { code, stderr } = await config('--cluster', ...NODES, '--out', out, ...tls);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect((await readdir(out)).sort()).toEqual(['n1.conf', 'n2.conf', 'n3.conf']);
    const text = await readFile(join(out, 'n1.conf'), 'utf8');
    expect(text).toMatch(
      /cluster: \{[^}]+tls: \{\s+cert_file: "\/c.crt"\s+key_file: "\/c.key"\s+ca_file: "\/ca.crt"\s+verify: true/,
    );
  });

  it.each([
    [['--cluster', 'n1=a', 'n2=b', '--node', 'n1'], 1, 'at least three'],
    [['--cluster', 'n1=a', 'n1=b', 'n3=c', '--node', 'n1'], 1, 'the name n1'],
    [['--cluster', 'n1=a', 'n2=a', 'n3=c', '--node', 'n1'], 1, 'the address a:4222'],
    [['--cluster', 'n1', 'n2=b', 'n3=c', '--node', 'n1'], 1, '"n1" is not a cluster server'],
    [['--cluster', 'n1=a:0', 'n2=b', 'n3=c', '--node', 'n1'], 1, '"n1=a:0" is not a cluster server'],
    [['--cluster', ...NODES, '--node', 'n4'], 2, 'no server "n4"'],
    [['--cluster', ...NODES], 2, '--out'],
    [['--cluster', ...NODES, '--node', 'n1', '--port', '1'], 2, '--port'],
    [['--node', 'n1'], 2, '--cluster'],
    [['--tls-cert', 'c'], 2, '--tls-key'],
    [['--tls-cert', 'c', '--tls-key', 'k', '--tls-verify'], 2, '--tls-ca'],
    [['--port', 'x'], 2, '--port'],
    [['--port', '70000'], 2, '--port'],
  ])('refuses %j', async (args, code, words) => {
    const result = await config(...args);
    expect(result.code).toBe(code);
    expect(result.stderr).toContain(words);
    expect(result.stdout).toBe('');
  });
});
