import { describe, expect, it } from 'vitest';
import { auditWords } from '../../../src/cli/options/audit-words.js';
import { UsageError } from '../../../src/errors.js';

describe('auditWords', () => {
  it('reads every word as a pattern without --kind', () => {
    expect(auditWords(['web-*', 'db-1'], undefined)).toEqual({
      patterns: ['web-*', 'db-1'],
      kinds: undefined,
    });
  });

  it('reads a pattern after a kind as a pattern', () => {
    expect(auditWords(['web-*'], ['peel.*'])).toEqual({ patterns: ['web-*'], kinds: ['peel.*'] });
    expect(auditWords(['*'], ['key.issued'])).toEqual({ patterns: ['*'], kinds: ['key.issued'] });
  });

  it('reads a further kind after a kind as a kind', () => {
    expect(auditWords(['key.revoked', 'web-*'], ['peel.*'])).toEqual({
      patterns: ['web-*'],
      kinds: ['peel.*', 'key.revoked'],
    });
  });

  it('accepts comma-separated kinds, and repeated --kind', () => {
    const { kinds } = auditWords([], ['key.*,peel.accepted', 'token.used']);
    expect(kinds).toEqual(['key.*', 'peel.accepted', 'token.used']);
  });

  it.each([[['web-*']], [['peel.*,']], [['key.made']]])('refuses kinds that do not exist: %j', (given) => {
    expect(() => auditWords([], given)).toThrow(UsageError);
    expect(() => auditWords([], given)).toThrow('is not a kind of event');
  });
});
