import { beforeAll, describe, expect, it } from 'vitest';
import { createTlsFiles } from '../../support/certificates.js';
import {
  commandsInTurn,
  runConnecting,
  setHome,
  Stage,
  type ConnectionInput,
} from './connecting-commands.js';
import { startFleet } from './fleet.js';

let stage: Stage;
/** Of the fleet's server, which has no TLS. */
let port: number;
let caFile: string;
beforeAll(async () => {
  ({ ca: caFile } = await createTlsFiles());
  const fleet = await startFleet({ policy: 'auto-all' });
  ({ port } = fleet.home.node(0));
  stage = (await Stage.of(fleet)).keepsAll();
});

interface Refusal {
  servers: () => string;
  requireTls?: true;
  tls?: true;
  words: RegExp;
}

const SECRET = 'hunter2secret';
const REFUSALS: Record<string, Refusal> = {
  'tls:// of a server that offers no TLS': {
    servers: () => `tls://127.0.0.1:${port}`,
    words: /does not offer it/,
  },
  'a tls:// URL beside a plain one': {
    servers: () => `nats://127.0.0.1:${port},tls://localhost:${port}`,
    words: /does not offer it/,
  },
  'an authority, and a server that offers no TLS': {
    servers: () => `nats://127.0.0.1:${port}`,
    tls: true,
    words: /does not offer it/,
  },
  'a plain URL where TLS is required': {
    servers: () => 'nats://192.0.2.1:4222',
    requireTls: true,
    words: /would not be encrypted/,
  },
  'a plain URL behind one of this machine, where TLS is required': {
    servers: () => `nats://127.0.0.1:${port},nats://192.0.2.1`,
    requireTls: true,
    words: /would not be encrypted/,
  },
  'wss://': { servers: () => 'wss://127.0.0.1:1', words: /"wss:\/\/" is not supported/ },
  'http://': {
    servers: () => `nats://127.0.0.1:${port},http://127.0.0.1:1`,
    words: /"http:\/\/" is not supported/,
  },
  'a password': { servers: () => `nats://svc:${SECRET}@127.0.0.1:${port}`, words: /a user or a password/ },
  'a token': { servers: () => `nats://${SECRET}@127.0.0.1:${port}`, words: /a user or a password/ },
  'a password with a comma': {
    servers: () => `nats://svc:x,${SECRET}@127.0.0.1:${port}`,
    words: /a user or a password/,
  },
  'a password whose @ is encoded': {
    servers: () => `nats://svc:${SECRET}%40127.0.0.1`,
    words: /is invalid/,
  },
  'a password without a scheme': {
    servers: () => `svc:${SECRET}@127.0.0.1:${port}`,
    words: /a user or a password/,
  },
};

/** The ways to configure it. */
const WAYS: Record<
  string,
  (refusal: Refusal) => { input?: ConnectionInput; home?: Parameters<typeof setHome>[1] }
> = {
  flags: ({ servers, requireTls, tls }) => ({
    input: {
      flags: [
        ...['--servers', servers()],
        ...(requireTls ? ['--require-tls'] : []),
        ...(tls ? ['--tls-ca', caFile] : []),
      ],
    },
  }),
  'the environment': ({ servers, requireTls, tls }) => ({
    input: {
      env: {
        ZESTER_SERVERS: servers(),
        ...(requireTls && { ZESTER_REQUIRE_TLS: 'yes' }),
        ...(tls && { ZESTER_TLS_CA: caFile }),
      },
    },
  }),
  'the home': ({ servers, requireTls, tls }) => ({
    home: { servers: servers(), ...(requireTls && { requireTls }), ...(tls && { tls: { caFile } }) },
  }),
};

/** The commands that meet a refusal in a way: each meets all of them, in one way after the other. */
const commandsOf = (way: string, refusal: number) =>
  commandsInTurn(Object.keys(WAYS), way, refusal, (each) => each === 'the home');

describe.each(Object.keys(WAYS))('configured by %s', (way) => {
  describe.each(Object.values(REFUSALS).map((refusal, i) => [Object.keys(REFUSALS)[i], refusal, i] as const))(
    '%s',
    (_what, refusal, i) => {
      let input: ConnectionInput;
      beforeAll(async () => {
        const made = WAYS[way]?.(refusal) ?? {};
        input = made.input ?? {};
        await setHome(stage, made.home ?? {});
        return () => setHome(stage, {});
      });

      it.each(commandsOf(way, i))('is refused by "zester %s"', async (name, { warns, goesOn }) => {
        const { code, stdout, stderr } = await runConnecting(name, stage, {
          ...input,
          flags: [...(input.flags ?? []), '--debug'],
        });
        expect(stdout + stderr).toMatch(refusal.words);
        expect(stdout + stderr).not.toContain(SECRET);
        if (warns !== true && goesOn !== true) expect(code).not.toBe(0);
      });
    },
  );
});
