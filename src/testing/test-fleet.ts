// startTestFleet: servers, a trust domain and masters in a box.
import { pathOf } from '../files/path-of.js';
import { join } from 'node:path';
import { writeCredsFile } from '../creds/generate.js';
import { writeSecretFile } from '../files/write-secret-file.js';
import { connectFleet, type ConnectFleetOptions } from '../fleet-client/connect-fleet.js';
import type { Fleet } from '../fleet-client/fleet.js';
import type { CreateTokenOptions } from '../fleet-client/fleet-tokens.js';
import { startMaster, type Master, type MasterOptions } from '../master/master.js';
import { generateKeyBundle } from '../nkeys/key-bundle.js';
import { anything, bag, checkOptions, number, object, text, type Entries } from '../options/check-options.js';
import type { CredentialsOption, UserCredentials } from '../creds/credentials-option.js';
import { startPeel, type Peel, type PeelSettings } from '../peel/peel.js';
import { writeRecoveryFile } from '../peel/recovery-files.js';
import { newRequestId } from '../protocol/admin-client.js';
import { newKeyProof } from '../protocol/proofs.js';
import { signProof } from '../protocol/prove-key.js';
import { TEST_CREDENTIALS_LIFETIME_SECONDS, TEST_RECONNECT_MS, TEST_WAIT_TIMEOUT_MS } from '../timing.js';
import { trustPaths } from '../trust/paths.js';
import { Cleanup } from './cleanup.js';
import { TestClock } from './clock.js';
import type { EphemeralServer } from './ephemeral-server.js';
import { startHomeServers, type HomeServers } from './home-servers.js';
import { testOptionsError } from './options-error.js';

/** The options of {@link startTestFleet}. */
export interface TestFleetOptions {
  /** How many servers; 1 by default; 3 or more form a cluster. */
  servers?: number | undefined;
  /** How many masters; 1 by default. With 0, {@link TestFleet.startMaster} starts them. */
  masters?: number | undefined;
  /** Options of each master, such as `policy` and `lifetimeSeconds`. */
  master?: Partial<MasterOptions> | undefined;
  /** The clock of its masters and peels; by default the machine's. */
  clock?: TestClock | undefined;
  /** The nats-server program; by default the one that `ZESTER_NATS_SERVER` names, or the one on the `PATH`. */
  program?: string | undefined;
}

const OPTIONS = bag({
  servers: number,
  masters: number,
  master: object,
  clock: anything,
  program: text,
} satisfies Entries<TestFleetOptions>);

/** The options of {@link TestFleet.peelCreds}. */
export interface TestFleetPeelOptions {
  /** The lifetime in seconds; by default the masters', 0 = never expires. */
  expirySeconds?: number | undefined;
  /** The file; `<peelId>.creds` in the fleet's directory by default. */
  path?: string | URL | undefined;
}

/**
 * A fleet in a box: its servers are processes, its masters and peels run in this one. {@link startTestFleet} starts one.
 *
 * @example
 * import { joinFleet } from 'zester/peel';
 * import { startTestFleet } from 'zester/testing';
 *
 * const fleet = await startTestFleet({ masters: 0 });
 * try {
 *   await fleet.startMaster({ policy: 'auto-all' });
 *   const token = await fleet.joinToken({ ids: 'web-*' });
 *   const out = `${fleet.dir}/web-02.creds`;
 *   await joinFleet({ servers: fleet.urls, token, peelId: 'web-02', out });
 *   await fleet.startPeel('web-02', { credentials: out });
 *
 *   const admin = await fleet.connect();
 *   console.log((await admin.peels.show('web-02')).record.state); // a…
 * } finally {
 *   await fleet.close();
 * }
 */
export class TestFleet implements AsyncDisposable {
  /** The home of its trust domain, for `ZESTER_HOME` and `startMaster`. */
  readonly home: string;
  /** A temporary directory, which contains the home; removed at the end. */
  readonly dir: string;
  /** Its servers: stop, kill and start them, and read their logs. */
  readonly servers: readonly EphemeralServer[];
  /** The masters that were started. */
  readonly masters: Master[] = [];
  /** The clock of its masters and peels; move it with `advance`. */
  readonly clock: TestClock;
  readonly #cleanup: Cleanup;
  #admin: Promise<Fleet> | undefined;

  /** @internal */
  constructor({ home, dir, nodes }: HomeServers, clock: TestClock, cleanup: Cleanup) {
    this.home = home;
    this.dir = dir;
    this.servers = nodes;
    this.clock = clock;
    this.#cleanup = cleanup;
  }

  /** The URLs of its servers, for any `servers` option. */
  get urls(): string[] {
    return this.servers.map(({ url }) => url);
  }

  /** The path of an admin's `.creds` file. */
  get adminCreds(): string {
    return trustPaths(this.home).adminCreds;
  }

  /** The path of a master's `.creds` file. */
  get masterCreds(): string {
    return trustPaths(this.home).masterCreds;
  }

  /**
   * Starts another master.
   *
   * @throws as `startMaster` of `zester/master`
   */
  async startMaster(options: Partial<MasterOptions> = {}): Promise<Master> {
    const master = await startMaster({
      home: this.home,
      servers: this.urls,
      now: this.clock.now,
      ...options,
    });
    this.masters.push(master);
    // the servers may be stopped by then
    this.#cleanup.add(() =>
      master.stop(this.servers.some(({ isRunning }) => isRunning) ? {} : { waitMs: 0 }),
    );
    return master;
  }

  /**
   * Connects an admin program.
   *
   * @throws as `connectFleet`
   */
  async connect(options: Partial<ConnectFleetOptions> = {}): Promise<Fleet> {
    const fleet = await connectFleet({
      servers: this.urls,
      credentials: this.adminCreds,
      timeoutMs: TEST_WAIT_TIMEOUT_MS,
      ...options,
    });
    this.#cleanup.add(() => fleet.close());
    return fleet;
  }

  /**
   * Issues a peel's credentials, as an admin does with `zester peel add`: the peel is accepted.
   *
   * @returns the path of the `.creds` file
   * @throws FleetError `ERR_FLEET_NO_MASTER`; `ERR_FLEET_ID_TAKEN` when the peel exists
   * @example
   * import { connectPeel } from 'zester';
   * import { startTestFleet } from 'zester/testing';
   *
   * const fleet = await startTestFleet();
   * try {
   *   const credentials = await fleet.peelCreds('web-01', { expirySeconds: 3_600 });
   *   const nc = await connectPeel({ servers: fleet.urls, peelId: 'web-01', credentials });
   *   await nc.drain();
   * } finally {
   *   await fleet.close();
   * }
   */
  async peelCreds(peelId: string, options: TestFleetPeelOptions = {}): Promise<string> {
    const { path: given = join(this.dir, `${peelId}.creds`), expirySeconds } = options;
    const path = pathOf(given);
    const { client } = await (this.#admin ??= this.connect());
    const key = generateKeyBundle('user');
    const { publicKey, seed } = key;
    try {
      const request = {
        requestId: newRequestId(),
        peelId,
        publicKey,
        signature: signProof(key, newKeyProof({ request: 'peel.add', id: peelId, publicKey })),
        ...(expirySeconds !== undefined && { expiry: expirySeconds }),
      };
      const { jwt, recovery } = await client.ask('peel.add', request);
      await writeCredsFile(path, jwt, seed);
      if (recovery !== undefined) await writeRecoveryFile(path, recovery);
      return path;
    } finally {
      seed.fill(0);
      key.wipe();
    }
  }

  /**
   * Creates a join token.
   *
   * @returns the path of its `.creds` file, which `joinFleet` takes
   * @throws FleetError `ERR_FLEET_NO_MASTER`
   */
  async joinToken(options: CreateTokenOptions = {}): Promise<string> {
    const admin = await (this.#admin ??= this.connect());
    const { token, creds } = await admin.tokens.create(options);
    const path = join(this.dir, `token-${token.id}.creds`);
    try {
      await writeSecretFile(path, creds);
    } finally {
      creds.fill(0);
    }
    return path;
  }

  /**
   * Starts a peel of the fleet in this process, with new credentials unless others are given. It uses the fleet's
   * clock.
   *
   * @throws as `startPeel` of `zester/peel`, and {@link peelCreds}
   */
  async startPeel(
    peelId: string,
    options: PeelSettings & Partial<CredentialsOption<UserCredentials>> = {},
  ): Promise<Peel> {
    const { credentials, credsPath, ...settings } = options;
    const isGiven = credentials !== undefined || credsPath !== undefined;
    const given = isGiven ? { credentials, credsPath } : { credentials: await this.peelCreds(peelId) };
    const peel = await startPeel({
      servers: this.urls,
      reconnectTimeWait: TEST_RECONNECT_MS,
      reconnectJitter: 0,
      now: this.clock.now,
      ...settings,
      // if both are given, startPeel refuses them
      ...(given as CredentialsOption<UserCredentials>),
      peelId,
    });
    const unfollow = this.clock.follow(() => peel.checkNow());
    void peel.closed.then(unfollow);
    this.#cleanup.add(async () => {
      // not drained: the servers may be stopped by then
      await peel.nc.close();
      await peel.closed;
    });
    return peel;
  }

  /** Ends its peels, masters, connections and servers, and removes its directory. May be called twice. */
  close(): Promise<void> {
    return this.#cleanup.run();
  }

  /** The same as `close()`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/**
 * Starts a whole fleet for a test: real servers on free ports of this machine, a trust domain in a temporary
 * directory, masters in this process, and a clock that the test controls. Add peels with {@link TestFleet.startPeel}.
 * It ends with {@link TestFleet.close}; the servers also end when this process does, in any way.
 *
 * @throws FleetError `ERR_FLEET_CONFIG` of the options; NatsServerError `ERR_NATS_SERVER_NOT_FOUND`, which says how to install
 *   it; `ERR_NATS_SERVER_START`; and as `startMaster`
 * @example
 * import { startTestFleet } from 'zester/testing';
 *
 * const fleet = await startTestFleet({ master: { lifetimeSeconds: 86_400 } }); // or: await using fleet = …
 * try {
 *   const peel = await fleet.startPeel('web-01', { handlers: { add: ([a, b]) => Number(a) + Number(b) } });
 *   const admin = await fleet.connect();
 *   for await (const reply of admin.peels.exec('web-01', 'add', ['1', '2']))
 *     console.log(reply.ok && reply.result); // 3
 *
 *   const renewed = (async () => {
 *     for await (const { type } of peel.events()) if (type === 'renewed') return;
 *   })();
 *   fleet.clock.advance(20 * 3_600_000); // two thirds of the lifetime are over
 *   await renewed;
 * } finally {
 *   await fleet.close();
 * }
 */
export async function startTestFleet(options: TestFleetOptions = {}): Promise<TestFleet> {
  checkOptions('startTestFleet', options, OPTIONS, testOptionsError);
  const { servers = 1, masters = 1, program } = options;
  if (!Number.isSafeInteger(servers) || servers < 1 || servers === 2)
    throw testOptionsError(`servers is ${servers}: give 1, or 3 and more for a cluster`);
  if (!Number.isSafeInteger(masters) || masters < 0)
    throw testOptionsError(`masters is ${masters}: give how many to start`);
  const cleanup = new Cleanup();
  try {
    const trust = { credsLifetime: TEST_CREDENTIALS_LIFETIME_SECONDS };
    const home = await startHomeServers({ servers, program, trust }, cleanup);
    const fleet = new TestFleet(home, options.clock ?? new TestClock(), cleanup);
    for (let i = 0; i < masters; i += 1) await fleet.startMaster(options.master);
    return fleet;
  } catch (error) {
    await cleanup.run();
    throw error;
  }
}
