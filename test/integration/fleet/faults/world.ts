import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import { contextOf } from '../../../../src/master/context-of.js';
import type { AdminClient } from '../../../../src/protocol/admin-client.js';
import { connectedUsers } from '../../../../src/system-account/connected-users.js';
import { connectSystem } from '../../../../src/system-account/system-connection.js';
import { atEnd } from '../../../support/cleanup.js';
import { waitFor } from '../../../support/wait-for.js';
import { ZESTER } from '../../../support/zester-command.js';
import { allAnswer } from '../asking.js';
import type { Fleet } from '../fleet.js';
import { addCreds } from '../peels.js';
import { peelHost, Program } from '../program.js';
import { clockOff } from './clock.js';

/** A fleet for fault injection: its master and its peels are separate processes. */
export class World {
  readonly fleet: Fleet;
  readonly admin: AdminClient;
  readonly ids: string[] = [];
  readonly revoked = new Set<string>();
  /** The acknowledged decisions: none may be lost. */
  readonly decided: { kind: string; peelId: string }[] = [];
  readonly hosts: Program[] = [];
  #endedAt = 0;
  /** The phase of the fault. */
  progress = '';
  /** Why the last request of an admin failed. */
  lastError: unknown;

  /** The world of the running test. */
  static last: World | undefined;

  constructor(fleet: Fleet, admin: AdminClient) {
    World.last = this;
    this.fleet = fleet;
    this.admin = admin;
  }

  /**
   * A master process.
   *
   * @param options.offMs the offset of its clock
   */
  async startMaster({ lifetime = 10, offMs = 0 } = {}): Promise<Program> {
    const { home } = this.fleet.home;
    const flags = ['--home', home, '--servers', ...this.fleet.servers, '--lifetime', `${lifetime}s`];
    const command = [...ZESTER, 'master', ...flags, '--json', '--log-level', 'info'];
    const master = new Program('master', [...clockOff(offMs), ...command], /"event":"ready"/);
    await master.start();
    return master;
  }

  /** Peels, all in one process. */
  async startPeels(ids: readonly string[], { offMs = 0 } = {}): Promise<Program> {
    const files: string[] = [];
    for (const id of ids) {
      files.push(await addCreds(this.fleet, this.admin, id));
      this.decided.push({ kind: 'key.issued', peelId: id });
    }
    this.ids.push(...ids);
    const host = peelHost('peels', this.fleet.servers, files, clockOff(offMs));
    this.hosts.push(host);
    await host.start();
    await this.connected();
    return host;
  }

  /**
   * Revokes a peel, like an admin.
   *
   * @returns whether the decision was acknowledged
   */
  async revoke(peelId: string): Promise<boolean> {
    try {
      await this.admin.ask('peel.revoke', { peelId, reason: 'fault' });
    } catch (error) {
      // it may have been decided anyway; retry later
      this.lastError = error;
      return false;
    }
    this.revoked.add(peelId);
    this.decided.push({ kind: 'peel.revoked', peelId });
    return true;
  }

  /** Retries like an admin or a script after a failure. */
  async insistOnRevoking(peelId: string): Promise<void> {
    await waitFor(`${peelId} to be revoked`, () => this.revoke(peelId), 60_000);
  }

  /** Marks the end of the fault: the recovery time starts here. */
  over(): void {
    this.#endedAt = performance.now();
  }

  /** Every healthy peel is connected, and no revoked one. */
  async connected(): Promise<void> {
    const domain = await this.fleet.home.domain();
    await waitFor(
      'every healthy peel to be connected, and no revoked one',
      async () => {
        const system = await connectSystem(domain, { servers: this.fleet.servers });
        try {
          const { users } = await connectedUsers(system, domain.publicKeys.account);
          const names = new Set(users.map(({ name }) => name));
          const missing = this.healthy.filter((id) => !names.has(id));
          const wrong = [...this.revoked].filter((id) => names.has(id));
          if (missing.length + wrong.length > 0)
            throw new Error(`missing: ${missing.join()}; wrong: ${wrong.join()}`);
          return true;
        } finally {
          await system.close();
        }
      },
      90_000,
    );
  }

  /** Prints diagnostics for a failed test. */
  explain(what: string): void {
    const words = this.fleet.home.nodes.flatMap(({ log }) => log.slice(-15));
    process.stderr.write(`${what}: ${this.progress} ${String(this.lastError)}\n${words.join('\n')}\n`);
  }

  get healthy(): string[] {
    return this.ids.filter((id) => !this.revoked.has(id));
  }

  /**
   * Waits until all invariants hold after a fault, without intervention.
   *
   * @returns the recovery time since the end of the fault, in seconds
   */
  async recovered(): Promise<number> {
    await this.connected();
    await allAnswer(this.fleet, this.healthy);
    const seconds = (performance.now() - this.#endedAt) / 1_000;
    // as it is seen by a master that had no part in it
    const judge = await this.fleet.startMaster({ lifetime: 7_200 });
    const records = () => [...contextOf(judge).registry.records()];
    await waitFor(
      'every decision to be in the registry and in the audit, and both to be the same',
      async () => {
        const snapshot = new Map(records().map((record) => [record.id, record]));
        for (const id of this.revoked)
          if (snapshot.get(id)?.state !== 'revoked') throw new Error(`${id} is not revoked`);
        for (const id of this.healthy)
          if (snapshot.get(id)?.state !== 'active')
            throw new Error(`${id} is ${snapshot.get(id)?.state ?? 'lost'}`);
        const audit = await this.fleet.audit();
        for (const { kind, peelId } of this.decided)
          if (!audit.some((event) => event.kind === kind && event.peelId === peelId))
            throw new Error(`${kind} of ${peelId} is not in the audit`);
        const folded = await this.fleet.folded(snapshot);
        for (const [id, record] of snapshot) expect(folded.get(id)).toEqual(record);
        return true;
      },
      60_000,
    );
    return seconds;
  }

  /** The events of a type from the peels. */
  eventsOf(type: string): { credsPath: string; error?: string }[] {
    return this.hosts
      .flatMap(({ output }) => output.split('\n'))
      .filter((line) => line.startsWith('{') && line.includes(`"type":"${type}"`))
      .map((line) => JSON.parse(line) as { credsPath: string; error?: string });
  }

  /** Waits until each healthy peel has renewed once more. */
  async renewedOnceMore(timeoutMs = 60_000): Promise<void> {
    const count = () => {
      const counts = new Map<string, number>();
      for (const { credsPath } of this.eventsOf('renewed')) {
        const id = /([\w-]+)\.creds$/.exec(credsPath)?.[1] ?? '';
        counts.set(id, (counts.get(id) ?? 0) + 1);
      }
      return counts;
    };
    const before = count();
    await waitFor(
      'every healthy peel to renew',
      () => {
        const now = count();
        const old = this.healthy.filter((id) => (now.get(id) ?? 0) <= (before.get(id) ?? 0));
        if (old.length > 0) throw new Error(`not renewed: ${old.join()}`);
        return true;
      },
      timeoutMs,
    );
  }
}

/** Pauses a process, like a suspended machine, and resumes it. */
export async function paused(
  pid: number,
  ms: number,
  meanwhile: () => Promise<void> = async () => undefined,
) {
  process.kill(pid, 'SIGSTOP');
  const awake = atEnd(async () => {
    try {
      process.kill(pid, 'SIGCONT');
    } catch {
      // it has ended
    }
  });
  await Promise.all([delay(ms).then(awake), meanwhile()]);
}
