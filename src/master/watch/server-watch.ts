// Watches the servers' versions, storage, and whether JetStream writes.
import type { NatsConnection } from '@nats-io/nats-core';
import { NatsServerError } from '../../errors.js';
import { jetStreamStorage } from '../../system-account/jetstream-storage.js';
import { storageFailures, type StorageFailure } from '../../system-account/jetstream-health.js';
import { listServers } from '../../system-account/servers.js';
import { LOW_STORAGE_FIX, lowStorage } from '../../system-account/storage-headroom.js';
import {
  STORAGE_PROBLEM_FIX,
  describeStorageProblem,
  withoutMajority,
} from '../../system-account/storage-problem.js';
import { versionProblems } from '../../system-account/server-versions.js';
import type { MasterLogger } from '../logger.js';
import { errorMessage } from '../../text/error-message.js';
import { VERSIONS_INTERVAL_MS } from '../../timing.js';

/** Checks the versions and the storage of all servers: when a master starts, and while it runs. */
export class ServerWatch {
  readonly #system: NatsConnection;
  readonly #account: string;
  readonly #logger: MasterLogger;
  readonly #loggedVersions = new Set<string>();
  readonly #low = new Set<string>();
  readonly #failed = new Set<string>();
  #onFailure: (failure: StorageFailure) => void = () => undefined;
  #problem: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isChecking = false;
  #stopped = false;

  /**
   * @param system a connection of the system account
   * @param account the fleet's account (`A…`)
   */
  constructor(system: NatsConnection, account: string, logger: MasterLogger) {
    this.#system = system;
    this.#account = account;
    this.#logger = logger;
  }

  /**
   * Reads the versions once, and logs each unsupported one once.
   *
   * @throws NatsServerError `ERR_SERVER_TOO_OLD` when a member of a cluster is; as `listServers`
   */
  async check(): Promise<void> {
    const servers = await listServers(this.#system);
    const problems = versionProblems(servers);
    const tooOld = problems.filter(({ support }) => support === 'too-old');
    const [first] = tooOld;
    if (first !== undefined) {
      const names = tooOld.map(({ server }) => server).join(', ');
      throw new NatsServerError('ERR_SERVER_TOO_OLD', `${names}: ${first.message}: ${first.fix}`);
    }
    for (const { server, version, message, fix } of problems) {
      if (this.#loggedVersions.has(`${server} ${version}`)) continue;
      this.#loggedVersions.add(`${server} ${version}`);
      this.#logger.warn({ server, version, fix }, message);
    }
    await this.#checkStorage(servers.length);
    await this.#checkFailures(servers.length);
  }

  /** Why nothing can be written; undefined: enough servers write, or it is unknown. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** @param onFailure called for each server whose JetStream stops writing from now on, once until it writes again */
  onStorageFailure(onFailure: (failure: StorageFailure) => void): void {
    this.#onFailure = onFailure;
  }

  async #checkFailures(servers: number): Promise<void> {
    const failures = await storageFailures(this.#system, this.#account, servers);
    const names = new Set(failures.map(({ server }) => server));
    for (const server of this.#failed) {
      if (names.has(server)) continue;
      this.#failed.delete(server);
      this.#logger.info({ server }, 'JetStream writes again');
    }
    for (const failure of failures) {
      const { server, reason } = failure;
      if (this.#failed.has(server)) continue;
      this.#failed.add(server);
      this.#logger.error({ server, fix: STORAGE_PROBLEM_FIX }, describeStorageProblem(reason));
      this.#onFailure(failure);
    }
    const [first] = failures;
    this.#problem =
      first !== undefined && withoutMajority(failures.length, servers)
        ? `${first.server}: ${describeStorageProblem(first.reason)}`
        : undefined;
  }

  /** Warns about each server that is low on storage, once until it has room again. */
  async #checkStorage(servers: number): Promise<void> {
    for (const storage of await jetStreamStorage(this.#system, servers)) {
      const { server } = storage;
      const problem = lowStorage(storage);
      if (problem === undefined) this.#low.delete(server);
      else if (!this.#low.has(server)) {
        this.#low.add(server);
        this.#logger.warn({ server, fix: LOW_STORAGE_FIX }, problem);
      }
    }
  }

  /**
   * Like {@link check}, but servers that do not answer now are checked later.
   *
   * @throws NatsServerError `ERR_SERVER_TOO_OLD`
   */
  async checkAtStart(): Promise<void> {
    try {
      await this.check();
    } catch (error) {
      if (isTooOld(error)) throw error;
      this.#logger.warn({ error: errorMessage(error) }, "cannot read the servers' versions yet");
    }
  }

  /** Keeps checking. @param onTooOld called once for a server that joined and is too old */
  follow(onTooOld: (error: NatsServerError) => void): void {
    this.#timer = setInterval(() => void this.#checkAgain(onTooOld), VERSIONS_INTERVAL_MS);
    this.#timer.unref();
  }

  stop(): void {
    this.#stopped = true;
    clearInterval(this.#timer);
  }

  async #checkAgain(onTooOld: (error: NatsServerError) => void): Promise<void> {
    if (this.#isChecking) return;
    this.#isChecking = true;
    try {
      await this.check();
    } catch (error) {
      if (this.#stopped) return;
      if (isTooOld(error)) {
        this.stop();
        onTooOld(error);
        return;
      }
      this.#logger.debug({ error: errorMessage(error) }, "cannot read the servers' versions");
    } finally {
      this.#isChecking = false;
    }
  }
}

function isTooOld(error: unknown): error is NatsServerError {
  return error instanceof NatsServerError && error.code === 'ERR_SERVER_TOO_OLD';
}
