import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { ConnectSettings } from '../../../src/connection/connect.js';
import { withReconnectBuffer } from '../../../src/connection/with-reconnect-buffer.js';
import { startPeel as startAgent, type PeelSettings } from '../../../src/peel/peel.js';
import { atEnd } from '../../support/cleanup.js';
import { startOperatorServer, type OperatorServer } from '../../support/operator-server.js';
import { waitFor } from '../../support/wait-for.js';
import { collect, event, otherSide, SHORT_WAITS, startPeel } from './support.js';

const throws = (): never => {
  throw new Error('mine');
};
const rejects = (): never => Promise.reject(new Error('mine')) as never;

let server: OperatorServer;
beforeAll(async () => {
  server = await startOperatorServer();
});

/** Fails the test on an unhandled exception or rejection. */
function nothingUnhandled(): void {
  const unhandled: unknown[] = [];
  const note = (error: unknown) => void unhandled.push(error);
  process.on('unhandledRejection', note);
  process.on('uncaughtException', note);
  onTestFinished(() => {
    process.off('unhandledRejection', note);
    process.off('uncaughtException', note);
    expect(unhandled).toEqual([]);
  });
}

describe.each([
  ['throws', throws],
  ['rejects', rejects],
])('a callback that %s', (_how, bad) => {
  it.each<[name: string, options: Omit<ConnectSettings, 'servers'>]>([
    ['logger', { logger: { info: bad, warn: bad } }],
    ['onEvent', { onEvent: bad }],
    ['now', { now: bad }],
    ['reconnectDelayHandler', { reconnectDelayHandler: bad }],
  ])('%s: the connection reconnects, flushes, closes, and reports it once', async (name, options) => {
    nothingUnhandled();
    const peel = await startPeel(server, options);
    const events = collect(peel.nc.events());
    await server.kill('SIGKILL');
    await waitFor('the outage', () => peel.statuses.some(({ type }) => type === 'disconnect'));
    peel.nc.publish('kept');
    await server.start();
    await peel.nc.flush();
    await peel.nc.close();
    const reports = [...events, ...peel.events].filter((e) => e.type === 'callbackFailed');
    expect(new Set(reports)).toEqual(
      new Set([expect.objectContaining({ callback: name, error: expect.any(Error) as unknown })]),
    );
  });

  it('of a subscription: later messages come, also on a connection that got a buffer', async () => {
    nothingUnhandled();
    const other = await otherSide(server);
    const peel = await startPeel(server);
    const buffered = withReconnectBuffer(other);
    for (const nc of [peel.nc, buffered]) {
      let calls = 0;
      nc.subscribe('bad', {
        callback: () => {
          calls += 1;
          return bad();
        },
      });
      nc.publish('bad', '1');
      nc.publish('bad', '2');
      await nc.flush();
      await waitFor('both messages', () => calls === 2);
      expect(nc.isClosed()).toBe(false);
    }
    const { callback } = await event(peel, 'callbackFailed');
    expect(callback).toBe('of the subscription to bad');
  });

  it.each<[name: string, options: PeelSettings]>([
    ['logger', { logger: { info: bad, warn: bad } }],
    ['onEvent', { onEvent: bad }],
    ['now', { now: bad }],
  ])('%s: a peel starts, answers, and drains', async (name, options) => {
    nothingUnhandled();
    const credsPath = await server.bootstrap('web-02');
    const peel = await startAgent({ servers: server.url, credsPath, ...SHORT_WAITS, ...options });
    atEnd(() => peel.nc.close());
    const events = collect(peel.events());
    await server.kill('SIGKILL');
    await server.start();
    await peel.nc.flush();
    await peel.drain();
    expect(await peel.closed).toEqual({ reason: 'drained' });
    const reports = events.filter((e) => e.type === 'callbackFailed');
    expect(reports.length).toBeLessThanOrEqual(1);
    for (const report of reports) expect(report).toMatchObject({ callback: name });
  });
});
