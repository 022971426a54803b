import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { generateKeyBundle } from '../../../src/nkeys/key-bundle.js';
import { PEEL_ORDERS } from '../../../src/protocol/records/peel-order.js';
import { cursorOf, MAX_CURSOR, placeOfCursor } from '../../../src/protocol/records/peel-page.js';
import { HOSTILE } from '../../security/hostile-strings.js';

const ORDERS = [undefined, ...PEEL_ORDERS];
const encoded = (text: string) => Buffer.from(text).toString('base64url');
const anyId = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$/);
const anyKey = fc.double({ noNaN: true }).map((key) => key + 0);

describe('a cursor', () => {
  it('names a place in each order', () => {
    fc.assert(
      fc.property(fc.constantFrom(...PEEL_ORDERS), anyKey, anyId, (by, key, id) => {
        const cursor = cursorOf({ key, id }, by);
        expect(placeOfCursor(cursor, by)).toEqual({ key, id });
        expect(cursor.length).toBeLessThanOrEqual(MAX_CURSOR);
        expect(encodeURIComponent(cursor)).toBe(cursor);
      }),
    );
  });

  it('by ID is the ID', () => {
    expect(cursorOf({ key: 0, id: 'web-1' }, undefined)).toBe('web-1');
    expect(placeOfCursor('web-1', undefined)).toEqual({ key: 0, id: 'web-1' });
  });

  it('of one order is none of another', () => {
    for (const by of ORDERS)
      for (const other of ORDERS.filter((order) => order !== by))
        expect(placeOfCursor(cursorOf({ key: 0, id: 'web-1' }, by), other)).toBeUndefined();
  });

  it.each([
    'state.',
    '.',
    'state.web-1',
    `state.${encoded('')}`,
    `state.${encoded('1')}`,
    `state.${encoded(' web-1')}`,
    `state.${encoded('one web-1')}`,
    `state.${encoded('NaN web-1')}`,
    `state.${encoded('0x1 web-1')}`,
    `state.${encoded('1 ')}`,
    `state.${encoded('1 *')}`,
    `state.${encoded('1 web-1 ')}`,
    `state.${encoded('1 web.1')}`,
    `state.${encoded(`1 ${'x'.repeat(129)}`)}`,
    `state.${encoded(`1 ${Buffer.from(generateKeyBundle('user').seed).toString()}`)}`,
    `state.${encoded('1 web-1')}=`,
    `state.${encoded('1 web-1')}.`,
    `STATE.${encoded('1 web-1')}`,
    `__proto__.${encoded('1 web-1')}`,
  ])('is never %j', (text) => {
    for (const by of ORDERS) expect(placeOfCursor(text, by)).toBeUndefined();
  });

  it('has one form, whatever a client sends', () => {
    const sent = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(...Object.values(HOSTILE)),
      fc.string().map((text) => `seen.${encoded(text)}`),
      fc.tuple(fc.string(), fc.string()).map((parts) => `seen.${encoded(parts.join(' '))}`),
    );
    fc.assert(
      fc.property(sent, fc.constantFrom(...ORDERS), (text, by) => {
        const place = placeOfCursor(text, by);
        if (place !== undefined) expect(cursorOf(place, by)).toBe(text);
      }),
    );
  });
});
