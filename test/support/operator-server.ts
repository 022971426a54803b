import { connect, type NatsConnection } from '@nats-io/transport-node';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { bootstrapPeelCreds, type BootstrapPeelOptions } from '../../src/creds/bootstrap.js';
import { writeCredsFile } from '../../src/creds/generate.js';
import type { NatsOptions } from '../../src/creds/nats-options.js';
import { loadCredsFile } from '../../src/creds/parse.js';
import { createUserJwt, type UserJwtOptions } from '../../src/jwt/user.js';
import {
  natsServerConfiguration,
  type NatsServerConfigurationOptions,
} from '../../src/nats-server/configuration.js';
import { generateKeyBundle, type KeyBundle } from '../../src/nkeys/key-bundle.js';
import { atEnd } from './cleanup.js';
import { startManaged, type ManagedServer } from './managed-server.js';
import { tempDir } from './temp-dir.js';
import { createTestTrust, type TestTrust, type TestTrustOptions } from './trust.js';

export interface OperatorServerOptions extends TestTrustOptions {
  /** An existing trust, instead of a new one. */
  trust?: TestTrust;
  /** `full` by default: account JWTs can be pushed. */
  resolver?: 'full' | 'memory';
  /** Paths of PEM files. */
  tls?: NatsServerConfigurationOptions['tls'];
}

/** What can be chosen about a user made for one test. */
export interface TestUserOptions extends Partial<UserJwtOptions> {
  /** The key that signs; the account's own by default. Of a signing key, give `issuerAccount` too. */
  signer?: KeyBundle;
  /** The file; a new one in the server's directory by default. */
  path?: string;
}

/** Credentials of an operator's users, and connections with them: what a single server and a cluster have in common. */
export class OperatorCredentials {
  readonly trust: TestTrust;
  /** The directory of everything, removed after the last test. */
  readonly dir: string;
  readonly #urls: () => string[];
  #files = 0;

  constructor(trust: TestTrust, dir: string, urls: () => string[]) {
    this.trust = trust;
    this.dir = dir;
    this.#urls = urls;
  }

  /**
   * Credentials of a peel, as `bootstrapPeelCreds` makes them: scoped by default, with its subjects in its own JWT with
   * `scoped: false`.
   *
   * @returns the path of the file
   */
  async bootstrap(peelId: string, options: BootstrapPeelOptions & { path?: string } = {}): Promise<string> {
    const { path = this.#newPath(peelId), scoped = true, ...rest } = options;
    const { account, peelSigner } = this.trust;
    await bootstrapPeelCreds(
      scoped ? peelSigner : account.key,
      peelId,
      path,
      scoped ? { scoped, issuerAccount: account.key.publicKey, ...rest } : rest,
    );
    return path;
  }

  /**
   * Credentials of any user of the fleet's account, who may do everything unless `permissions` say otherwise.
   *
   * @returns the path of the file
   */
  async user(name: string, options: TestUserOptions = {}): Promise<string> {
    const { signer = this.trust.account.key, path = this.#newPath(name), ...rest } = options;
    const key = generateKeyBundle('user');
    await writeCredsFile(path, createUserJwt(key, signer, { name, ...rest }), key.seed);
    return path;
  }

  /** Options to connect as such a user, to be spread. */
  async userOptions(name: string, options: TestUserOptions = {}): Promise<NatsOptions> {
    return this.optionsFor(await this.user(name, options));
  }

  /** Options to connect with a `.creds` file, to be spread. */
  async optionsFor(credsPath: string): Promise<NatsOptions> {
    return { servers: this.#urls(), ...(await loadCredsFile(credsPath)).natsOption() };
  }

  /** Connects with a `.creds` file; closed after the last test at the latest. */
  async connect(credsPath: string, options: NatsOptions = {}): Promise<NatsConnection> {
    const nc = await connect({
      ...(await this.optionsFor(credsPath)),
      reconnectTimeWait: 50,
      reconnectJitter: 0,
      ...options,
    });
    atEnd(() => nc.close());
    return nc;
  }

  /** Connects as a user of the system account, who sees everything. */
  async systemConnection(options: NatsOptions = {}): Promise<NatsConnection> {
    return this.connect(await this.user('sys', { signer: this.trust.systemAccount.key }), options);
  }

  /** Pushes an account JWT to the running server, and checks that it was taken. */
  async pushAccount(accountJwt: string): Promise<void> {
    const system = await this.systemConnection();
    try {
      const answer = await system.request('$SYS.REQ.CLAIMS.UPDATE', accountJwt, { timeout: 5_000 });
      const { data, error } = answer.json<{ data?: { code?: number }; error?: { description?: string } }>();
      if (data?.code !== 200) throw new Error(`the push was refused: ${JSON.stringify(error ?? data)}`);
    } finally {
      await system.close();
    }
  }

  #newPath(name: string): string {
    return join(this.dir, `${name.replace(/\W/g, '_')}-${(this.#files += 1)}.creds`);
  }
}

/** A nats-server in operator mode with JetStream, and the means to make users of it. */
export class OperatorServer extends OperatorCredentials {
  readonly server: ManagedServer;

  constructor(trust: TestTrust, dir: string, server: ManagedServer) {
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

  /** Stops it. Its directory goes after the last test, as do connections. */
  close(): Promise<void> {
    return this.server.stop();
  }
}

/** Starts a server that trusts a new operator. */
export async function startOperatorServer(options: OperatorServerOptions = {}): Promise<OperatorServer> {
  const dir = await tempDir();
  const trust = options.trust ?? createTestTrust(options);
  await mkdir(join(dir, 'jwt'), { mode: 0o700 });
  const server = await startManaged(dir, (port) =>
    natsServerConfiguration({
      port,
      ...trustConfiguration(trust),
      resolver: options.resolver === 'memory' ? { type: 'memory' } : { type: 'full', dir: join(dir, 'jwt') },
      jetStream: { storeDir: join(dir, 'jetstream') },
      ...(options.tls && { tls: options.tls }),
    }),
  );
  return new OperatorServer(trust, dir, server);
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
