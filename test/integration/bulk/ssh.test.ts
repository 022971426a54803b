import { execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadCredsFile } from '../../../src/creds/parse.js';
import { generateKeyBundle } from '../../../src/nkeys/key-bundle.js';
import { atEnd } from '../../support/cleanup.js';
import { freePort } from '../../support/free-port.js';
import { tempDir } from '../../support/temp-dir.js';
import { waitFor } from '../../support/wait-for.js';
import { missing, startZester } from './support.js';

const noSshd = missing('sshd', 'openssh-server') ?? missing('ssh', 'openssh-client');

describe.skipIf(noSshd)(`zester creds deliver --ssh${noSshd ? ` (${noSshd})` : ''}`, () => {
  let dir: string;
  let seed: string;
  let sshArguments: string[];

  beforeAll(async () => {
    dir = await tempDir();
    seed = join(dir, 'account.seed');
    await generateKeyBundle('account').saveSeedToFile(seed);
    sshArguments = await startSshd(dir);
  });

  const deliver = (list: string, path: string, ...args: string[]) =>
    startZester(
      [
        'creds',
        'deliver',
        '--ssh',
        '--account-seed',
        seed,
        '--from',
        list,
        '--path',
        path,
        '--retries',
        '0',
      ].concat(args, ['--', ...sshArguments]),
    ).ended;

  it('replaces the file on each host atomically, mode 0600, and names the host that failed', async () => {
    const remote = join(dir, "it's remote");
    await mkdir(remote);
    await writeFile(join(remote, 'web-01.creds'), 'old', { mode: 0o644 });
    const list = join(dir, 'hosts.csv');
    await writeFile(list, 'id,host\nweb-01,127.0.0.1\nweb-02,127.0.0.1\nweb-03,-oProxyCommand=false\n');
    const journal = join(dir, 'journal');
    const { code, stdout, stderr } = await deliver(list, join(remote, '{id}.creds'), '--journal', journal);

    expect([code, stdout]).toEqual([1, '2 issued, 1 failed\n']);
    expect(stderr).toContain('line 4: web-03: its host is not a valid host name or address');
    expect((await readdir(remote)).sort()).toEqual(['web-01.creds', 'web-02.creds']);
    for (const id of ['web-01', 'web-02']) {
      const path = join(remote, `${id}.creds`);
      expect((await loadCredsFile(path)).claims.name).toBe(id);
      expect((await stat(path)).mode & 0o777).toBe(0o600);
    }
    const first = await readFile(join(remote, 'web-01.creds'), 'utf8');
    const again = await deliver(list, join(remote, '{id}.creds'), '--journal', journal, '--resume');
    expect(again.stdout).toBe('0 issued, 2 skipped (already issued), 1 failed\n');
    expect(await readFile(join(remote, 'web-01.creds'), 'utf8')).toBe(first);
  }, 90_000);

  it('leaves nothing behind on a host where the file cannot be written', async () => {
    const remote = join(dir, 'other');
    await mkdir(join(remote, 'taken.creds'), { recursive: true });
    const list = join(dir, 'taken.ndjson');
    await writeFile(list, '{"id":"web-01","host":"127.0.0.1"}\n');
    const { code, stderr } = await deliver(list, join(remote, 'taken.creds'));

    expect([code, stderr]).toEqual([1, expect.stringContaining('is a directory')]);
    expect(await readdir(remote)).toEqual(['taken.creds']);
    expect(await readdir(join(remote, 'taken.creds'))).toEqual([]);
  }, 60_000);
});

/**
 * Starts an sshd on loopback with its own keys, for this user.
 *
 * @returns the arguments for ssh to reach it
 */
async function startSshd(dir: string): Promise<string[]> {
  for (const name of ['host', 'user']) {
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(dir, name)]);
  }
  const port = await freePort();
  const configuration = join(dir, 'sshd_config');
  const hostKey = await readFile(join(dir, 'host.pub'), 'utf8');
  await writeFile(join(dir, 'known_hosts'), `[127.0.0.1]:${port} ${hostKey}`);
  await writeFile(
    configuration,
    `Port ${port}
ListenAddress 127.0.0.1
HostKey ${join(dir, 'host')}
AuthorizedKeysFile ${join(dir, 'user.pub')}
StrictModes no
UsePAM no
PasswordAuthentication no
PidFile none
`,
  );
  // Debian's sshd wants its directory when root runs it; its package's service makes it
  if (process.getuid?.() === 0 && !existsSync('/run/sshd')) await mkdir('/run/sshd', { mode: 0o755 });
  // sshd requires an absolute path
  const sshd =
    ['/usr/sbin/sshd', '/usr/local/sbin/sshd', '/usr/bin/sshd'].find((path) => existsSync(path)) ?? 'sshd';
  const server = spawn(sshd, ['-D', '-e', '-f', configuration], { stdio: ['ignore', 'ignore', 'pipe'] });
  atEnd(async () => void server.kill('SIGTERM'));
  let log = '';
  server.stderr.setEncoding('utf8').on('data', (text: string) => (log += text));
  await waitFor(`sshd to listen`, () => log.includes('Server listening'));
  const option = (text: string) => ['-o', text];
  return [
    ...['-p', String(port), '-F', 'none', '-i', join(dir, 'user')],
    ...option(`UserKnownHostsFile=${join(dir, 'known_hosts')}`),
    ...option('IdentitiesOnly=yes'),
  ];
}
