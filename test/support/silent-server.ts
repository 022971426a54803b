import { createServer, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';
import { atEnd } from './cleanup.js';

/** Accepts connections and sends nothing, so that clients run into their timeouts. */
export async function startSilentServer(): Promise<{
  url: string;
  /** Resolves after this many connections. */
  connected: (count: number) => Promise<void>;
}> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `nats://127.0.0.1:${port}`,
    connected: async (count) => {
      while (sockets.length < count) await once(server, 'connection');
    },
  };
}
