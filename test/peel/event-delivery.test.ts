import { describe, expect, it } from 'vitest';
import { EventDelivery, type EventReceivers } from '../../src/peel/event-delivery.js';
import type { PeelEvent } from '../../src/peel/events.js';

const DRAINED: PeelEvent = { type: 'drained' };

/** A delivery, and what reached its receivers, in order. */
function delivering(receivers: Partial<EventReceivers> = {}) {
  const received: string[] = [];
  const events = new EventDelivery({
    note: ({ type }) => void received.push(`note ${type}`),
    logger: {
      info: (fields) => void received.push(`log ${(fields as PeelEvent).type}`),
      warn: (fields) => void received.push(`log ${(fields as PeelEvent).type}`),
    },
    onEvent: ({ type }) => void received.push(`onEvent ${type}`),
    ...receivers,
  });
  return { events, received };
}

describe('an event of a peel', () => {
  it('is noted first, then logged, and then delivered to the program', () => {
    const { events, received } = delivering();
    events.emit(DRAINED);
    expect(received).toEqual(['note drained', 'log drained', 'onEvent drained']);
  });

  it('reaches each iterator that was opened before it', async () => {
    const { events } = delivering();
    const early = events.iterate();
    events.emit({ type: 'disconnected' });
    const late = events.iterate();
    events.emit(DRAINED);
    events.end();
    const typesOf = async (iterator: AsyncIterable<PeelEvent>) => {
      const types: string[] = [];
      for await (const { type } of iterator) types.push(type);
      return types;
    };
    expect(await typesOf(early)).toEqual(['disconnected', 'drained']);
    expect(await typesOf(late)).toEqual(['drained']);
  });

  it('that is no news is delivered without a line in the log', () => {
    const { events, received } = delivering();
    events.emit(DRAINED, false);
    expect(received).toEqual(['note drained', 'onEvent drained']);
  });

  it('after the end reaches nobody', async () => {
    const { events, received } = delivering();
    const iterator = events.iterate();
    events.end();
    events.emit(DRAINED);
    for await (const event of iterator) expect.unreachable(event.type);
    expect(received).toEqual([]);
  });
});

describe('a failing callback of the program', () => {
  it('is reported as an event, and keeps no other receiver from the event', () => {
    const events: PeelEvent[] = [];
    const failing = delivering({
      note: (event) => void events.push(event),
      logger: {
        info: () => {
          throw new Error('the disk is full');
        },
        warn: () => undefined,
      },
    });
    failing.events.emit(DRAINED);
    expect(events).toMatchObject([{ type: 'drained' }, { type: 'callbackFailed', callback: 'logger' }]);
    expect(failing.received).toContain('onEvent drained');
  });
});
