import { beforeAll, describe, expect, it } from 'vitest';
import { connectMaster, connectPeel } from '../../../src/connection/connect.js';
import { generateKeyBundle } from '../../../src/nkeys/key-bundle.js';
import { atEnd } from '../../support/cleanup.js';
import { createTlsFiles, type TlsFiles } from '../../support/certificates.js';
import { startNkeyServer } from '../../support/nkey-server.js';
import { startOperatorServer, type OperatorServer } from '../../support/operator-server.js';
import { waitFor } from '../../support/wait-for.js';
import { collect, event, replaceByRename, SHORT_WAITS, startPeel, status, works, into } from './support.js';

describe('over TLS', () => {
  let certificates: TlsFiles;
  let server: OperatorServer;
  beforeAll(async () => {
    certificates = await createTlsFiles();
    const { cert, key, ca } = certificates;
    server = await startOperatorServer({ tls: { cert, key, ca, verify: true } });
  });

  function tls(): { servers: string; tls: object; reconnectJitterTLS: number } {
    const { ca: caFile, clientCert: certFile, clientKey: keyFile } = certificates;
    return {
      servers: `tls://127.0.0.1:${server.port}`,
      tls: { caFile, certFile, keyFile },
      reconnectJitterTLS: 0,
    };
  }

  it('with a CA file and a client certificate, survives outages and rotations', async () => {
    for (const rotate of ['reconnect', 'hitless'] as const) {
      const peel = await startPeel(server, { ...tls(), rotate, credsPath: await server.user('web-01') });
      const received: string[] = [];
      peel.nc.subscribe('t', { callback: into(received, (msg) => msg.string()) });
      await server.kill('SIGKILL');
      await status(peel, 'disconnect');
      peel.nc.publish('t', 'kept');
      await server.start();
      await peel.nc.flush();
      expect(received).toEqual(['kept']);
      const key = await replaceByRename(peel.credsPath, await server.user('web-01'));
      expect(await event(peel, 'rotated')).toMatchObject({ publicKey: key, how: rotate });
      await works(peel.nc);
      await peel.nc.close();
    }
  });

  it('without the client certificate, or with another CA, the connection is refused with an error', async () => {
    const credsPath = await server.user('web-01');
    await expect(
      connectPeel({
        servers: tls().servers,
        credsPath,
        peelId: 'web-01',
        timeout: 1_500,
        tls: { caFile: certificates.ca },
      }),
    ).rejects.toMatchObject({ name: 'ConnectError' });
    const other = await createTlsFiles();
    await expect(
      connectPeel({
        ...tls(),
        timeout: 1_500,
        credsPath,
        peelId: 'web-01',
        tls: { ...tls().tls, caFile: other.ca },
      }),
    ).rejects.toMatchObject({ name: 'ConnectError' });
  });

  it('the longer jitter of TLS applies to the waits between attempts', async () => {
    const peel = await startPeel(server, {
      ...tls(),
      reconnectTimeWait: 0,
      reconnectJitter: 0,
      reconnectJitterTLS: 100_000,
      credsPath: await server.user('web-01'),
    });
    const { options } = peel.nc as unknown as { options: { reconnectDelayHandler(): number } };
    const waits = Array.from({ length: 50 }, () => options.reconnectDelayHandler());
    expect(Math.max(...waits)).toBeGreaterThan(100);
    expect(Math.max(...waits)).toBeLessThanOrEqual(100_000);
  });
});

describe('with a seed alone', () => {
  it('survives an outage, and keeps published messages', async () => {
    const key = generateKeyBundle('user');
    const server = await startNkeyServer([key.publicKey]);
    const nc = await connectPeel({
      servers: server.url,
      credentials: { seed: key.seed },
      peelId: 'web-01',
      ...SHORT_WAITS,
    });
    atEnd(() => nc.close());
    const statuses = collect(nc.status());
    const received: string[] = [];
    nc.subscribe('s', { callback: into(received, (msg) => msg.string()) });
    await server.kill('SIGKILL');
    await waitFor('the disconnect', () => statuses.some((s) => s.type === 'disconnect'));
    nc.publish('s', 'kept');
    await server.start();
    await nc.flush();
    expect(received).toEqual(['kept']);
    await nc.close();
  });

  it('a seed that the server does not list is refused', async () => {
    const server = await startNkeyServer([generateKeyBundle('user').publicKey]);
    await expect(
      connectPeel({
        servers: server.url,
        credentials: { seed: generateKeyBundle('user').seed },
        peelId: 'web-01',
      }),
    ).rejects.toMatchObject({ code: 'ERR_CONNECT_REFUSED' });
  });
});

describe('connectMaster', () => {
  it('has the same guarantees under the name zester-master', async () => {
    const server = await startOperatorServer();
    const credsPath = await server.user('zester-master');
    const events: string[] = [];
    const nc = await connectMaster({
      servers: server.url,
      credsPath,
      rotate: 'hitless',
      ...SHORT_WAITS,
      onEvent: (e) => events.push(e.type),
    });
    atEnd(() => nc.close());
    expect((nc as unknown as { options: object }).options).toMatchObject({
      name: 'zester-master',
      maxReconnectAttempts: -1,
      ignoreAuthErrorAbort: true,
    });
    const statuses = collect(nc.status());
    const received: string[] = [];
    nc.subscribe('m', { callback: into(received, (msg) => msg.string()) });
    await server.kill('SIGKILL');
    await waitFor('the disconnect', () => statuses.some((s) => s.type === 'disconnect'));
    nc.publish('m', 'kept');
    await server.start();
    await nc.flush();
    expect(received).toEqual(['kept']);
    await replaceByRename(credsPath, await server.user('zester-master'));
    await waitFor('the rotation', () => events.includes('rotated'));
    await works(nc);
  });
});
