import { describe, expect, it } from 'vitest';
import { errorTraits } from '../src/error-traits.js';

describe('the traits of an error code', () => {
  it.each([
    ['ERR_USAGE', { exitCode: 2, httpStatus: 400, retryable: false }],
    ['ERR_FILE_NOT_FOUND', { exitCode: 1, httpStatus: 404, retryable: false }],
    ['ERR_CHAIN_USER_REVOKED', { exitCode: 3, httpStatus: 403, retryable: false }],
    ['ERR_FLEET_RATE', { exitCode: 3, httpStatus: 429, retryable: true, audited: 'always' }],
    ['ERR_FLEET_STORE', { exitCode: 4, httpStatus: 503, retryable: true, audited: 'never' }],
  ])('%s', (code, traits) => {
    expect(errorTraits(code)).toMatchObject(traits);
  });

  it.each(['ERR_NONE_OF_OURS', 'toString', '__proto__', ''])(
    'do not exist for %j, which is not one of our codes',
    (code) => {
      expect(errorTraits(code)).toBeUndefined();
    },
  );
});
