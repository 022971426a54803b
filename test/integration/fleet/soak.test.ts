import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { encodeJson } from '../../../src/protocol/messages.js';
import { commandSubject } from '../../../src/permissions/names.js';
import { waitFor } from '../../support/wait-for.js';
import { connectUser } from './asking.js';
import { startFleet } from './fleet.js';
import { addCreds, TestPeel } from './peels.js';

/** `npm run test:soak` is the long form: 50 peels for ten minutes. */
const PEELS = Number(process.env['ZESTER_SOAK_PEELS'] ?? 10);
const SECONDS = Number(process.env['ZESTER_SOAK_SECONDS'] ?? 12);
const LIFETIME = 10;
/** The interval between two commands to a peel, and two of its events, in milliseconds. */
const EVERY_MS = 200;

/** Numbered messages, each of which must arrive exactly once. */
class Once {
  sent = 0;
  readonly came: number[] = [];

  next(): number {
    const number = this.sent;
    this.came[number] = 0;
    this.sent += 1;
    return number;
  }

  take(number: number): void {
    this.came[number] = (this.came[number] ?? 0) + 1;
  }

  get lost(): number[] {
    return [...this.came.keys()].filter((number) => this.came[number] === 0);
  }

  get doubled(): number[] {
    return [...this.came.keys()].filter((number) => (this.came[number] ?? 0) > 1);
  }
}

it(
  `${PEELS} peels with a lifetime of ${LIFETIME} s run for ${SECONDS} s: none expires, none loses or doubles a message, and each replaces its key on the way`,
  async () => {
    const fleet = await startFleet({ lifetime: LIFETIME });
    const admin = await fleet.admin();
    const nc = await connectUser(fleet, 'observer', undefined);
    const peels = new Map<string, { test: TestPeel; commands: Once; events: Once }>();
    nc.subscribe('zester.event.*.tick', {
      callback: (_error, msg) => {
        peels.get(msg.subject.split('.')[2] ?? '')?.events.take(Number(msg.string()));
      },
    });
    const nobody: object[] = [];
    nc.subscribe('zester.job.*.return.*', {
      callback: (_error, msg) => {
        const [, , number, , id = ''] = msg.subject.split('.');
        // the server reports that there was no subscriber
        if (msg.data.length === 0) {
          nobody.push({
            id,
            number,
            at: new Date().toISOString(),
            last: peels.get(id)?.test.recentEvents,
          });
          return;
        }
        if (msg.json<{ result?: string }>().result === number) peels.get(id)?.commands.take(Number(number));
      },
    });
    await nc.flush();
    for (let i = 1; i <= PEELS; i += 1) {
      const id = `soak-${i}`;
      const test = await TestPeel.start(fleet, await addCreds(fleet, admin, id), {
        // the default waits: a peel that cannot reconnect must not starve the others
        reconnectTimeWait: 2_000,
        handlers: {
          // long enough to be in flight while the connection is replaced
          echo: async ([text]) => delay(50, text),
        },
      });
      peels.set(id, { test, commands: new Once(), events: new Once() });
    }

    const end = performance.now() + SECONDS * 1000;
    const talking = [...peels].map(async ([id, { test, commands, events }]) => {
      while (performance.now() < end) {
        const number = commands.next();
        nc.publish(commandSubject(id), encodeJson({ handler: 'echo', args: [String(number)] }), {
          reply: `zester.job.${number}.return.${id}`,
        });
        test.peel.publish('tick', events.next());
        await delay(EVERY_MS);
      }
    });
    // one after the other over the first half, so that a rotation and the renewals around it are under way all the time
    const rotating = (async () => {
      for (const [id] of peels) {
        await admin.ask('peel.rotate', { peelId: id });
        await delay((SECONDS * 500) / PEELS);
      }
    })();
    await Promise.all([...talking, rotating]);

    expect(nobody.length, JSON.stringify(nobody.slice(0, 3), null, 2)).toBe(0);
    for (const [id, { test, commands, events }] of peels) {
      await waitFor(
        `the last messages of ${id}`,
        () => commands.lost.length + events.lost.length === 0,
        20_000,
      ).catch(() => undefined);
      const { lost: lostCommands, doubled: doubledCommands } = commands;
      const { lost: lostEvents, doubled: doubledEvents } = events;
      expect({ id, lostCommands, doubledCommands, lostEvents, doubledEvents }).toEqual({
        id,
        lostCommands: [],
        doubledCommands: [],
        lostEvents: [],
        doubledEvents: [],
      });
      expect(commands.sent, id).toBeGreaterThan(SECONDS);
      for (const type of ['credentialsExpired', 'disconnected', 'ended', 'undelivered'] as const) {
        expect(test.of(type), id).toEqual([]);
      }
      expect(test.of('keyRotated').length, id).toBe(1);
      expect(test.of('renewed').length, id).toBeGreaterThanOrEqual(Math.floor(SECONDS / LIFETIME));
      expect(test.peel.nc.isClosed(), id).toBe(false);
    }
    const refused = fleet.home.node(0).log.filter((line) => /expired|authorization/i.test(line));
    expect(refused).toEqual([]);
  },
  (SECONDS + 120) * 1000,
);
