import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { InterruptSignal } from '../../../src/cli/terminal/io.js';
import { createTrustDomain } from '../../../src/trust/create/create.js';
import { zester } from '../../cli/run-zester.js';
import { createTlsFiles } from '../../support/certificates.js';
import { atEnd } from '../../support/cleanup.js';
import { tempDir } from '../../support/temp-dir.js';
import { waitFor } from '../../support/wait-for.js';

it.each([
  [{ tls: { caFile: '/ca.crt' } }, '"tls" in'],
  [{ servers: 'tls://127.0.0.1:4999' }, 'a tls:// URL in "servers"'],
])('a home that requires TLS (%j) gets no server without it, and advice', async (options, why) => {
  const { home } = await createTrustDomain(join(await tempDir(), 'home'), options);
  for (const command of [['up'], ['server'], ['up', '--restart']]) {
    const { code, stdout, stderr } = await zester([...command, '--home', home, '--port', '-1']);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(why);
    expect(stderr).toContain('zester server --tls-cert');
  }
  expect(await readdir(home)).not.toContain('nats-server');
});

it('the server of "zester server --tls-verify" is reached with the settings of the home', async () => {
  const { ca: caFile, cert, key, clientCert: certFile, clientKey: keyFile } = await createTlsFiles();
  const tls = { caFile, certFile, keyFile };
  const { home } = await createTrustDomain(join(await tempDir(), 'home'), { tls, requireTls: true });
  const flags = ['--tls-cert', cert, '--tls-key', key, '--tls-ca', caFile, '--tls-verify'];
  let interrupt: (signal: InterruptSignal) => void = () => undefined;
  let output = '';
  const serving = zester(['server', '--home', home, '--port', '-1', '--json', ...flags], {
    onListening: (stop) => (interrupt = stop),
    onOutput: (text) => (output += text),
  });
  atEnd(async () => {
    interrupt('SIGTERM');
    await serving;
  });
  const ready = await waitFor('the server to be ready', () => /^\{"event":"ready".*\}$/m.exec(output)?.[0]);
  const { port, url } = JSON.parse(ready) as { port: number; url: string };
  for (const server of [`tls://localhost:${port}`, `nats://127.0.0.1:${port}`, url]) {
    const { code, stderr } = await zester(['account', 'show', '--home', home, '--servers', server]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  }
});
