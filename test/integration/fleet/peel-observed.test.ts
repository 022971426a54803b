import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { observeZester } from '../../../examples/opentelemetry.js';
import { requestPeel } from '../../../src/fleet-client/request-peel.js';
import type { PeelEvent } from '../../../src/peel/events.js';
import { startPeel, type PeelOptions } from '../../../src/peel/peel.js';
import { encodeJson } from '../../../src/protocol/messages.js';
import { connectMaster } from '../../../src/connection/connect.js';
import { atEnd } from '../../support/cleanup.js';
import { expectNoSeed } from '../../support/refusal.js';
import { waitFor } from '../../support/wait-for.js';
import { startFleet, type Fleet } from './fleet.js';
import { addCreds } from './peels.js';

/** A peel of a fleet, its events, and a caller for its commands. */
async function startObserved(options: Partial<PeelOptions> = {}) {
  const fleet = await startFleet();
  const credsPath = await addCreds(fleet, await fleet.admin(), 'web-1');
  const events: PeelEvent[] = [];
  const peel = await startPeel({
    servers: fleet.servers,
    credsPath,
    reconnectWindowMs: 50,
    onEvent: (event) => events.push(event),
    ...options,
  } as PeelOptions);
  atEnd(() => peel.drain());
  return { fleet, peel, events, exec: await executor(fleet) };
}

async function executor(fleet: Fleet) {
  const { paths } = await fleet.home.domain();
  const nc = await connectMaster({ servers: fleet.servers, credsPath: paths.adminCreds });
  atEnd(() => nc.close());
  return async (handler: string): Promise<{ result?: Record<string, unknown>; error?: { code: string } }> =>
    (await requestPeel(nc, 'web-1', encodeJson({ handler, args: [] }), { timeoutMs: 5_000 })).json();
}

it('a peel emits an event for each command, and counts them for Prometheus', async () => {
  const { peel, events, exec } = await startObserved({
    handlers: {
      good: () => 1,
      bad: () => {
        throw new Error('no');
      },
    },
  });
  await exec('good');
  await exec('bad');
  await exec('nowhere.1');
  expect(events.filter(({ type }) => type === 'command')).toEqual([
    { type: 'command', handler: 'good', outcome: 'ok', durationMs: expect.any(Number) as number },
    {
      type: 'command',
      handler: 'bad',
      outcome: 'ERR_FLEET_HANDLER',
      durationMs: expect.any(Number) as number,
    },
    {
      type: 'command',
      handler: undefined,
      outcome: 'ERR_FLEET_NO_HANDLER',
      durationMs: expect.any(Number) as number,
    },
  ]);
  const text = peel.metricsText();
  expect(text).toContain('zester_peel_commands_total{handler="good",outcome="ok"} 1\n');
  expect(text).toContain('zester_peel_commands_total{handler="unknown",outcome="ERR_FLEET_NO_HANDLER"} 1\n');
  expect(text).not.toContain('nowhere');
  for (const line of text.trimEnd().split('\n'))
    expect(line).toMatch(/^(# (HELP|TYPE) zester_peel_\w+ .+|zester_peel_\w+(\{[^}]*\})? [\d.e+-]+)$/);
});

it('a peel adds the facts of its program, and answers without them when they throw', async () => {
  let fails = false;
  const { events, exec } = await startObserved({
    facts: async () => {
      if (fails) throw new Error('mine');
      return { rack: 'A7' };
    },
  });
  expect((await exec('facts')).result).toMatchObject({ peelId: 'web-1', own: { rack: 'A7' } });
  fails = true;
  const { result } = await exec('facts');
  expect(result).toMatchObject({ peelId: 'web-1' });
  expect(result).not.toHaveProperty('own');
  expect(events).toContainEqual(expect.objectContaining({ type: 'callbackFailed', callback: 'facts' }));
});

it('a peel reports its health: connected, in an outage, and stopped', async () => {
  const { fleet, peel, events } = await startObserved();
  expect(peel.health()).toEqual({
    ok: true,
    problems: [],
    connected: true,
    expiresAt: expect.any(Number) as number,
    commands: 0,
  });
  await fleet.home.node(0).kill('SIGKILL');
  await waitFor('the outage', () => events.some(({ type }) => type === 'disconnected'));
  expect(peel.health()).toMatchObject({
    ok: false,
    connected: false,
    problems: ['the connection is down, and is being restored'],
  });
  expect(peel.metricsText()).toContain('zester_peel_connected 0\n');
  await fleet.home.node(0).start();
  await waitFor('the peel to be well', () => peel.health().ok, 30_000);
  await waitFor('the outage to be counted', () =>
    peel.metricsText().includes('zester_peel_reconnects_total 1\n'),
  );
  await peel.rotate();
  expect(peel.metricsText()).toContain('zester_peel_key_rotations_total 1\n');
  await peel.drain();
  expect(peel.health()).toMatchObject({
    ok: false,
    connected: false,
    problems: ['the peel is over: drained'],
  });
});

it('the OpenTelemetry example traces rotations and renewals, and counts events, until it is stopped', async () => {
  const spans: { name: string; attributes: object; ended: boolean }[] = [];
  const counted: string[] = [];
  const durations: number[] = [];
  const stop = observeZester({
    tracer: {
      startSpan: (name, { attributes }) => {
        const span = { name, attributes, ended: false };
        spans.push(span);
        return {
          recordException: () => undefined,
          setStatus: () => undefined,
          end: () => (span.ended = true),
        };
      },
    },
    meter: {
      createCounter: () => ({
        add: (_value, { type, peel }) => {
          counted.push(`${String(peel)} ${String(type)}`);
        },
      }),
      createHistogram: () => ({ record: (value) => durations.push(value) }),
    },
  });
  const { peel } = await startObserved();
  await peel.rotate();
  const rotated = { ended: true, attributes: { how: 'hitless', peel: 'web-1' } };
  expect(spans).toContainEqual({ name: 'zester.connection.rotate', ...rotated });
  expect(spans).toContainEqual({
    name: 'zester.credential.rotation',
    ended: true,
    attributes: { peel: 'web-1' },
  });
  expect(counted).toContain('web-1 rotated');
  expect(durations.every((ms) => ms >= 0)).toBe(true);
  expectNoSeed({ spans, counted });
  stop();
  const before = spans.length;
  await peel.rotate();
  expect(spans).toHaveLength(before);
});

it('the OpenTelemetry example has at most 60 lines', async () => {
  const text = await readFile(new URL('../../../examples/opentelemetry.ts', import.meta.url), 'utf8');
  expect(text.trimEnd().split('\n').length).toBeLessThanOrEqual(60);
});
