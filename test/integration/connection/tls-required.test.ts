import { copyFile, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { connectMaster, connectPeel } from '../../../src/connection/connect.js';
import { dial } from '../../../src/connection/dial.js';
import { createTlsFiles, type TlsFiles } from '../../support/certificates.js';
import { atEnd } from '../../support/cleanup.js';
import { startOperatorServer } from '../../support/operator-server.js';
import { waitFor } from '../../support/wait-for.js';
import { event, replaceByRename, startPeel, status, works } from './support.js';

let files: TlsFiles;
beforeAll(async () => {
  files = await createTlsFiles();
});

describe('tls:// against a server without TLS', () => {
  it('is refused by connectPeel, connectMaster and dial, alone and in a list', async () => {
    const server = await startOperatorServer();
    const credsPath = await server.user('web-01');
    const tls = `tls://127.0.0.1:${server.port}`;
    for (const servers of [tls, [tls, server.url], `${server.url},tls://localhost:${server.port}`]) {
      const refused = expect.objectContaining({ code: 'ERR_CONNECT_NO_TLS' }) as unknown;
      await expect(connectPeel({ servers, credsPath, peelId: 'web-01' })).rejects.toEqual(refused);
      await expect(connectMaster({ servers, credsPath })).rejects.toEqual(refused);
      await expect(dial({ servers })).rejects.toThrow("does not support 'tls'");
    }
  });

  it('is reported in the error, even with dead servers in the list', async () => {
    const server = await startOperatorServer();
    const credsPath = await server.user('web-01');
    const plain = `tls://127.0.0.1:${server.port}`;
    for (const servers of [
      [plain, 'tls://127.0.0.1:1'],
      ['tls://127.0.0.1:1', plain],
    ]) {
      await expect(
        connectPeel({ servers, credsPath, peelId: 'web-01', noRandomize: true }),
      ).rejects.toMatchObject({ code: 'ERR_CONNECT_NO_TLS' });
    }
  });

  it('never gets the credentials', async () => {
    const received: string[] = [];
    const plain = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (data) => received.push(data.toString()));
      const info = {
        server_id: 'x',
        version: '2.10.0',
        proto: 1,
        max_payload: 1024,
        nonce: 'abc',
        headers: true,
      };
      socket.write(`INFO ${JSON.stringify(info)}\r\n`);
    });
    await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve));
    atEnd(async () => void plain.close());
    const { port } = plain.address() as { port: number };
    const server = await startOperatorServer();
    await expect(
      connectPeel({
        servers: `tls://127.0.0.1:${port}`,
        credsPath: await server.user('web-01'),
        peelId: 'web-01',
      }),
    ).rejects.toMatchObject({ code: 'ERR_CONNECT_NO_TLS' });
    expect(received).toEqual([]);
  });

  it('is refused at a reconnect too, and the connection recovers with TLS', async () => {
    const { cert, key, ca: caFile } = files;
    const server = await startOperatorServer({ tls: { cert, key } });
    for (const rotate of ['reconnect', 'hitless'] as const) {
      const peel = await startPeel(server, {
        servers: `tls://localhost:${server.port}`,
        tls: { caFile },
        rotate,
        reconnectJitterTLS: 0,
        credsPath: await server.user('web-01'),
      });
      const { configPath } = server.server;
      const withTls = await readFile(configPath, 'utf8');
      await server.kill('SIGKILL');
      await status(peel, 'disconnect');
      await writeFile(configPath, withTls.replace(/tls:? *\{[^}]*\}/, ''));
      await server.start();
      const before = peel.statuses.length;
      await waitFor(
        'three attempts at the server without TLS',
        () => peel.statuses.slice(before).filter(({ type }) => type === 'reconnecting').length >= 3,
      );
      expect(peel.statuses.some(({ type }) => type === 'reconnect')).toBe(false);
      await server.kill('SIGKILL');
      await writeFile(configPath, withTls);
      await server.start();
      await works(peel.nc);
      const publicKey = await replaceByRename(peel.credsPath, await server.user('web-01'));
      expect(await event(peel, 'rotated')).toMatchObject({ publicKey, how: rotate });
      await works(peel.nc);
      await peel.nc.close();
    }
  });
});

describe('the files for TLS', () => {
  it('are read again at each reconnect', async () => {
    const { cert, key, ca } = files;
    const server = await startOperatorServer({ tls: { cert, key } });
    const caFile = join(server.dir, 'ca.crt');
    await copyFile(ca, caFile);
    const peel = await startPeel(server, {
      servers: `tls://127.0.0.1:${server.port}`,
      tls: { caFile },
      reconnectJitterTLS: 0,
    });
    const other = await createTlsFiles();
    await server.kill('SIGKILL');
    await copyFile(other.cert, cert);
    await copyFile(other.key, key);
    // a file without an end is refused at once, and retried
    await rm(caFile);
    await symlink('/dev/zero', caFile);
    await server.start();
    const attempts = peel.statuses.filter(({ type }) => type === 'reconnecting').length;
    await status(peel, 'reconnecting', attempts + 2);
    await rm(caFile);
    await copyFile(other.ca, caFile);
    await works(peel.nc);
    files = await createTlsFiles();
  });

  it('that cannot be used, or do not fit the server, are named', async () => {
    const { cert, key, ca, clientCert: certFile, clientKey: keyFile } = files;
    const server = await startOperatorServer({ tls: { cert, key, ca, verify: true } });
    const credsPath = await server.user('web-01');
    const code = async (tls: object | undefined, servers = `tls://127.0.0.1:${server.port}`) => {
      const error: unknown = await connectPeel({
        servers,
        credsPath,
        peelId: 'web-01',
        ...(tls && { tls }),
      }).then(
        (nc) => nc.close(),
        (reason: unknown) => reason,
      );
      return (error as { code?: string } | undefined)?.code;
    };
    expect(await code({ caFile: join(server.dir, 'none.crt') })).toBe('ERR_CONNECT_TLS_FILE');
    expect(await code({ caFile: credsPath + '.none' })).toBe('ERR_CONNECT_TLS_FILE');
    expect(await code({ caFile: server.server.configPath })).toBe('ERR_CONNECT_TLS_FILE');
    expect(await code({ caFile: ca, certFile })).toBe('ERR_CONNECT_OPTIONS');
    expect(await code(undefined)).toBe('ERR_CONNECT_CERTIFICATE');
    expect(await code({ caFile: ca })).toBe('ERR_CONNECT_CERTIFICATE');
    expect(await code({ caFile: ca, certFile, keyFile })).toBeUndefined();
    expect(await code({ caFile: ca, certFile, keyFile }, `nats://localhost:${server.port}`)).toBeUndefined();
  });
});
