import { connect } from '@nats-io/transport-node';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { startNatsServer } from '../../src/nats-server/run.js';
import { atEnd } from '../support/cleanup.js';
import { isAlive } from '../support/processes.js';
import { tempDir } from '../support/temp-dir.js';
import { tsProgram } from '../support/ts-program.js';
import { waitFor } from '../support/wait-for.js';
import { childInput } from '../support/child-input.js';

async function configuration(text = 'host: "127.0.0.1"\nport: -1\n'): Promise<string> {
  const path = join(await tempDir(), 'nats.conf');
  await writeFile(path, text);
  return path;
}

async function start(configPath: string, options: { onLog?: (line: string) => void } = {}) {
  const server = await startNatsServer({ configPath, ...options });
  atEnd(() => server.stop());
  return server;
}

describe('starting a nats-server', () => {
  it('resolves when it accepts clients: the first attempt to connect succeeds', async () => {
    const server = await start(await configuration());
    expect(server.url).toBe(`nats://127.0.0.1:${server.port}`);
    expect(server.host).toBe('127.0.0.1');
    expect(server.clusterPort).toBeUndefined();
    const nc = await connect({ servers: server.url, reconnect: false, maxReconnectAttempts: 0 });
    await nc.flush();
    await nc.close();
  });

  it('reports the port on which the other servers of a cluster reach it', async () => {
    const server = await start(
      await configuration('host: "127.0.0.1"\nport: -1\ncluster { name: c, host: "127.0.0.1", port: -1 }\n'),
    );
    expect(server.clusterPort).toBeGreaterThan(0);
    expect(server.clusterPort).not.toBe(server.port);
  });

  it('also becomes ready if its log goes to a file', async () => {
    const dir = await tempDir();
    const server = await start(
      await configuration(`host: "127.0.0.1"\nport: -1\nlog_file: "${join(dir, 'log')}"\n`),
    );
    expect(server.port).toBeGreaterThan(0);
    expect(await readdir(dir)).toEqual(['log']);
  });

  it('passes on each line of the log', async () => {
    const log: string[] = [];
    const server = await start(await configuration(), { onLog: (line) => log.push(line) });
    await waitFor('the last line of the start', () => log.some((line) => line.includes('Server is ready')));
    await server.stop();
    expect(log.some((line) => line.includes('Server Exiting'))).toBe(true);
  });

  it('quotes the server’s error about an invalid configuration', async () => {
    const configPath = await configuration('# one\nport: "not a port"\n');
    const error = await startNatsServer({ configPath }).catch((e: unknown) => e);
    expect(error).toMatchObject({ name: 'NatsServerError', code: 'ERR_NATS_SERVER_START' });
    expect((error as Error).message).toMatch(/with exit code 1, and says: .*nats\.conf:2:/);
  });

  it('reports a missing configuration', async () => {
    const configPath = join(await tempDir(), 'gone.conf');
    await expect(startNatsServer({ configPath })).rejects.toMatchObject({
      code: 'ERR_NATS_SERVER_START',
      message: expect.stringMatching(/gone\.conf.*no such file/) as string,
    });
  });

  it('reports a port in use', async () => {
    const taken = createServer();
    taken.listen(0, '127.0.0.1');
    await once(taken, 'listening');
    atEnd(() => new Promise((resolve) => taken.close(resolve)));
    const { port } = taken.address() as AddressInfo;
    const configPath = await configuration(`host: "127.0.0.1"\nport: ${port}\n`);
    await expect(startNatsServer({ configPath })).rejects.toMatchObject({
      code: 'ERR_NATS_SERVER_START',
      message: expect.stringContaining('address already in use') as string,
    });
  });

  it('reports a program that cannot be run', async () => {
    const program = join(await tempDir(), 'no-program');
    await expect(startNatsServer({ program, configPath: await configuration() })).rejects.toMatchObject({
      code: 'ERR_NATS_SERVER_START',
      message: expect.stringContaining(program) as string,
    });
  });

  it('gives up on one that is not ready in time, and stops it', async () => {
    const dir = await tempDir();
    const program = join(dir, 'never-ready');
    await writeFile(
      program,
      `#!/bin/sh\necho $$ > ${join(dir, 'pid')}\necho "[1] still thinking" >&2\nexec sleep 60\n`,
    );
    await chmod(program, 0o755);
    await expect(
      startNatsServer({ program, configPath: await configuration(), readyTimeoutMs: 500 }),
    ).rejects.toMatchObject({
      code: 'ERR_NATS_SERVER_START',
      message: expect.stringMatching(/within 500 ms.*still thinking/) as string,
    });
    expect(isAlive(Number(await readFile(join(dir, 'pid'), 'utf8')))).toBe(false);
  });

  it('leaves no file behind, whether it started or not', async () => {
    const tmp = await tempDir();
    const configPath = await configuration();
    const before = process.env['TMPDIR'];
    process.env['TMPDIR'] = tmp;
    try {
      const server = await start(configPath);
      expect(await readdir(tmp)).toHaveLength(1);
      await server.stop();
      expect(await readdir(tmp)).toEqual([]);
      await expect(startNatsServer({ configPath: '/nowhere.conf' })).rejects.toThrow();
      await expect(startNatsServer({ program: '/nowhere', configPath: '/nowhere.conf' })).rejects.toThrow();
      expect(await readdir(tmp)).toEqual([]);
    } finally {
      if (before === undefined) delete process.env['TMPDIR'];
      else process.env['TMPDIR'] = before;
    }
  });
});

describe('stopping a nats-server', () => {
  it('is graceful, and twice is fine', async () => {
    const log: string[] = [];
    const server = await start(await configuration(), { onLog: (line) => log.push(line) });
    const [first, second] = await Promise.all([server.stop(), server.stop()]);
    expect(second).toEqual(first);
    expect(first.signal).toBeNull();
    expect(await server.stop()).toEqual(first);
    expect(isAlive(server.pid)).toBe(false);
  });

  it('kills one that does not answer', async () => {
    const server = await start(await configuration());
    server.kill('SIGSTOP'); // a server that hangs
    expect(await server.stop(300)).toEqual({ code: null, signal: 'SIGKILL' });
    expect(isAlive(server.pid)).toBe(false);
  });

  it('by another process is detected', async () => {
    const server = await start(await configuration());
    process.kill(server.pid, 'SIGKILL');
    expect(await server.exited).toEqual({ code: null, signal: 'SIGKILL' });
  });
});

describe('a server whose parent process ends', () => {
  const fixture = fileURLToPath(new URL('fixtures/run-a-server.ts', import.meta.url));

  interface Parent {
    process: ChildProcess;
    serverPid: number;
    /** The temporary directory of the parent. */
    tmp: string;
    /** The next line that the parent prints. */
    line(): Promise<string>;
  }

  async function startParent(): Promise<Parent> {
    const tmp = join(await tempDir(), 'tmp');
    await mkdir(tmp);
    const parent = spawn(process.execPath, [tsProgram(fixture), await configuration()], {
      stdio: ['pipe', 'pipe', 'ignore'],
      detached: true, // a process group of its own, as on a terminal
      env: { ...process.env, TMPDIR: tmp },
    });
    atEnd(async () => parent.kill('SIGKILL'));
    const line = async () => {
      const [data] = (await once(parent.stdout, 'data')) as [Buffer];
      return data.toString().trim();
    };
    const serverPid = Number(await line());
    atEnd(async () => isAlive(serverPid) && process.kill(serverPid, 'SIGKILL'));
    return { process: parent, serverPid, tmp, line };
  }

  async function expectNothingLeft({ serverPid, tmp }: Parent): Promise<void> {
    await waitFor('the end of the server', () => !isAlive(serverPid));
    await waitFor('the end of its directory', async () =>
      (await readdir(tmp)).every((name) => !name.startsWith('zester-')),
    );
  }

  it('ends too when the parent is killed with SIGKILL', async () => {
    const parent = await startParent();
    expect(isAlive(parent.serverPid)).toBe(true);
    parent.process.kill('SIGKILL');
    await expectNothingLeft(parent);
  });

  it.each(['SIGTERM', 'SIGHUP'] as const)('ends too when %s ends the parent', async (signal) => {
    const parent = await startParent();
    parent.process.kill(signal);
    await expectNothingLeft(parent);
  });

  it.each([
    ['exits', 'exit', 3],
    ['throws', 'throw', 1],
  ])('ends too when the parent %s', async (_, order, code) => {
    const parent = await startParent();
    childInput(parent.process).write(`${order}\n`);
    expect((await once(parent.process, 'exit'))[0]).toBe(code);
    await expectNothingLeft(parent);
  });

  it('ignores Ctrl-C, which its parent handles', async () => {
    const parent = await startParent();
    process.kill(-(parent.process.pid ?? 0), 'SIGINT');
    expect(await parent.line()).toBe('alive');
    await expectNothingLeft(parent);
  });
});
