import { describe, expect, it } from 'vitest';
import { JwtError } from '../../src/errors.js';
import {
  anything,
  bag,
  callback,
  checkOptions,
  flag,
  flagOr,
  listOf,
  number,
  numberOrNull,
  oneOf,
  text,
  textOr,
} from '../../src/options/check-options.js';

const limits = bag({ connections: number, wildcards: flag });
const schema = bag(
  {
    name: text,
    expiry: number,
    until: numberOrNull,
    policy: oneOf(['manual', 'auto-trusted']),
    limits,
    jetStream: flagOr(limits),
    keys: listOf(textOr(bag({ key: text }))),
    now: callback,
    other: anything,
  },
  { required: ['name'], instead: { type: 'give no claims' } },
);

function messageFor(options: unknown): string | undefined {
  try {
    checkOptions('make', options, schema, (message) => new JwtError('ERR_JWT_OPTIONS', message));
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

describe('options', () => {
  it.each([
    { name: 'x' },
    {
      name: 'x',
      expiry: 1,
      until: null,
      policy: 'manual',
      limits: { connections: 1 },
      jetStream: true,
      other: null,
    },
    { name: 'x', jetStream: { connections: 1 }, keys: ['a', { key: 'b' }], now: () => 1 },
    { name: 'x', expiry: undefined, limits: undefined, unknown: undefined },
    Object.assign(Object.create(null) as object, { name: 'x' }),
  ])('are taken when each is known and of its kind: %j', (options) => {
    expect(messageFor(options)).toBeUndefined();
  });

  it.each<[unknown, string]>([
    [{ name: 'x', expires: 60 }, 'the options of make: it has no "expires"; did you mean "expiry"?'],
    [{ name: 'x', zzz: 60 }, 'the options of make: it has no "zzz": it has name, expiry, until'],
    [{ name: 'x', type: 'account' }, 'the options of make: it has no "type"; give no claims'],
    [{}, 'the options of make: it lacks "name"'],
    [{ name: 'x', limits: { conections: 1 } }, 'limits has no "conections"; did you mean "connections"?'],
    [
      { name: 'x', jetStream: { conections: 1 } },
      'jetStream has no "conections"; did you mean "connections"?',
    ],
    [{ name: 'x', keys: ['a', { kez: 'b' }] }, 'keys.1 has no "kez"; did you mean "key"?'],
    [
      { name: 'x', policy: 'auto-trsuted' },
      'policy is "auto-trsuted", and must be one of "manual", "auto-trusted"; did you mean "auto-trusted"?',
    ],
    [{ name: 'x', policy: 1 }, 'policy is a number, and must be one of "manual", "auto-trusted"'],
    [{ name: 'x', expiry: '60' }, 'expiry must be a number'],
    [{ name: 'x', until: '60' }, 'until must be a number, or null for none'],
    [{ name: 'x', keys: 'a' }, 'keys must be a list'],
    [{ name: 'x', now: 1 }, 'now must be a function'],
    [{ name: 5 }, 'name must be a string'],
    [{ name: 'x', limits: [] }, 'limits must be an object'],
    ['x', 'the options of make: it must be an object'],
    [undefined, 'must be an object'],
    [null, 'must be an object'],
    [[], 'must be an object'],
  ])('are refused otherwise: %j', (options, message) => {
    expect(messageFor(options)).toContain(message);
  });

  it('are not printed when their values are unexpected', () => {
    expect(messageFor({ name: 'x', expiry: 'a secret' })).not.toContain('secret');
    expect(messageFor({ name: ['a secret'] })).not.toContain('secret');
  });
});
