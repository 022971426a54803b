import { createServer } from 'node:net';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { freePort, freePorts } from '../../src/testing/free-ports.js';

it('gives no port again soon, although it is free: clients of a stopped server still dial it', async () => {
  const ports = await freePorts(100);
  const more = await freePorts(100);
  expect(new Set([...ports, ...more]).size).toBe(200);
  // below the range for outgoing connections
  for (const port of [...ports, ...more]) expect(port >= 12_000 && port < 32_000, `${port}`).toBe(true);
});

it('passes over a port that is taken', async () => {
  const taken = (await freePort()) + 1;
  const server = createServer().listen(taken, '127.0.0.1');
  await once(server, 'listening').catch(() => undefined);
  expect(await freePorts(3)).not.toContain(taken);
  server.close();
});
