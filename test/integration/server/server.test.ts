import { connect } from '@nats-io/transport-node';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { jetstreamManager } from '@nats-io/jetstream';
import { describe, expect, it } from 'vitest';
import { loadCredsFile } from '../../../src/creds/parse.js';
import { natsOptionsForPeel } from '../../../src/connection/options.js';
import { createTrustDomain } from '../../../src/trust/create/create.js';
import type { TrustDomain } from '../../../src/trust/domain.js';
import { loadAdoptedTrust } from '../../../src/trust/create/load-adopted.js';
import { zester } from '../../cli/run-zester.js';
import { createTlsFiles } from '../../support/certificates.js';
import { isAlive } from '../../support/processes.js';
import { tempDir } from '../../support/temp-dir.js';
import { waitFor } from '../../support/wait-for.js';
import { foreignDomain } from '../../trust/foreign-domain.js';
import { startZester, startZesterServer } from './zester-process.js';

async function newDomain(): Promise<TrustDomain> {
  return createTrustDomain(join(await tempDir(), 'home'));
}

async function connectPeelOnce(domain: TrustDomain, url: string, peelId = 'web-01'): Promise<void> {
  const path = join(domain.home, `${peelId}.creds`);
  await domain.issuePeel(peelId, path);
  const nc = await connect({ ...natsOptionsForPeel(path, peelId), servers: url, reconnect: false });
  await nc.close();
}

function gone(pid: number): Promise<boolean> {
  return waitFor('the server to be gone', () => !isAlive(pid));
}

describe('zester server', () => {
  it('runs a server with JetStream on loopback that accepts our peels, and prints its URL', async () => {
    const domain = await newDomain();
    const { zester, ready } = await startZesterServer(domain.home);
    expect(ready).toMatchObject({ event: 'ready', configuration: domain.paths.serverConfiguration });
    expect(ready.url).toBe(`nats://127.0.0.1:${ready.port}`);
    await connectPeelOnce(domain, ready.url);
    const master = await loadCredsFile(domain.paths.masterCreds);
    const nc = await connect({
      ...master.natsOption(),
      servers: ready.url,
      inboxPrefix: '_INBOX._zester-master',
    });
    expect((await (await jetstreamManager(nc)).getAccountInfo()).streams).toBe(0);
    await nc.close();
    zester.kill('SIGTERM');
    expect(await zester.exited).toEqual({ code: 0, signal: null });
    expect(zester.stdout()).toContain('"event":"stopped"');
    expect(zester.stderr()).toContain('Server Exiting');
  });

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'ends the server at %s, and leaves nothing behind',
    async (signal) => {
      const domain = await newDomain();
      const tmp = await tempDir();
      const ours = async () => (await readdir(tmp)).filter((name) => name.startsWith('zester-'));
      const { zester, ready } = await startZesterServer(domain.home, [], { TMPDIR: tmp });
      expect(await ours(), 'what it watches for the server to be ready').toHaveLength(1);
      zester.kill(signal);
      expect(await zester.exited).toEqual({ code: 0, signal: null });
      expect(isAlive(ready.pid)).toBe(false);
      expect(await ours()).toEqual([]);
    },
  );

  it('forwards SIGHUP, which reloads the server, and SIGUSR2, which starts lame duck mode', async () => {
    const domain = await newDomain();
    const { zester, ready } = await startZesterServer(domain.home);
    zester.kill('SIGHUP');
    await waitFor('the reload', () => /reload/i.test(zester.stderr()));
    await connectPeelOnce(domain, ready.url);
    zester.kill('SIGUSR2');
    expect(await zester.exited).toEqual({ code: 0, signal: null });
    expect(zester.stderr()).toContain('lame duck');
    expect(isAlive(ready.pid)).toBe(false);
  });

  it('is not left behind when zester is killed', async () => {
    const domain = await newDomain();
    const { zester, ready } = await startZesterServer(domain.home);
    zester.kill('SIGKILL');
    await gone(ready.pid);
    // and another takes the home over
    const next = await startZesterServer(domain.home);
    await connectPeelOnce(domain, next.ready.url);
    next.zester.kill('SIGTERM');
    await next.zester.exited;
  });

  it('exits with 1 and reports it when the server dies, instead of restarting silently', async () => {
    const domain = await newDomain();
    const { zester, ready } = await startZesterServer(domain.home);
    process.kill(ready.pid, 'SIGKILL');
    expect(await zester.exited).toEqual({ code: 1, signal: null });
    expect(zester.stderr()).toContain('stopped by itself (SIGKILL)');
  });

  it('refuses a second server on the same home, and names the holder', async () => {
    const domain = await newDomain();
    const { zester, ready } = await startZesterServer(domain.home);
    const second = startZester(['server', '--home', domain.home, '--port', '-1']);
    expect((await second.exited).code).toBe(1);
    expect(second.stderr()).toContain(`process ${zester.pid}`);
    await connectPeelOnce(domain, ready.url);
    zester.kill('SIGTERM');
    await zester.exited;
  });

  it('reports a port in use', async () => {
    const one = await newDomain();
    const two = await newDomain();
    const { zester, ready } = await startZesterServer(one.home);
    const second = startZester(['server', '--home', two.home, '--port', String(ready.port)]);
    expect((await second.exited).code).toBe(1);
    expect(second.stderr()).toContain('address already in use');
    zester.kill('SIGTERM');
    await zester.exited;
  });

  it('listens at the local address in the home', async () => {
    const home = join(await tempDir(), 'home');
    await createTrustDomain(home, { servers: ['nats://n1.example', 'nats://localhost:24222'] });
    const { stdout } = await zester(['init', '--home', home, '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ made: [join(home, 'nats-server', 'nats-server.conf')] });
  });

  it('speaks TLS with the certificate that it is given', async () => {
    const domain = await newDomain();
    const tls = await createTlsFiles();
    const args = ['--tls-cert', tls.cert, '--tls-key', tls.key];
    const { zester, ready } = await startZesterServer(domain.home, args);
    const path = join(domain.home, 'web-01.creds');
    await domain.issuePeel('web-01', path);
    const options = { ...natsOptionsForPeel(path, 'web-01'), servers: ready.url, reconnect: false };
    const nc = await connect({ ...options, tls: { caFile: tls.ca } });
    expect(nc.info?.tls_required).toBe(true);
    await nc.close();
    zester.kill('SIGTERM');
    await zester.exited;
  });

  it('explains how to create a missing home', async () => {
    const home = join(await tempDir(), 'home');
    const { code, stderr } = await zester(['server', '--home', home]);
    expect(code).toBe(1);
    expect(stderr).toContain('zester init');
  });

  it('explains how to install a missing nats-server', async () => {
    const domain = await newDomain();
    const missing = startZester(['server', '--home', domain.home], { ZESTER_NATS_SERVER: '/not/there' });
    expect((await missing.exited).code).toBe(1);
    expect(missing.stderr()).toContain('apt-get install nats-server');
  });
});

describe('a domain that another tool made and we adopted', () => {
  it('has servers that accept the tool’s users and ours', async () => {
    const { files, accountFiles } = await foreignDomain();
    const home = join(await tempDir(), 'home');
    const domain = await createTrustDomain(home, {
      adopt: await loadAdoptedTrust({ ...files, ...accountFiles }),
    });
    const { zester: server, ready } = await startZesterServer(home);
    await connectPeelOnce(domain, ready.url);
    const system = await connect({
      ...(await loadCredsFile(files.systemCreds)).natsOption(),
      servers: ready.url,
      reconnect: false,
    });
    await system.close();
    const doctor = await zester(['doctor', '--home', home, '--servers', ready.url, '--json']);
    expect(JSON.parse(doctor.stdout)).toMatchObject({ ok: true, warnings: 0 });
    server.kill('SIGTERM');
    await server.exited;
    await rm(home, { recursive: true });
  });
});
