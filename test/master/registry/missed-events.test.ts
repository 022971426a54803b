import { describe, expect, it } from 'vitest';
import { missedEvents } from '../../../src/master/registry/missed-events.js';
import type { RecordEvent } from '../../../src/protocol/records/audit-event.js';
import type { StoredRecord } from '../../../src/protocol/records/stored-record.js';

const event = (number: number, id = `e${number}`, kind = 'rotation.asked') =>
  ({ id, number, kind, peelId: 'web-1' }) as RecordEvent;
const stored = (number: number, id = `e${number}`) =>
  ({ record: { id: 'web-1', number }, event: event(number, id) }) as StoredRecord;
const numbers = (record: StoredRecord | undefined, events: RecordEvent[]) =>
  missedEvents(record, events).map(({ number }) => number);

describe('the events that a record has lost', () => {
  it('are those of the audit log beyond it, in their order', () => {
    expect(numbers(stored(2), [event(4), event(1), event(3), event(2)])).toEqual([3, 4]);
    expect(numbers(undefined, [event(2), event(1)])).toEqual([1, 2]);
  });

  it('are none when the record has them all, or more', () => {
    expect(numbers(stored(2), [event(1), event(2)])).toEqual([]);
    expect(numbers(stored(3), [event(1), event(2)])).toEqual([]);
    expect(numbers(undefined, [])).toEqual([]);
  });

  it('are counted once when the audit log has one twice', () => {
    expect(numbers(stored(1), [event(1), event(2), event(2)])).toEqual([2]);
  });

  it.each([
    ['one of them is missing', stored(1), [event(1), event(3)]],
    ['the first ones of a record that is gone were deleted', undefined, [event(3)]],
    ['two have the same number', stored(1), [event(1), event(2), event(2, 'other')]],
    ['the record was made by another event', stored(1, 'other'), [event(1), event(2)]],
    ['one is of a newer version', stored(1), [event(1), event(2, 'e2', 'peel.dreamt')]],
  ])('are not known when %s', (_what, record, events) => {
    expect(numbers(record, events)).toEqual([]);
  });
});
