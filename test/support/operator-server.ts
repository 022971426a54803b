import type { NatsOptions } from '../../src/creds/nats-options.js';
import {
  TestCredentials,
  type TestPeelCredsOptions,
  type TestUserOptions,
} from '../../src/testing/credentials.js';
import type { EphemeralServer } from '../../src/testing/ephemeral-server.js';
import { startTestServer, type TestServerOptions } from '../../src/testing/test-server.js';
import type { TestTrust } from '../../src/testing/trust.js';
import { atEnd, cleanup } from './cleanup.js';

export { trustConfiguration } from '../../src/testing/test-server.js';
export type { TestServerOptions as OperatorServerOptions } from '../../src/testing/test-server.js';
export type { TestUserOptions } from '../../src/testing/credentials.js';

/** Credentials of an operator's users, and connections with them: those of `zester/testing`, under shorter names. */
export class OperatorCredentials extends TestCredentials {
  constructor(trust: TestTrust, dir: string, urls: () => string[]) {
    super(trust, dir, urls, cleanup);
  }

  /** Credentials of a peel. @returns the path of the file */
  bootstrap(peelId: string, options: TestPeelCredsOptions = {}): Promise<string> {
    return this.peelCreds(peelId, options);
  }

  /** Credentials of any user of the fleet's account. @returns the path of the file */
  user(name: string, options: TestUserOptions = {}): Promise<string> {
    return this.userCreds(name, options);
  }

  /** Options to connect as such a user, to be spread. */
  async userOptions(name: string, options: TestUserOptions = {}): Promise<NatsOptions> {
    return this.optionsFor(await this.user(name, options));
  }
}

/** A nats-server in operator mode with JetStream, and functions to create its users. */
export class OperatorServer extends OperatorCredentials {
  readonly server: EphemeralServer;

  constructor(trust: TestTrust, dir: string, server: EphemeralServer) {
    super(trust, dir, () => [server.url]);
    this.server = server;
  }

  get url(): string {
    return this.server.url;
  }

  get port(): number {
    return this.server.port;
  }

  /** Stops and starts it: same port, same directories. */
  restart(): Promise<void> {
    return this.server.restart();
  }

  stop(): Promise<void> {
    return this.server.stop();
  }

  start(): Promise<void> {
    return this.server.start();
  }

  kill(signal?: NodeJS.Signals): Promise<void> {
    return this.server.kill(signal);
  }

  /** Stops it. Its directory and connections are cleaned up after the last test. */
  close(): Promise<void> {
    return this.server.stop();
  }
}

/** Starts a server that trusts a new operator. */
export async function startOperatorServer(options: TestServerOptions = {}): Promise<OperatorServer> {
  const server = await startTestServer(options);
  atEnd(() => server.close());
  return new OperatorServer(server.trust, server.dir, server.process);
}
