import { appendFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { createTlsFiles } from '../../support/certificates.js';
import { startCluster } from '../../support/cluster.js';
import { waitFor } from '../../support/wait-for.js';
import { event, replaceByRename, startPeel, status, works } from './support.js';

it('never moves from a TLS server to an announced plain one, and rotates over TLS', async () => {
  const { cert, key, ca: caFile } = await createTlsFiles();
  const cluster = await startCluster();
  const [first, second, plain] = [cluster.node(0), cluster.node(1), cluster.node(2)];
  for (const node of [first, second]) {
    await appendFile(node.configPath, `\ntls: { cert_file: "${cert}", key_file: "${key}" }\n`);
    await node.restart();
  }
  for (const rotate of ['reconnect', 'hitless'] as const) {
    const credsPath = await cluster.user('web-01');
    const peel = await startPeel(Object.assign(cluster, { url: '' }), {
      servers: `tls://127.0.0.1:${first.port}`,
      tls: { caFile },
      credsPath,
      rotate,
      reconnectJitterTLS: 0,
    });
    const knowsBoth = () =>
      waitFor('the peel to learn of the other servers', () =>
        [second, plain].every(({ port }) =>
          (peel.nc.info?.connect_urls ?? []).some((url) => url.endsWith(`:${port}`)),
        ),
      );
    await knowsBoth();
    const tlsInUse = () => (peel.nc.info as { tls_required?: boolean }).tls_required;

    // both servers with TLS are gone: the remaining one is announced, up, and without TLS
    await second.kill();
    await first.kill();
    await status(peel, 'disconnect');
    const before = peel.statuses.length;
    await waitFor(
      'attempts at every server that is known',
      () => peel.statuses.slice(before).filter(({ type }) => type === 'reconnecting').length >= 6,
    );
    expect(peel.statuses.some(({ type }) => type === 'reconnect')).toBe(false);

    // of two announced servers, it uses the one with TLS
    await first.start();
    await second.start();
    await works(peel.nc);
    await knowsBoth();
    // it may be connected to either
    const used = peel.nc.getServer() === `127.0.0.1:${first.port}` ? first : second;
    const other = used === first ? second : first;
    await used.kill();
    await status(peel, 'reconnect', 2);
    await works(peel.nc);
    expect([peel.nc.getServer(), tlsInUse()]).toEqual([`127.0.0.1:${other.port}`, true]);
    const publicKey = await replaceByRename(credsPath, await cluster.user('web-01'));
    expect(await event(peel, 'rotated')).toMatchObject({ publicKey, how: rotate });
    await works(peel.nc);
    expect(tlsInUse()).toBe(true);
    await peel.nc.close();
    await used.start();
  }
});
