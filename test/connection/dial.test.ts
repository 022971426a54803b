import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { dial, type DialOptions } from '../../src/connection/dial.js';
import { PERSISTENT_OPTIONS } from '../../src/connection/options.js';
import { atEnd } from '../support/cleanup.js';
import { refusal } from '../support/refusal.js';

const REFUSAL = "-ERR 'Authorization Violation'\r\n";

/** A listener that plays the part of a server, as told. No nats-server runs. */
async function listening(play: (socket: Socket) => void) {
  const sockets: Socket[] = [];
  const listener = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    play(socket);
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  atEnd(async () => {
    for (const socket of sockets) socket.destroy();
    listener.close();
  });
  const address = `127.0.0.1:${(listener.address() as AddressInfo).port}`;
  return { address, sockets };
}

const info = (more: object = {}) =>
  `INFO ${JSON.stringify({ server_id: 'S', version: '2.12.0', max_payload: 1_048_576, headers: true, ...more })}\r\n`;

/** Sends its INFO, and answers the first PING. */
const accepting = (socket: Socket) => {
  socket.write(info());
  socket.on('data', (data) => {
    if (data.includes('PING')) socket.write('PONG\r\n');
  });
};
/** Sends its INFO, and refuses the CONNECT. */
const refusing =
  (more: object = {}) =>
  (socket: Socket) => {
    socket.write(info(more));
    socket.once('data', () => socket.end(REFUSAL));
  };
/** Nothing listens there any more. */
async function deserted(): Promise<string> {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  await new Promise((resolve) => listener.close(resolve));
  return `127.0.0.1:${port}`;
}

const ONCE: Partial<DialOptions> = { ...PERSISTENT_OPTIONS, reconnect: false, timeout: 5_000 };
const failed = (options: DialOptions) =>
  dial({ ...ONCE, ...options }).then(
    () => expect.unreachable('it connected'),
    (error: unknown) => error as Error,
  );

describe('a dial', () => {
  it('connects to a server that accepts it', async () => {
    const { address } = await listening(accepting);
    const nc = await dial({ ...ONCE, servers: address });
    expect(nc.getServer()).toBe(address);
    await nc.close();
  });

  it('sends nothing if its options are invalid', async () => {
    const { address, sockets } = await listening(accepting);
    await refusal('ERR_CONNECT_PLAIN', () => dial({ servers: 'nats://nats.example.com', requireTls: true }));
    await refusal('ERR_CONNECT_URL', () => dial({ servers: `http://${address}` }));
    await refusal('ERR_CONNECT_TLS_FILE', () => dial({ servers: address, tls: { caFile: 'no-such.pem' } }));
    expect(sockets).toEqual([]);
  });

  it('sends nothing over a plain connection if TLS is required', async () => {
    const received: Buffer[] = [];
    const { address } = await listening((socket) => {
      socket.on('data', (data) => void received.push(data));
      socket.write(info());
    });
    expect(await failed({ servers: address, tls: {} })).toMatchObject({
      message: expect.stringContaining('tls') as string,
    });
    expect(received).toEqual([]);
  });
});

describe('a failed dial', () => {
  it('has the message of the server', async () => {
    const { address } = await listening(refusing());
    expect((await failed({ servers: address })).message).toContain('Authorization Violation');
  });

  it('leaves no open connection', async () => {
    const { address, sockets } = await listening((socket) => void socket.write('220 mail.example.com\r\n'));
    await failed({ servers: address });
    await Promise.all(sockets.map((socket) => socket.destroyed || once(socket, 'close')));
  });

  it('is tried again at a server that closed without a reason, which a reset may have discarded', async () => {
    let connections = 0;
    const { address } = await listening((socket) => {
      connections += 1;
      if (connections > 1) return accepting(socket);
      socket.write(info());
      socket.once('data', () => socket.end());
    });
    const nc = await dial({ ...ONCE, servers: address });
    expect(connections).toBe(2);
    await nc.close();
  });
});

describe('a dial of several servers', () => {
  it('connects to the one that accepts it', async () => {
    const { address } = await listening(accepting);
    const nc = await dial({ ...ONCE, servers: [await deserted(), address], noRandomize: true });
    expect(nc.getServer()).toBe(address);
    await nc.close();
  });

  it('reports what one of them says, not that another one is down, in either order', async () => {
    const { address } = await listening(refusing());
    const servers = [address, await deserted()];
    for (const order of [servers, [...servers].reverse()]) {
      const { message } = await failed({ servers: order, noRandomize: true });
      expect(message).toContain('Authorization Violation');
    }
  });

  it('tries each once, and few of those that they announce', async () => {
    // like a cluster, each announces all
    const connect_urls: string[] = [];
    const refuse = refusing({ connect_urls });
    const announced = await Promise.all(Array.from({ length: 8 }, () => listening(refuse)));
    for (const { address } of announced) connect_urls.push(address);
    const known = await listening(refuse);
    await failed({ servers: known.address });
    expect(known.sockets).toHaveLength(1);
    const tried = announced.filter(({ sockets }) => sockets.length > 0);
    expect(tried).toHaveLength(4);
    for (const { sockets } of tried) expect(sockets).toHaveLength(1);
  });
});
