import { connect } from '@nats-io/transport-node';
import { jetstreamManager } from '@nats-io/jetstream';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { bootstrapPeelCreds } from '../../src/creds/bootstrap.js';
import { natsOptionsForMaster } from '../../src/connection/options.js';
import { loadCredsFile } from '../../src/creds/parse.js';
import { natsServerConfiguration } from '../../src/nats-server/configuration.js';
import { configurationText, quoted } from '../../src/nats-server/configuration-text.js';
import { startNatsServer, type RunningNatsServer } from '../../src/nats-server/run.js';
import { writeServerConfiguration } from '../../src/nats-server/write-configuration.js';
import { createTrustDomain } from '../../src/trust/create/create.js';
import { trustConfiguration } from '../support/operator-server.js';
import { tempDir } from '../support/temp-dir.js';
import { createTestTrust } from '../support/trust.js';
import { refusal, SEED } from '../support/refusal.js';

let server: RunningNatsServer | undefined;
afterEach(async () => {
  await server?.stop();
  server = undefined;
});

/** Strings that are special in the configuration's grammar, or in a shell. */
const HOSTILE = `it's "quoted" \\ back $HOME #no // {x: [1]} 'ü' \t;`;

describe('the text of a configuration', () => {
  it('quotes strings, so that the server reads them unchanged', () => {
    expect(quoted('plain')).toBe('"plain"');
    expect(quoted('a"b\\c')).toBe('"a\\"b\\\\c"');
    expect(quoted('a\nb\u0000')).toBe('"a\\x0Ab\\x00"');
  });

  it('has one member per line, with blocks, lists and numbers, and omits undefined values', () => {
    const text = configurationText({
      a: 1,
      b: true,
      c: undefined,
      d: { e: 'x', f: ['y', { g: -1 }] },
      'h-i': 'z',
    });
    expect(text).toBe('a: 1\nb: true\nd: {\n  e: "x"\n  f: ["y", {\n    g: -1\n  }]\n}\n"h-i": "z"\n');
  });
});

/** Since 2.11, a server's name has no spaces. */
const HOSTILE_NAME = HOSTILE.replaceAll(/\s/g, '');

describe('the configuration of a server', () => {
  it.each(['my server', '', ' ', 'a\tb', 'a\nb', 'a\u0000', '\u202ea'])(
    'refuses the server name %j',
    async (serverName) => {
      const options = { serverName, port: -1, ...trustConfiguration(createTestTrust()) };
      const make = () => natsServerConfiguration({ ...options, resolver: { type: 'full', dir: 'jwt' } });
      await refusal('ERR_NATS_SERVER_OPTIONS', make);
    },
  );

  it('is accepted by the real server, even with the strangest names and directories', async () => {
    const dir = join(await tempDir(), HOSTILE);
    await mkdir(join(dir, 'jwt'), { recursive: true });
    const trust = createTestTrust();
    const configPath = join(dir, 'nats.conf');
    await writeFile(
      configPath,
      natsServerConfiguration({
        serverName: HOSTILE_NAME,
        port: -1,
        ...trustConfiguration(trust),
        resolver: { type: 'full', dir: join(dir, 'jwt') },
        jetStream: { storeDir: join(dir, 'js'), maxMemory: 1 << 20, maxFile: 1 << 26 },
      }),
    );
    server = await startNatsServer({ configPath });
    const creds = join(dir, 'peel.creds');
    await bootstrapPeelCreds(trust.account.key, 'web-01', creds);
    const nc = await connect({ servers: server.url, ...(await loadCredsFile(creds)).natsOption() });
    expect(nc.info?.server_name).toBe(HOSTILE_NAME);
    expect(nc.info?.jetstream).toBe(true);
    await nc.close();
    expect(await readdir(dir)).toContain('js');
    expect((await readdir(join(dir, 'jwt'))).sort()).toEqual(
      [trust.account, trust.systemAccount].map(({ key }) => `${key.publicKey}.jwt`).sort(),
    );
  });

  it('listens on loopback by default, monitoring always', () => {
    const base = {
      ...trustConfiguration(createTestTrust()),
      port: 4222,
      resolver: { type: 'memory' },
    } as const;
    expect(natsServerConfiguration(base)).toContain('host: "127.0.0.1"\n');
    const open = natsServerConfiguration({ ...base, host: '0.0.0.0', httpPort: 8222 });
    expect(open).toContain('host: "0.0.0.0"\n');
    expect(open).toContain('http: "127.0.0.1:8222"\n');
  });

  it('is for a fleet: time to authenticate, pings and a limit of connections, as the real server reads them', async () => {
    const domain = await createTrustDomain(join(await tempDir(), 'home'));
    const configPath = await writeServerConfiguration(domain, { port: -1, maxConnections: 4_321 });
    server = await startNatsServer({ configPath });
    const system = await connect({
      servers: server.url,
      ...(await loadCredsFile(domain.paths.systemCreds)).natsOption(),
    });
    const { data } = (await system.request('$SYS.REQ.SERVER.PING.VARZ', '', { timeout: 5_000 })).json<{
      data: unknown;
    }>();
    await system.close();
    expect(data).toMatchObject({
      auth_timeout: 10,
      ping_interval: 30_000_000_000,
      ping_max: 2,
      max_connections: 4_321,
    });
  });

  it('holds no seed, and leaves max_control_line alone', () => {
    const text = natsServerConfiguration({
      ...trustConfiguration(createTestTrust()),
      port: 4222,
      resolver: { type: 'memory' },
    });
    expect(text).not.toMatch(SEED);
    expect(text).not.toContain('max_control_line');
  });
});

describe('the server of a trust domain', () => {
  it('trusts the domain’s operator: master, admin, system account and peels connect, and there is JetStream', async () => {
    const domain = await createTrustDomain(join(await tempDir(), 'home'));
    const configPath = await writeServerConfiguration(domain, { port: -1 });
    expect(configPath).toBe(domain.paths.serverConfiguration);
    server = await startNatsServer({ configPath });
    const peelCreds = join(domain.paths.credsDirectory, 'web-01.creds');
    await domain.issuePeel('web-01', peelCreds);
    const { masterCreds, adminCreds, systemCreds } = domain.paths;
    for (const path of [masterCreds, adminCreds, systemCreds, peelCreds]) {
      const creds = await loadCredsFile(path);
      const nc = await connect({ servers: server.url, ...creds.natsOption(), reconnect: false });
      await nc.flush();
      await nc.close();
    }
    const master = await connect({ servers: server.url, ...natsOptionsForMaster(masterCreds) });
    expect(await (await jetstreamManager(master)).getAccountInfo()).toMatchObject({ streams: 0 });
    await master.close();
    expect(await readdir(domain.paths.serverJwtDirectory)).toHaveLength(2);
  });

  it('is written again without harm, with the directories of the server kept', async () => {
    const domain = await createTrustDomain(join(await tempDir(), 'home'));
    await writeServerConfiguration(domain, { port: 4222 });
    await writeFile(join(domain.paths.serverJetStreamDirectory, 'kept'), '');
    await writeServerConfiguration(domain, { port: 4333, host: '0.0.0.0' });
    expect(await readdir(domain.paths.serverJetStreamDirectory)).toEqual(['kept']);
  });
});
