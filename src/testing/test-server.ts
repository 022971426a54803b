// startTestServer: an ephemeral nats-server that trusts an operator of the test.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  natsServerConfiguration,
  type NatsServerConfigurationOptions,
} from '../nats-server/configuration.js';
import { anything, bag, checkOptions, oneOf, text, type Entries } from '../options/check-options.js';
import { Cleanup } from './cleanup.js';
import { TestCredentials } from './credentials.js';
import { temporaryDirectory } from './directory.js';
import { startEphemeralServer, type EphemeralServer } from './ephemeral-server.js';
import { testOptionsError } from './options-error.js';
import { createTestTrust, type TestTrust, type TestTrustOptions } from './trust.js';

/** The options of {@link startTestServer}. */
export interface TestServerOptions extends TestTrustOptions {
  /** An existing trust, instead of a new one. */
  trust?: TestTrust | undefined;
  /** `full` by default: account JWTs can be pushed. */
  resolver?: 'full' | 'memory' | undefined;
  /** TLS of the server: paths of PEM files. */
  tls?: NatsServerConfigurationOptions['tls'] | undefined;
  /** The nats-server program; by default the one that `ZESTER_NATS_SERVER` names, or the one on the `PATH`. */
  program?: string | undefined;
}

const OPTIONS = bag({
  operator: anything,
  account: anything,
  extraAccounts: anything,
  trust: anything,
  resolver: oneOf(['full', 'memory']),
  tls: anything,
  program: text,
} satisfies Entries<TestServerOptions>);

/**
 * A nats-server in operator mode with JetStream, and means to create users for it; {@link startTestServer} starts
 * one.
 *
 * @example
 * import { loadCredsFile } from 'zester';
 * import { startTestServer } from 'zester/testing';
 *
 * const server = await startTestServer();
 * try {
 *   const credsPath = await server.userCreds('alice', { expirySeconds: 3_600 });
 *   const nc = await server.connect(credsPath);
 *
 *   const { publicKey } = await loadCredsFile(credsPath);
 *   const revocations = { [publicKey]: Math.floor(Date.now() / 1000) };
 *   await server.pushAccount(server.trust.accountJwtWith({ revocations }));
 *   await nc.closed(); // the server has cut it, and refuses it
 * } finally {
 *   await server.close();
 * }
 */
export class TestServer extends TestCredentials implements AsyncDisposable {
  /** The process: stop, kill and start it, and read its log. */
  readonly process: EphemeralServer;
  readonly #cleanup: Cleanup;

  /** @internal */
  constructor(trust: TestTrust, dir: string, process: EphemeralServer, cleanup: Cleanup) {
    super(trust, dir, () => [process.url], cleanup);
    this.process = process;
    this.#cleanup = cleanup;
  }

  /** For clients, such as `nats://127.0.0.1:12345`. */
  get url(): string {
    return this.process.url;
  }

  /** Closes its connections, stops it and removes its directory. May be called twice. */
  close(): Promise<void> {
    return this.#cleanup.run();
  }

  /** The same as `close()`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/**
 * Starts a real nats-server on a free port of this machine, in operator mode and with JetStream. It trusts a new
 * operator, whose keys are in memory, and keeps its files in a temporary directory. It ends with {@link
 * TestServer.close}, or when this process does, in any way.
 *
 * @throws FleetError `ERR_FLEET_CONFIG` of the options; NatsServerError `ERR_NATS_SERVER_NOT_FOUND`, which says how to install
 *   it; `ERR_NATS_SERVER_START`
 * @example
 * import { connectPeel } from 'zester';
 * import { startTestServer } from 'zester/testing';
 *
 * const server = await startTestServer(); // or, with TypeScript: await using server = …
 * try {
 *   const credsPath = await server.peelCreds('web-01', { expiry: 3_600 });
 *   const nc = await connectPeel({ servers: server.url, credsPath, peelId: 'web-01' });
 *   nc.publish('zester.event.web-01.started');
 *   await nc.drain();
 * } finally {
 *   await server.close();
 * }
 */
export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  checkOptions('startTestServer', options, OPTIONS, testOptionsError);
  const cleanup = new Cleanup();
  try {
    const dir = await temporaryDirectory(cleanup);
    const trust = options.trust ?? createTestTrust(options);
    await mkdir(join(dir, 'jwt'), { mode: 0o700 });
    const configuration = (port: number) =>
      natsServerConfiguration({
        port,
        ...trustConfiguration(trust),
        resolver:
          options.resolver === 'memory' ? { type: 'memory' } : { type: 'full', dir: join(dir, 'jwt') },
        jetStream: { storeDir: join(dir, 'jetstream') },
        ...(options.tls && { tls: options.tls }),
      });
    const server = await startEphemeralServer(dir, configuration, options.program);
    cleanup.add(() => server.stop());
    return new TestServer(trust, dir, server, cleanup);
  } catch (error) {
    await cleanup.run();
    throw error;
  }
}

/** The part of a configuration that says whom to trust. */
export function trustConfiguration(
  trust: TestTrust,
): Pick<NatsServerConfigurationOptions, 'operatorJwt' | 'systemAccount' | 'accounts'> {
  const accounts = [trust.systemAccount, trust.account, ...Object.values(trust.extraAccounts)];
  return {
    operatorJwt: trust.operatorJwt,
    systemAccount: trust.systemAccount.key.publicKey,
    accounts: Object.fromEntries(accounts.map(({ key, jwt }) => [key.publicKey, jwt])),
  };
}
