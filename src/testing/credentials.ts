// Credentials of a test's users, and connections with them.
import { pathOf } from '../files/path-of.js';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { join } from 'node:path';
import { bootstrapPeelCreds, type BootstrapPeelOptions } from '../creds/bootstrap.js';
import { writeCredsFile } from '../creds/generate.js';
import type { NatsOptions } from '../creds/nats-options.js';
import { loadCredsFile } from '../creds/parse.js';
import { createUserJwt, type UserJwtOptions } from '../jwt/user.js';
import { generateKeyBundle, type KeyBundle } from '../nkeys/key-bundle.js';
import { TEST_RECONNECT_MS, TEST_WAIT_TIMEOUT_MS } from '../timing.js';
import type { Cleanup } from './cleanup.js';
import type { TestTrust } from './trust.js';

/** The options of a peel's credentials. */
export interface TestPeelCredsOptions extends BootstrapPeelOptions {
  /** The file; a new one in the test's directory by default. */
  path?: string | URL | undefined;
}

/** The options of a test user. */
export interface TestUserOptions extends Partial<UserJwtOptions> {
  /** The key that signs; by default the account's own. For a signing key, also give `issuerAccount`. */
  signer?: KeyBundle | undefined;
  /** The file; a new one in the test's directory by default. */
  path?: string | URL | undefined;
}

/**
 * Credentials of an operator's users, and connections with them; common to a single server and a cluster.
 *
 * @example
 * import { connect } from '@nats-io/transport-node';
 * import { startTestServer } from 'zester/testing';
 *
 * const server = await startTestServer(); // a TestServer is a TestCredentials
 * try {
 *   const nc = await connect(await server.optionsFor(await server.peelCreds('web-01')));
 *   const system = await server.connect(await server.systemCreds());
 *   const answer = await system.request('$SYS.REQ.SERVER.PING.CONNZ');
 *   console.log(answer.json<{ data: { num_connections: number } }>().data.num_connections); // 2
 *   await nc.close();
 * } finally {
 *   await server.close();
 * }
 */
export class TestCredentials {
  /** The operator and the accounts that sign them. */
  readonly trust: TestTrust;
  /** The directory of all files; removed at the end. */
  readonly dir: string;
  readonly #urls: () => string[];
  readonly #cleanup: Pick<Cleanup, 'add'>;
  #files = 0;

  /** @internal */
  constructor(trust: TestTrust, dir: string, urls: () => string[], cleanup: Pick<Cleanup, 'add'>) {
    this.trust = trust;
    this.dir = dir;
    this.#urls = urls;
    this.#cleanup = cleanup;
  }

  /**
   * Credentials of a peel, as `bootstrapPeelCreds` makes them: scoped by default, with its subjects in its own JWT with
   * `scoped: false`.
   *
   * @returns the path of the `.creds` file
   * @throws PeelIdError, JwtError
   */
  async peelCreds(peelId: string, options: TestPeelCredsOptions = {}): Promise<string> {
    const { path: given = this.#newPath(peelId), scoped = true, ...rest } = options;
    const path = pathOf(given);
    const { account, peelSigner } = this.trust;
    const scope = { scoped, issuerAccount: account.key.publicKey };
    const { user } = await bootstrapPeelCreds(scoped ? peelSigner : account.key, peelId, path, {
      ...(scoped && scope),
      ...rest,
    });
    user.wipe();
    return path;
  }

  /**
   * Credentials of any user of the fleet's account, unrestricted unless `permissions` say otherwise.
   *
   * @returns the path of the `.creds` file
   * @throws JwtError
   */
  async userCreds(name: string, options: TestUserOptions = {}): Promise<string> {
    const { signer = this.trust.account.key, path: given = this.#newPath(name), ...rest } = options;
    const path = pathOf(given);
    const key = generateKeyBundle('user');
    await writeCredsFile(path, createUserJwt(key, signer, { name, ...rest }), key.seed);
    key.wipe();
    return path;
  }

  /** Credentials of a user of the system account, who sees everything. @returns the path of the `.creds` file */
  systemCreds(): Promise<string> {
    return this.userCreds('sys', { signer: this.trust.systemAccount.key });
  }

  /** Options of the client's `connect()` with a `.creds` file, to be spread. */
  async optionsFor(credsPath: string | URL): Promise<NatsOptions> {
    return { servers: this.#urls(), ...(await loadCredsFile(credsPath)).natsOption() };
  }

  /** Connects with a `.creds` file; closed at the end at the latest. */
  async connect(credsPath: string | URL, options: NatsOptions = {}): Promise<NatsConnection> {
    const nc = await connect({
      ...(await this.optionsFor(credsPath)),
      reconnectTimeWait: TEST_RECONNECT_MS / 2,
      reconnectJitter: 0,
      ...options,
    });
    this.#cleanup.add(() => nc.close());
    return nc;
  }

  /**
   * Connects as a user of the system account.
   *
   * @example
   * import { startTestServer } from 'zester/testing';
   *
   * const server = await startTestServer();
   * try {
   *   const system = await server.systemConnection();
   *   system.subscribe('$SYS.ACCOUNT.*.CONNECT', { callback: (_error, msg) => console.log(msg.subject) });
   *   await system.flush();
   * } finally {
   *   await server.close();
   * }
   */
  async systemConnection(options: NatsOptions = {}): Promise<NatsConnection> {
    return this.connect(await this.systemCreds(), options);
  }

  /**
   * Pushes an account JWT to the running server, and checks that it was accepted.
   * @throws Error with the server's words
   */
  async pushAccount(accountJwt: string): Promise<void> {
    const system = await this.systemConnection();
    try {
      const answer = await system.request('$SYS.REQ.CLAIMS.UPDATE', accountJwt, {
        timeout: TEST_WAIT_TIMEOUT_MS,
      });
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
