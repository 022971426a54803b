import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { listPeels, type PeelsQuery } from '../../../src/cli/api/list-peels.js';
import type { ListedPeel } from '../../../src/protocol/messages.js';
import { PEEL_ORDERS } from '../../../src/protocol/records/peel-order.js';
import { PEEL_STATES, type PeelState } from '../../../src/protocol/records/record.js';
import { generateKeyBundle } from '../../../src/nkeys/key-bundle.js';
import { connectedWith, START } from './memory-fleet.js';

/** The values that sort keys and filters depend on. */
interface Values {
  state: PeelState;
  expiresAt: number | undefined;
  lastSeen: number | undefined;
  connected: boolean;
}

const SORTS = ['id', ...PEEL_ORDERS] as const;
const { publicKey } = generateKeyBundle('user');

function peel(id: string, { state, expiresAt, lastSeen, connected }: Values): ListedPeel {
  const at = new Date(START).toISOString();
  const key = { publicKey, state: 'live' as const, ...(expiresAt !== undefined && { expiresAt }) };
  const record = { id, state, keys: [key], number: 1, createdAt: at, updatedAt: at };
  if (connected) return { record, presence: connectedWith(publicKey, lastSeen) };
  if (lastSeen === undefined) return { record };
  return { record, presence: { ...connectedWith(publicKey, lastSeen), connections: [] } };
}

const anyValues = fc.record({
  state: fc.constantFrom(...PEEL_STATES),
  expiresAt: fc.option(fc.integer({ min: START / 1000, max: START / 1000 + 3 }), { nil: undefined }),
  lastSeen: fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined }),
  connected: fc.boolean(),
});
const anyId = fc.stringMatching(/^[a-d]{1,2}$/);
const anyPeels = fc.dictionary(anyId, anyValues, { maxKeys: 16, noNullPrototype: true });
/** Before a page: peels that change or come (with values), and peels that leave (without). */
const anyChanges = fc.array(
  fc.dictionary(anyId, fc.option(anyValues), { maxKeys: 3, noNullPrototype: true }),
  {
    maxLength: 8,
  },
);

describe('the pages of a list of peels', () => {
  it('skip and repeat no peel that stays as it is, whatever the others do', () => {
    fc.assert(
      fc.property(
        anyPeels,
        anyChanges,
        fc.constantFrom(...SORTS),
        fc.integer({ min: 1, max: 5 }),
        fc.boolean(),
        (start, changes, sort, limit, isFiltered) => {
          const query: PeelsQuery = { sort, limit, ...(isFiltered && { connected: false }) };
          const peels = new Map(Object.entries(start).map(([id, values]) => [id, peel(id, values)]));
          const stable = new Map(peels);
          const listed: string[] = [];
          const pages = changes.values();
          for (let after: string | null | undefined; after !== null;) {
            const page = listPeels(peels.values(), { ...query, after }, START);
            listed.push(...(page.peels ?? []).map(({ id }) => id));
            after = page.next;
            for (const [id, values] of Object.entries(pages.next().value ?? {})) {
              stable.delete(id);
              if (values === null) peels.delete(id);
              else peels.set(id, peel(id, values));
            }
          }
          const expected = listPeels(stable.values(), { ...query, limit: 100 }, START);
          expect(listed.filter((id) => stable.has(id))).toEqual(expected.peels?.map(({ id }) => id));
        },
      ),
      { numRuns: 500 },
    );
  });

  it('continue when the last peel of a page no longer matches', () => {
    const values = { state: 'pending', expiresAt: undefined, lastSeen: undefined, connected: false } as const;
    const peels = new Map(['a', 'b', 'c', 'd'].map((id) => [id, peel(id, values)]));
    const query: PeelsQuery = { state: 'pending', sort: 'expires', limit: 2 };
    const { next } = listPeels(peels.values(), query, START);
    peels.set('b', peel('b', { ...values, state: 'active' }));
    const page = listPeels(peels.values(), { ...query, after: next ?? '' }, START);
    expect(page.peels?.map(({ id }) => id)).toEqual(['c', 'd']);
    expect(page).toMatchObject({ total: 3, next: null });
  });

  it('by ID continue after any ID', () => {
    const values = { state: 'active', expiresAt: undefined, lastSeen: undefined, connected: false } as const;
    const peels = ['a', 'c', 'd'].map((id) => peel(id, values));
    expect(listPeels(peels, { limit: 1 }, START).next).toBe('a');
    const { peels: page } = listPeels(peels, { after: 'b' }, START);
    expect(page?.map(({ id }) => id)).toEqual(['c', 'd']);
  });
});
