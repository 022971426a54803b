import { describe, expect, it } from 'vitest';
import { COMMON } from '../../src/jwt/forms/common.js';
import {
  FormError,
  integer,
  listOf,
  mapOf,
  object,
  optional,
  text,
  type Form,
} from '../../src/jwt/forms/form.js';

const form = object({
  name: text,
  limits: optional(object({ subs: optional(integer, -1) })),
  tags: optional(listOf(text)),
  revocations: optional(mapOf(optional(integer, 0))),
});

function problem(check: Form, value: unknown): string {
  try {
    check(value);
  } catch (error) {
    if (error instanceof FormError) return `${error.path.join('.')}: ${error.message}`;
    throw error;
  }
  throw new Error('it was accepted');
}

describe('the form of claims', () => {
  it.each<[unknown, string]>([
    [{}, 'name: it is missing, but must be a string'],
    [{ name: null }, 'name: it is null, but must be a string'],
    [{ name: ['secret'] }, 'name: it is a list, but must be a string'],
    [{ name: 'a', limits: { subs: '5' } }, 'limits.subs: it is of the type string, but must be a number'],
    [{ name: 'a', limits: { subs: 1.5 } }, 'limits.subs: it is not a whole number'],
    [{ name: 'a', limits: [] }, 'limits: it is a list, but must be an object'],
    [{ name: 'a', tags: ['a', 7] }, 'tags.1: it is of the type number, but must be a string'],
    [{ name: 'a', tags: {} }, 'tags: it is of the type object, but must be a list'],
    [
      { name: 'a', revocations: { '*': 'secret' } },
      'revocations.*: it is of the type string, but must be a number',
    ],
    ['secret', ': it is of the type string, but must be an object'],
  ])('is refused, saying where and why but not what: %j', (value, words) => {
    expect(problem(form, value)).toBe(words);
  });

  it('treats null as absent, and uses the fallback for both', () => {
    expect(form({ name: 'a', limits: {}, tags: null, revocations: { U: null } })).toStrictEqual({
      name: 'a',
      limits: { subs: -1 },
      tags: undefined,
      revocations: { U: 0 },
    });
    expect(form({ name: 'a' })).toStrictEqual({ name: 'a' });
    expect(object(COMMON)({ iss: 'A', sub: 'U' })).toStrictEqual({ iss: 'A', sub: 'U', iat: 0 });
  });

  it('keeps members that it does not know, and sets no prototype', () => {
    const value = JSON.parse('{"name":"a","constructor":1,"x":{"y":2},"__proto__":{"z":3}}') as unknown;
    const checked = form(value);
    expect(Object.entries(checked)).toEqual([
      ['name', 'a'],
      ['constructor', 1],
      ['x', { y: 2 }],
    ]);
    expect(Object.getPrototypeOf(checked)).toBe(Object.prototype);
    const map = JSON.parse('{"__proto__":5,"a":1}') as unknown;
    expect(mapOf(integer)(map)).toStrictEqual({ a: 1 });
  });
});
