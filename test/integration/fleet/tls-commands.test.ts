import { beforeAll, describe, expect, it } from 'vitest';
import { createTlsFiles, type TlsFiles } from '../../support/certificates.js';
import { startHome } from '../trust/support.js';
import {
  commandsInTurn,
  commandsThatTakeServers,
  CONNECTING,
  runConnecting,
  setHome,
  Stage,
  type ConnectionInput,
} from './connecting-commands.js';
import { Fleet } from './fleet.js';
import { addCreds, TestPeel } from './peels.js';

let files: TlsFiles;
let stage: Stage;
/** A list with commas: one server by its two names. */
let servers: string;
beforeAll(async () => {
  files = await createTlsFiles();
  const { cert, key, ca: caFile, clientCert: certFile, clientKey: keyFile } = files;
  const home = await startHome({
    serverTls: { cert, key, ca: caFile, verify: true },
    tls: { caFile, certFile, keyFile },
  });
  const fleet = new Fleet(home);
  await fleet.startMaster({ policy: 'auto-all' });
  stage = await Stage.of(fleet);
  await TestPeel.start(fleet, await addCreds(fleet, await fleet.admin(), 'web-01'), fleet.connection);
  const { port } = home.node(0);
  servers = `tls://localhost:${port}, tls://127.0.0.1:${port}`;
});

/** The ways to configure it: for the command, or in the home. */
const WAYS: Record<string, () => { input: ConnectionInput } | { home: Parameters<typeof setHome>[1] }> = {
  flags: () => ({
    input: {
      flags: [
        ...['--servers', servers, '--tls-ca', files.ca],
        ...['--tls-cert', files.clientCert, '--tls-key', files.clientKey, '--require-tls'],
      ],
    },
  }),
  'variables of the environment': () => ({
    input: {
      env: {
        ZESTER_SERVERS: servers,
        ZESTER_TLS_CA: files.ca,
        ZESTER_TLS_CERT: files.clientCert,
        ZESTER_TLS_KEY: files.clientKey,
        ZESTER_REQUIRE_TLS: '1',
      },
    },
  }),
  'settings of the home': () => ({
    home: {
      servers,
      tls: { caFile: files.ca, certFile: files.clientCert, keyFile: files.clientKey },
      requireTls: true,
    },
  }),
};

it('the table has every command with a --servers option', async () => {
  const names = Object.keys(CONNECTING).map((name) => name.replace(/ --.*/, ''));
  expect(new Set(names)).toEqual(
    new Set((await commandsThatTakeServers()).filter((name) => name !== 'init')),
  );
});

describe.each(Object.entries(WAYS))('%s', (way, make) => {
  let input: ConnectionInput = {};
  beforeAll(async () => {
    const made = make();
    if ('input' in made) ({ input } = made);
    await setHome(stage, 'home' in made ? made.home : {});
  });

  // refused-servers.test.ts has each command in each way
  const commands = commandsInTurn(Object.keys(WAYS), way, 0, (each) => each === 'settings of the home');
  it.each(commands)('let "zester %s" reach a server that asks for a certificate', async (name, { ends }) => {
    const { code, stderr } = await runConnecting(name, stage, input);
    if (ends === undefined) {
      expect({ code, stderr }).toMatchObject({
        code: 0,
        stderr: expect.not.stringContaining('ERR_') as string,
      });
    } else expect(stderr).toContain(ends);
  });
});

it.each(Object.keys(CONNECTING))(
  'without a certificate, "zester %s" is refused and names the missing option',
  async (name) => {
    await setHome(stage, {});
    const { stdout, stderr } = await runConnecting(name, stage, {
      flags: ['--servers', servers, '--tls-ca', files.ca],
    });
    expect(stdout + stderr).toContain('--tls-cert');
  },
);
