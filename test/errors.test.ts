import { describe, expect, it } from 'vitest';
import type * as errors from '../src/errors.js';
import { CredsError, isZesterError, KeyError, ZesterError } from '../src/errors.js';

type Library = typeof errors;

describe('isZesterError', () => {
  it('is true for every error of this library', () => {
    expect(isZesterError(new KeyError('ERR_KEY_ROLE', 'x'))).toBe(true);
    expect(isZesterError(new ZesterError('ERR_USAGE', 'x'))).toBe(true);
  });

  it('is true for an error of another copy of it', async () => {
    const other = (await import(/* @vite-ignore */ `../src/errors.ts?${'copy'}`)) as Library;
    const error = new other.CredsError('ERR_CREDS_WIPED', 'p', 'x');
    expect(error).not.toBeInstanceOf(CredsError);
    expect(isZesterError(error)).toBe(true);
    expect(error.code).toBe('ERR_CREDS_WIPED');
  });

  it.each([
    undefined,
    null,
    'x',
    {},
    new Error('x'),
    Object.assign(new Error('x'), { code: 'ERR_KEY_ROLE' }),
  ])('is false for %s', (value) => {
    expect(isZesterError(value)).toBe(false);
  });
});
