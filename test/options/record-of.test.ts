import fc from 'fast-check';
import * as v from 'valibot';
import { expect, it } from 'vitest';
import { recordOf } from '../../src/options/record-of.js';

const schema = recordOf(v.number());
const names = fc.oneof(fc.string(), fc.constantFrom('constructor', 'prototype', '__proto__', 'toString'));

it('an object keeps its names, those of JavaScript included', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.tuple(names, fc.integer()), { selector: ([name]) => name }), (entries) => {
      const text = JSON.stringify(Object.fromEntries(entries));
      const parsed = v.parse(schema, JSON.parse(text));
      expect(JSON.stringify(parsed)).toBe(text);
      expect(Object.getPrototypeOf(parsed)).toBe(Object.prototype);
    }),
  );
});

it.each([[undefined], [null], ['text'], [[1]], [{ a: 'no number' }], [{ constructor: 'no number' }]])(
  'refuses %j',
  (value) => {
    expect(v.safeParse(schema, value).success).toBe(false);
  },
);
