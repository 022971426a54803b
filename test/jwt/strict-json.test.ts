import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CLAIM_NAMES } from '../../src/jwt/claim-names.js';
import {
  isPlainJson,
  markNonIntegers,
  parseStrictJson,
  memberAsGoReadsIt,
} from '../../src/jwt/strict-json.js';

const parse = (text: string | Uint8Array) => () => parseStrictJson(text, CLAIM_NAMES);

describe('strict JSON', () => {
  it('agrees with JSON.parse if all names are different', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), fc.nat(3), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        const names = [...text.matchAll(/"(?:[^"\\]|\\.)*"(?=\s*:)/g)].map(([name]) => name.toLowerCase());
        fc.pre(new Set(names).size === names.length && !/\\ud|__proto__/i.test(text));
        expect(parseStrictJson(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it.each([
    ['{"a":1,"a":1}'],
    ['{"a":1,"A":1}'],
    ['{"s":1,"\u017f":1}'],
    ['{"k":1,"\u212a":1}'],
    [String.raw`{"a":1,"\u0061":1}`],
    [String.raw`{"a\"":1,"A\"":1}`],
    ['[{"x":[{"b":{},"b" : 2}]}]'],
    ['{"nats":{"name":1}, "x":{"y":{"z":1,"Z":2}}}'],
    ['{"revocations":{"UA":1,"UA":2}}'],
  ])('refuses a name twice: %s', (text) => {
    expect(parse(text)).toThrow(SyntaxError);
    expect(parse(text)).toThrow('duplicate member');
  });

  it.each([
    ['{"Name":"*"}', 'name'],
    ['{"nats":{"Pub":{}}}', 'pub'],
    ['{"nats":{"i\u017f\u017fuer_account":"A"}}', 'issuer_account'],
    ['{"nats":{"\u212aind":1}}', 'kind'],
    [String.raw`{"\u0053ub":"U"}`, 'sub'],
    ['{"nats":{"signing_keys":[{"template":{"sub":{"ALLOW":[]}}}]}}', 'allow'],
    ['{"nats":{"mappings":{"a":[{"Weight":1}]}}}', 'weight'],
  ])('refuses a name that a server reads as another: %s', (text, name) => {
    expect(parse(text)).toThrow(`"${name}" in another case`);
  });

  it.each([
    ['names that a server does not look at', '{"custom":{"Name":"x","Pub":{"Allow":1}}}'],
    [
      'the keys of maps, as they are',
      '{"nats":{"mappings":{"a":[],"A":[]},"revocations":{"Name":1,"name":2}}}',
    ],
    ['one name in two objects', '{"name":{"name":[{"name":1},{"name":2}]}}'],
    ['a name in a string', String.raw`{"a":"\"a\":1, \\","b":["a","a",{"c":"}"}]}`],
  ])('takes %s', (_, text) => {
    expect(parseStrictJson(text, CLAIM_NAMES)).toEqual(JSON.parse(text));
  });

  it.each<[string, string | Uint8Array, RegExp]>([
    ['no JSON', '{', /not JSON/],
    ['a byte order mark', Buffer.from('\ufeff{}'), /not JSON/],
    ['no UTF-8', Buffer.from([0x22, 0xff, 0x22]), /not UTF-8/],
    ['half a character', String.raw`{"a":"\ud800"}`, /half/],
    ['nesting without end', '['.repeat(1e5) + ']'.repeat(1e5), /nested/],
  ])('refuses %s', (_, text, why) => {
    expect(parse(text)).toThrow(why);
  });

  it('does not quote rejected text', () => {
    expect(parse('{"SUSECRET":1,"susecret":')).toThrow(/^is not JSON$/);
  });

  it('reads a long text with many escapes', () => {
    const text = JSON.stringify({ a: '\n"'.repeat(300_000) });
    expect(parseStrictJson(text)).toEqual(JSON.parse(text));
  });
});

describe('numbers that a server does not read as integers', () => {
  it.each(['1e3', '1.0', '-1E0', '1.5', '9223372036854775808', '-9223372036854775809', '1e400'])(
    '%s',
    (n) => {
      expect(markNonIntegers(`{"a":[1,${n},"1e3"],"b":-2}`)).toEqual({
        a: [1, 'not an integer', '1e3'],
        b: -2,
      });
    },
  );

  it.each(['0', '-0', '1', '9223372036854775807', '-9223372036854775808', '"1.5"', 'true', 'null'])(
    'not %s',
    (n) => {
      expect(markNonIntegers(`{"a":${n}}`)).toBeUndefined();
    },
  );
});

describe('numbers in signing keys, which a server reads as floating-point numbers first', () => {
  const withKey = (number: string) => `{"nats":{"signing_keys":["A",{"template":{"subs":${number}}}],"n":1}}`;

  it.each(['1e3', '1.0', '-1E0', '9007199254740993', '-9223372036854775808'])('%s is an integer', (n) => {
    expect(markNonIntegers(withKey(n))).toBeUndefined();
  });

  it.each(['1.5', '9223372036854775807', '1e21', '1e400'])('%s is none', (n) => {
    expect(markNonIntegers(withKey(n))).toEqual({
      nats: { signing_keys: ['A', { template: { subs: 'not an integer' } }], n: 1 },
    });
  });

  it('1e3 is none after them', () => {
    expect(markNonIntegers('{"nats":{"signing_keys":[{"a":[1e3]}],"n":1e3}}')).toEqual({
      nats: { signing_keys: [{ a: [1000] }], n: 'not an integer' },
    });
  });
});

describe('a member as Go reads it', () => {
  it.each([
    ['{"sub":"a"}', '"a"'],
    ['{"sub":"a","Sub":"b"}', '"b"'],
    ['{"Sub":"b","sub":"a"}', '"a"'],
    ['{"sub":"a","Sub":"b","sub":"c"}', '"c"'],
    ['{"sub":"a","\u017fUB":"d"}', '"d"'],
    ['{"nats":{"sub":"x"},"sub":"a","z":{"sub":"y"}}', '"a"'],
    ['{"nats":{"sub":"x"}}', undefined],
    ['{"sub":"a","Sub":null}', '"a"'],
    ['{"sub":"a","sub":null}', '"a"'],
    ['{"sub":null}', undefined],
    ['{"sub":null,"x":"b"}', undefined],
    ['{"sub":["b"]}', undefined],
    ['{"sub":1,"SUB":9223372036854775807}', '9223372036854775807'],
    [String.raw`{"sub":"a","\ud800":1}`, '"a"'],
    [String.raw`{"sub":"a","x\udc00":"b"}`, '"a"'],
    ['[]', undefined],
    ['{', undefined],
  ])('%s', (text, value) => {
    expect(memberAsGoReadsIt(Buffer.from(text), 'sub')).toBe(value);
  });
});

describe('JSON that is plain', () => {
  const name = fc.constantFrom('sub', 'Sub', 'ſub', 'a', 'b_1', 'revocations', 'x y', '__proto__');
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      fc.integer(),
      fc.constantFrom(0.5, 2 ** 60, 'text', 'a"b', true, null),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(name, tie('value'), { maxKeys: 3 }),
    ),
  }));
  const verdict = (text: string) => {
    try {
      return [parseStrictJson(text, CLAIM_NAMES), markNonIntegers(text)];
    } catch (error) {
      return String(error);
    }
  };

  it('is read as the same JSON with a space before it, which is read token by token', () => {
    fc.assert(
      fc.property(value, (json) => {
        const text = JSON.stringify(json);
        expect(verdict(text)).toEqual(verdict(` ${text}`));
        if (isPlainJson(JSON.parse(text), text)) expect(markNonIntegers(text)).toBeUndefined();
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    '{"a":1,"a":1}',
    '{"a":1.0}',
    '{"a":-0}',
    '{"a":1e3}',
    '{"a":9007199254740993}',
    '{"A":1}',
    '{"a":"\\u0041"}',
    ' {}',
  ])('is not %s', (text) => expect(isPlainJson(JSON.parse(text), text)).toBe(false));
});
