import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { NatsServerError } from '../../../src/errors.js';
import type { AuditEntry } from '../../../src/master/audit/audit-log.js';
import {
  RunningMaster,
  type RunningContext,
  type RunningConnections,
} from '../../../src/master/start/running-master.js';
import { keptLog } from '../../support/kept-log.js';

/** The part of a connection that a running master uses. */
class MemoryConnection {
  #end: () => void = () => undefined;
  readonly #ended = new Promise<void>((resolve) => (this.#end = resolve));
  isOpen = true;
  isClosed = () => !this.isOpen;
  closed = () => this.#ended;
  close = async () => {
    this.isOpen = false;
    this.#end();
  };
}

/** A running master. `closeAll` is what its parts do when they are stopped. */
function started(closeAll: () => Promise<unknown[]> = async () => []) {
  const [nc, system, auth, enroll, admins] = Array.from({ length: 5 }, () => new MemoryConnection()) as [
    MemoryConnection,
    MemoryConnection,
    MemoryConnection,
    MemoryConnection,
    MemoryConnection,
  ];
  const events: AuditEntry[] = [];
  const steps: string[] = [];
  const down = new Set<string>();
  let tooOld: (error: NatsServerError) => void = () => undefined;
  const { logger, lines } = keptLog();
  const context: RunningContext = {
    id: 'm1',
    actor: { kind: 'master', name: 'm1' },
    logger,
    watching: () => 'm1',
    audit: { note: (entry: AuditEntry) => void events.push(entry) } as RunningContext['audit'],
    policy: { stop: () => void steps.push('policy stopped') },
    events: { iterate: () => (async function* () {})() } as RunningContext['events'],
    metrics: { registry: { metrics: async () => '# HELP' } },
  };
  const connections: RunningConnections = {
    nc: nc as never,
    system: system as never,
    answers: { all: [auth, enroll, admins], auth, enroll, admins } as never,
    log: {
      down,
      get isDown() {
        return down.size > 0;
      },
    },
    serverWatch: { follow: (listener: typeof tooOld) => void (tooOld = listener) } as never,
  };
  const master = new RunningMaster(
    context,
    connections,
    { held: true },
    {
      closeAll: () => {
        steps.push('parts closed');
        return closeAll();
      },
      hurry: () => void steps.push('hurry'),
    },
  );
  const joinTooOld = (error: NatsServerError) => tooOld(error);
  return { master, nc, auth, system, events, steps, down, lines, joinTooOld };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('a running master', () => {
  it('reports its health, its metrics and that it watches, also when its functions are taken off', async () => {
    const { master, auth } = started();
    const { health, metricsText } = master;
    expect([health().ok, master.watching, await metricsText()]).toEqual([true, true, '# HELP']);
    auth.isOpen = false;
    expect(health()).toEqual({ ok: false, problems: ['the connection for peels is closed'] });
  });

  it('stops once, and lets callers that wait for a policy go first', async () => {
    const { master, steps, events } = started();
    await Promise.all([master.stop(), master.stop()]);
    await master.closed;
    expect(steps).toEqual(['policy stopped', 'parts closed']);
    expect(events.map(({ kind }) => kind)).toEqual(['master.stopped']);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('stops at the end of an `await using` block', async () => {
    const { master, steps } = started();
    await master[Symbol.asyncDispose]();
    expect(steps).toContain('parts closed');
  });

  it('stops by itself when one of its connections is permanently closed', async () => {
    const { master, auth } = started();
    await auth.close();
    await master.closed;
    expect(master.endedBy).toBeUndefined();
  });

  it('stops by itself, with the reason, when a server joins that is too old', async () => {
    const { master, joinTooOld, lines } = started();
    const error = new NatsServerError('ERR_SERVER_TOO_OLD', 'n3: nats-server 2.8 is too old');
    joinTooOld(error);
    await master.closed;
    expect(master.endedBy).toBe(error);
    expect(lines).toContainEqual({
      level: 'error',
      fields: { code: 'ERR_SERVER_TOO_OLD' },
      text: 'master stopping: n3: nats-server 2.8 is too old',
    });
  });

  it('logs each part that fails to stop, and stops anyway', async () => {
    const { master, lines } = started(async () => [new Error('the lease is lost')]);
    await master.stop();
    expect(lines.map(({ level, text }) => `${level}: ${text}`)).toEqual([
      'error: a part of the master failed to stop',
      'info: master stopped',
    ]);
  });
});

describe('a master that cannot reach its servers when it is stopped', () => {
  it('waits for them up to the given time, and then closes its connections', async () => {
    let finish: (failures: unknown[]) => void = () => undefined;
    const { master, nc, system, steps, down } = started(() => new Promise((resolve) => (finish = resolve)));
    down.add('zester-master');
    const stopping = master.stop({ waitMs: 3_000 });
    await vi.advanceTimersByTimeAsync(2_000);
    expect([nc.isOpen, steps.includes('hurry')]).toEqual([true, false]);
    await vi.advanceTimersByTimeAsync(2_000);
    expect([nc.isOpen, system.isOpen, steps.includes('hurry')]).toEqual([false, false, true]);
    finish([]);
    await stopping;
  });

  it('does not wait for them at all with `waitMs: 0`', async () => {
    const { master, nc, steps } = started();
    await master.stop({ waitMs: 0 });
    expect(nc.isOpen).toBe(false);
    expect(steps).toContain('hurry');
  });
});
