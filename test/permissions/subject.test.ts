import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { subjectCovers, validateSubject } from '../../src/index.js';
import { subjectsOverlap } from '../../src/permissions/subjects-overlap.js';
import { refusal } from '../support/refusal.js';

describe('a subject', () => {
  it.each(['a', 'a.b.c', 'a.*.c', '*', '>', 'a.>', '*.*', '$SYS.REQ', '_INBOX.x.y', 'größe.🍋', 'a-b_c'])(
    'may be %s',
    (subject) => {
      expect(validateSubject(subject)).toBe(subject);
    },
  );

  it.each([
    '',
    '.',
    '.a',
    'a.',
    'a..b',
    'a b',
    ' a',
    'a\t',
    'a\n',
    'a\u00a0b',
    'a\u2028b',
    'a\0',
    'a.>.b',
    '>.a',
    'a*',
    'a.b*',
    '**',
    'a>',
    '>>',
    'a.{{name()}}',
  ])('is refused when it is %j', async (subject) => {
    await refusal('ERR_SUBJECT', () => validateSubject(subject));
  });

  it('is rejected when it is not a string', async () => {
    await refusal('ERR_SUBJECT', () => validateSubject(undefined as unknown as string));
    await refusal('ERR_SUBJECT', () => validateSubject(7 as unknown as string));
  });

  it('has no wildcards where none are allowed', async () => {
    await refusal('ERR_SUBJECT', () => validateSubject('a.*', { wildcards: false }));
    await refusal('ERR_SUBJECT', () => validateSubject('a.>', { wildcards: false }));
    expect(validateSubject('a.b', { wildcards: false })).toBe('a.b');
  });

  it('has templates where they are allowed, of the functions that a server knows, as whole tokens', async () => {
    for (const good of [
      'a.{{name()}}',
      '{{subject()}}.>',
      'x.{{account-name()}}',
      '{{tag(team)}}.{{account-tag(t)}}',
    ]) {
      expect(validateSubject(good, { templates: true })).toBe(good);
    }
    for (const bad of [
      'a.{{nam()}}',
      'a.x{{name()}}',
      'a.{{name()}',
      'a.{{name}}',
      'a.name()}}',
      'a.{{name()}}{{name()}}',
    ]) {
      await refusal('ERR_SUBJECT', () => validateSubject(bad, { templates: true }));
    }
  });
});

describe('a subject covers another', () => {
  it.each([
    ['a', 'a', true],
    ['a', 'b', false],
    ['a', 'a.b', false],
    ['a.b', 'a', false],
    ['a.*', 'a.b', true],
    ['a.*', 'a', false],
    ['a.*', 'a.b.c', false],
    ['a.*', 'a.*', true],
    ['a.*', 'a.>', false],
    ['a.>', 'a.b', true],
    ['a.>', 'a.b.c', true],
    ['a.>', 'a', false],
    ['a.>', 'a.*', true],
    ['a.>', 'a.>', true],
    ['a.>', '>', false],
    ['a.b', 'a.*', false],
    ['>', 'a', true],
    ['>', '>', true],
    ['>', '*.>', true],
    ['*', 'a', true],
    ['*.>', '>', false],
    ['*.b', 'a.b', true],
    ['*.b', 'a.c', false],
  ])('%s covers %s: %s', (outer, inner, covers) => {
    expect(subjectCovers(outer, inner)).toBe(covers);
  });

  it('exactly when it matches everything that the other matches', () => {
    const token = fc.constantFrom('a', 'b', '*');
    const pattern = fc
      .tuple(fc.array(token, { minLength: 1, maxLength: 3 }), fc.boolean())
      .map(([tokens, open]) => [...tokens, ...(open ? ['>'] : [])].join('.'));
    const words = ['a', 'b', 'c'];
    const literals = [1, 2, 3, 4, 5].reduce<string[][]>(
      (all, length) => [
        ...all,
        ...(length === 1
          ? words.map((w) => [w])
          : all.filter((l) => l.length === length - 1).flatMap((l) => words.map((w) => [...l, w]))),
      ],
      [],
    );
    const matches = (filter: string, literal: string[]) => {
      const tokens = filter.split('.');
      for (const [i, token] of tokens.entries()) {
        if (token === '>') return literal.length > i;
        if (literal[i] === undefined || (token !== '*' && token !== literal[i])) return false;
      }
      return tokens.length === literal.length;
    };
    fc.assert(
      fc.property(pattern, pattern, (outer, inner) => {
        const all = literals
          .filter((literal) => matches(inner, literal))
          .every((literal) => matches(outer, literal));
        expect(subjectCovers(outer, inner)).toBe(all);
        const some = literals.some((literal) => matches(inner, literal) && matches(outer, literal));
        expect(subjectsOverlap(outer, inner)).toBe(some);
      }),
      { numRuns: 1000 },
    );
  });
});
