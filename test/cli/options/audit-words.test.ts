import { describe, expect, it } from 'vitest';
import { auditWords } from '../../../src/cli/options/audit-words.js';
import { UsageError } from '../../../src/errors.js';

describe('auditWords', () => {
  it('takes every word for a pattern where no kind is asked for', () => {
    expect(auditWords(['web-*', 'db-1'], undefined)).toEqual({
      patterns: ['web-*', 'db-1'],
      kinds: undefined,
    });
  });

  it('takes a pattern after a kind for a pattern', () => {
    expect(auditWords(['web-*'], ['peel.*'])).toEqual({ patterns: ['web-*'], kinds: ['peel.*'] });
    expect(auditWords(['*'], ['key.issued'])).toEqual({ patterns: ['*'], kinds: ['key.issued'] });
  });

  it('takes a further kind after a kind for a kind', () => {
    expect(auditWords(['key.revoked', 'web-*'], ['peel.*'])).toEqual({
      patterns: ['web-*'],
      kinds: ['peel.*', 'key.revoked'],
    });
  });

  it('takes kinds with commas, and --kind more than once', () => {
    const { kinds } = auditWords([], ['key.*,peel.accepted', 'token.used']);
    expect(kinds).toEqual(['key.*', 'peel.accepted', 'token.used']);
  });

  it.each([[['web-*']], [['peel.*,']], [['key.made']]])('refuses kinds that do not exist: %j', (given) => {
    expect(() => auditWords([], given)).toThrow(UsageError);
    expect(() => auditWords([], given)).toThrow('is not a kind of event');
  });
});
