import dns from 'node:dns';
import { createServer, type Server, type Socket } from 'node:net';
import { writeFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { connectMaster, connectPeel } from '../../../src/connection/connect.js';
import { createTrustDomain } from '../../../src/trust/create/create.js';
import { atEnd } from '../../support/cleanup.js';
import { startOperatorServer } from '../../support/operator-server.js';
import { tempDir } from '../../support/temp-dir.js';
import { tsProgram } from '../../support/ts-program.js';
import { startZester } from '../server/zester-process.js';

const PROGRAM = fileURLToPath(new URL('children/connect-in-vain.ts', import.meta.url));

/**
 * Starts a listener that accepts connections.
 *
 * @returns its URL
 */
async function listener(onSocket: (socket: Socket) => void): Promise<{ url: string; server: Server }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    onSocket(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEnd(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { url: `nats://127.0.0.1:${(server.address() as { port: number }).port}`, server };
}

const silent = () => listener(() => undefined);
const closing = () => listener((socket) => socket.destroy());

describe('a command, against a listener that is not a NATS server', () => {
  it(
    'exits with 4 when it accepts the connection and stays silent, or closes it',
    { timeout: 120_000 },
    async () => {
      const home = join(await tempDir(), 'home');
      await createTrustDomain(home);
      for (const { url } of [await silent(), await closing()]) {
        const commands = [['ping', 'x'], ['peel', 'list'], ['audit'], ['account', 'show'], ['doctor']];
        // concurrently: they only wait
        await Promise.all(
          commands.map(async (args) => {
            const zester = startZester([...args, '--home', home, '--servers', url]);
            expect({ args, ...(await zester.exited) }).toEqual({ args, code: 4, signal: null });
            expect(zester.stderr() + zester.stdout()).toMatch(/no answer within|closed the connection/);
          }),
        );
      }
    },
  );

  it('exits with 4 when a signing key is to be removed', { timeout: 60_000 }, async () => {
    const home = join(await tempDir(), 'home');
    const { publicKeys } = await createTrustDomain(home);
    const add = startZester(['keys', 'add', 'peel-signing', '--no-push', '--home', home]);
    expect(await add.exited).toEqual({ code: 0, signal: null });
    for (const { url } of [await silent(), await closing()]) {
      const args = ['keys', 'remove', publicKeys.peelSigning, '--yes', '--home', home, '--servers', url];
      const remove = startZester(args);
      expect(await remove.exited).toEqual({ code: 4, signal: null });
      expect(remove.stderr()).toContain('[ERR_NATS_SERVER_UNREACHABLE]');
    }
  });

  it.each([
    ['', {}],
    [' of TLS first', { tls: { handshakeFirst: true } }],
  ])('a program whose connectPeel%s was rejected ends by itself', { timeout: 60_000 }, async (_of, more) => {
    const { url } = await silent();
    const server = await startOperatorServer();
    const credsPath = await server.user('web-01');
    const options = { servers: url, credsPath, peelId: 'web-01', timeout: 500, ...more };
    const child = spawn(process.execPath, [tsProgram(PROGRAM), JSON.stringify(options)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    atEnd(async () => void child.kill('SIGKILL'));
    let output = '';
    child.stdout.on('data', (data: Buffer) => (output += data.toString()));
    expect(await once(child, 'close')).toEqual([0, null]);
    expect(output).toBe('ERR_CONNECT_UNREACHABLE');
  });
});

describe('a listener that does not speak NATS', () => {
  it.each([
    ['HTTP', 'HTTP/1.1 400 Bad Request\r\n\r\n<html>\u001b[2J</html>\r\n'],
    ['INFO without its JSON', 'INFO {no json\r\n'],
    ['INFO that is cut', 'INFO {"server_id":\r\n'],
  ])('is reported as such: %s', async (_, words) => {
    const { url } = await listener((socket) => socket.write(words));
    const server = await startOperatorServer();
    const credsPath = await server.user('web-01');
    for (const connect of [
      () => connectPeel({ servers: url, credsPath, peelId: 'web-01' }),
      () => connectMaster({ servers: url, credsPath }),
    ]) {
      await expect(connect()).rejects.toMatchObject({
        code: 'ERR_CONNECT_UNREACHABLE',
        message: expect.stringContaining('the program that listens there does not speak NATS') as unknown,
      });
    }
  });
});

describe('a name that the DNS does not answer for', () => {
  it('ends the attempt, and the next server in the list is used', async () => {
    const server = await startOperatorServer();
    const options = {
      credsPath: await server.user('web-01'),
      peelId: 'web-01',
      timeout: 300,
      noRandomize: true,
    };
    // Node.js asks the resolver of the system, which a test cannot make silent
    const lookup = vi.spyOn(dns, 'lookup').mockReturnValue(undefined);
    onTestFinished(() => void lookup.mockRestore());
    const name = 'nats://silent.example.com';
    await expect(connectPeel({ ...options, servers: name })).rejects.toMatchObject({
      code: 'ERR_CONNECT_UNREACHABLE',
      message: expect.stringContaining('silent.example.com: DNS timeout') as unknown,
    });
    const nc = await connectPeel({ ...options, servers: [name, server.url] });
    expect(nc.getServer()).toBe(`127.0.0.1:${server.port}`);
    await nc.close();
  });
});

describe('a server that is full', () => {
  it('is reported at once in its own words, and the next server in the list is used', async () => {
    const server = await startOperatorServer();
    const credsPath = await server.user('web-01');
    const { configPath } = server.server;
    await server.kill('SIGKILL');
    await writeFile(configPath, `${await readFile(configPath, 'utf8')}\nmax_connections: 1\n`);
    await server.start();
    const first = await connectMaster({ servers: server.url, credsPath });
    atEnd(() => first.close());
    for (const connect of [
      () => connectPeel({ servers: server.url, credsPath, peelId: 'web-01', timeout: 60_000 }),
      () => connectMaster({ servers: server.url, credsPath, timeout: 60_000 }),
    ]) {
      await expect(connect()).rejects.toMatchObject({
        code: 'ERR_CONNECT_UNREACHABLE',
        message: expect.stringMatching(/maximum connections exceeded/i) as unknown,
      });
    }
    const other = await startOperatorServer({ trust: server.trust });
    const peel = await connectPeel({
      servers: [server.url, other.url],
      noRandomize: true,
      credsPath,
      peelId: 'web-01',
    });
    expect(peel.getServer()).toBe(`127.0.0.1:${other.port}`);
    await peel.close();
  });
});
