import { createServer, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';
import { atEnd } from './cleanup.js';

/** Takes connections and says nothing: what waits for such a server waits until its time is over. */
export async function startSilentServer(): Promise<{
  url: string;
  /** Resolves when as many connections were made. */
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
