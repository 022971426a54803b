import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  sortPeels,
  PEEL_ORDERS,
  type OrderedPeel,
  type PeelOrder,
} from '../../../src/protocol/records/peel-order.js';
import { PEEL_STATES, type PeelRecord, type PeelState } from '../../../src/protocol/records/record.js';

const at = '2026-01-01T00:00:00.000Z';

function peel(
  id: string,
  {
    state = 'active',
    expiresAt,
    lastSeen,
    connected = false,
  }: {
    state?: PeelState | undefined;
    expiresAt?: number | undefined;
    lastSeen?: string | undefined;
    connected?: boolean | undefined;
  } = {},
): OrderedPeel {
  const key = { publicKey: `U${id}`, state: 'live' as const, ...(expiresAt !== undefined && { expiresAt }) };
  const record: PeelRecord = { id, state, keys: [key], number: 1, createdAt: at, updatedAt: at };
  const connections = connected ? [{ server: 'N', cid: 1, publicKey: key.publicKey, since: at }] : [];
  return lastSeen === undefined && !connected ? { record } : { record, presence: { connections, lastSeen } };
}

const ids = (peels: readonly OrderedPeel[]) => peels.map(({ record }) => record.id);

/** Peels with a value in each field that an order depends on. The first has none, and is the first by ID. */
const PEELS = [
  peel('bare'),
  peel('one', { state: 'revoked', expiresAt: 10, lastSeen: '2026-01-02T00:00:00Z' }),
  peel('two', { state: 'pending', expiresAt: 20, lastSeen: '2026-01-01T00:00:00Z' }),
  peel('up', { expiresAt: 30, connected: true }),
];
/** How each order sorts them. A new order needs its row to compile. */
const SORTED: Record<PeelOrder, string[]> = {
  state: ['two', 'bare', 'up', 'one'],
  expires: ['one', 'two', 'up', 'bare'],
  seen: ['up', 'one', 'two', 'bare'],
};
/** The orders by a field that every peel has. */
const ALWAYS_THERE: readonly PeelOrder[] = ['state'];

describe('the order of peels', () => {
  it.each(PEEL_ORDERS)('by %s', (by) => {
    expect(ids(sortPeels(PEELS, by))).toEqual(SORTED[by]);
  });

  it.each(PEEL_ORDERS.filter((by) => !ALWAYS_THERE.includes(by)))(
    'by %s has a peel without the field last',
    (by) => {
      expect(ids(sortPeels(PEELS, by)).at(-1)).toBe('bare');
    },
  );

  it('is by ID by default', () => {
    expect(ids(sortPeels([peel('b'), peel('a'), peel('c')], undefined))).toEqual(['a', 'b', 'c']);
  });

  it('by expiry has the soonest first, and those that never expire last', () => {
    const all = [peel('never'), peel('late', { expiresAt: 20 }), peel('soon', { expiresAt: 10 })];
    expect(ids(sortPeels(all, 'expires'))).toEqual(['soon', 'late', 'never']);
  });

  it('by last-seen time has the connected ones first, and those never seen last', () => {
    const all = [
      peel('never'),
      peel('before', { lastSeen: '2026-01-01T00:00:00Z' }),
      peel('now', { connected: true }),
      peel('after', { lastSeen: '2026-01-02T00:00:00Z' }),
    ];
    expect(ids(sortPeels(all, 'seen'))).toEqual(['now', 'after', 'before', 'never']);
  });

  it('by last-seen time takes an unreadable time as never', () => {
    const all = [peel('a', { lastSeen: 'x' }), peel('b', { lastSeen: '2026-01-01T00:00:00Z' }), peel('c')];
    expect(ids(sortPeels(all, 'seen'))).toEqual(['b', 'a', 'c']);
  });

  it('by state has the pending ones first', () => {
    const all = PEEL_STATES.map((state) => peel(state, { state })).reverse();
    expect(ids(sortPeels(all, 'state'))).toEqual([...PEEL_STATES]);
  });

  it('does not depend on the input order', () => {
    const some = fc.uniqueArray(
      fc.record({
        id: fc.stringMatching(/^[a-z]{1,4}$/),
        state: fc.constantFrom(...PEEL_STATES),
        expiresAt: fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined }),
        connected: fc.boolean(),
      }),
      { selector: ({ id }) => id },
    );
    fc.assert(
      fc.property(some, fc.constantFrom(undefined, ...PEEL_ORDERS), (made, by) => {
        const all = made.map(({ id, ...rest }) => peel(id, rest));
        expect(ids(sortPeels([...all].reverse(), by))).toEqual(ids(sortPeels(all, by)));
      }),
    );
  });
});
