import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { createTlsFiles } from '../support/certificates.js';
import { startOperatorServer } from '../support/operator-server.js';

describe('a server with TLS', () => {
  it('accepts a client that trusts its authority', async () => {
    const files = await createTlsFiles();
    const server = await startOperatorServer({ tls: { cert: files.cert, key: files.key } });
    const nc = await server.connect(await server.bootstrap('web-01'), {
      tls: { ca: await readFile(files.ca, 'utf8') },
    });
    await nc.flush();
    expect(nc.info?.tls_required).toBe(true);
  });

  it('is refused by a client that does not', async () => {
    const files = await createTlsFiles();
    const server = await startOperatorServer({ tls: { cert: files.cert, key: files.key } });
    await expect(server.connect(await server.bootstrap('web-01'), { reconnect: false })).rejects.toThrow(
      /certificate/,
    );
  });

  it('asks clients for a certificate, with verify', async () => {
    const files = await createTlsFiles();
    const server = await startOperatorServer({
      tls: { cert: files.cert, key: files.key, ca: files.ca, verify: true },
    });
    const creds = await server.bootstrap('web-01');
    const ca = await readFile(files.ca, 'utf8');
    await expect(server.connect(creds, { tls: { ca }, reconnect: false })).rejects.toThrow();
    const nc = await server.connect(creds, {
      tls: { ca, certFile: files.clientCert, keyFile: files.clientKey },
    });
    await nc.flush();
    expect(nc.isClosed()).toBe(false);
  });
});
