import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bootstrapPeelCreds,
  generateKeyBundle,
  isPeelId,
  natsOptionsForPeel,
  peelInboxPrefix,
  peelPermissions,
  peelUserJwtOptions,
  validatePeelId,
} from '../../src/index.js';
import { refusal } from '../support/refusal.js';
import { anyCharacter } from '../support/any-character.js';

describe('a peel id', () => {
  it.each(['web-server-01', 'a', 'A', '0', 'a_b', 'a-', 'WEB', 'x'.repeat(128), '0'.repeat(128)])(
    'may be %s',
    (id) => {
      expect(validatePeelId(id)).toBe(id);
      expect(isPeelId(id)).toBe(true);
    },
  );
});

const BAD: [string, unknown][] = [
  ['the wildcard of one token, which would be every peel', '*'],
  ['the wildcard of all tokens', '>'],
  ['two tokens, which would read the commands of another', 'a.b'],
  ['a token and a wildcard', 'a.>'],
  ['empty', ''],
  ['a space', ' '],
  ['words', 'a b'],
  ['white space around a good one', ' web'],
  ['white space after a good one', 'web '],
  ['a path upwards', '../x'],
  ['two dots', '..'],
  ['a path', 'a/b'],
  ['a Windows path', 'a\\b'],
  ['a leading _, which masters and admins have', '_admin'],
  ['a leading -, which a command would take for an option', '-rf'],
  ['129 characters', 'x'.repeat(129)],
  ['a million characters', 'x'.repeat(1_000_000)],
  ['a Cyrillic look-alike', 'wеb'],
  ['full-width letters', 'ｗｅｂ'],
  ['a combining accent', 'web\u0301'],
  ['a zero-width space', 'we\u200bb'],
  ['text from right to left', 'web\u202e'],
  ['a Kelvin sign, whose lower case is k', 'web\u212a'],
  ['Arabic digits', 'web-٠١'],
  ['a newline at the end', 'web\n'],
  ['a newline within', 'web\nx'],
  ['a line separator', 'web\u2028'],
  ['a carriage return', 'web\r'],
  ['a NUL', 'web\0'],
  ['a tab', 'we\tb'],
  ['an escape sequence', '\u001b[31mweb'],
  ['a template', '{{name()}}'],
  ['a dollar', '$SYS'],
  ['a quote', "web'"],
  ['a number', 7],
  ['a list of a good one', ['web']],
  ['an object that prints as a good one', { toString: () => 'web' }],
  ['null', null],
  ['nothing', undefined],
];

describe('a peel id is refused when it is', () => {
  it.each(BAD)('%s', async (_, id) => {
    const error = await refusal('ERR_PEEL_ID', () => validatePeelId(id));
    expect(error.message.length).toBeLessThan(300);
    expect(error.message).not.toMatch(/\p{Cc}/u);
    expect(isPeelId(id)).toBe(false);
  });

  it.each(BAD)('%s, wherever it enters the library', async (_, given) => {
    const id = given as string;
    const account = generateKeyBundle('account');
    await refusal('ERR_PEEL_ID', () => peelPermissions(id));
    await refusal('ERR_PEEL_ID', () => peelInboxPrefix(id));
    await refusal('ERR_PEEL_ID', () => peelUserJwtOptions(id, account.publicKey));
    await refusal('ERR_PEEL_ID', () => peelUserJwtOptions(id, account.publicKey, { scoped: true }));
    await refusal('ERR_PEEL_ID', () => natsOptionsForPeel('never-read.creds', id));
    await refusal('ERR_PEEL_ID', () => bootstrapPeelCreds(account, id, 'never-written.creds'));
  });
});

const ALLOWED = new Set('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_');

describe('for any text', () => {
  it('a peel id is one token of a subject, a file name and plain ASCII', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: anyCharacter, maxLength: 6 }),
          fc.string({ unit: fc.constantFrom('a', '-'), minLength: 120, maxLength: 136 }),
          fc.string({ unit: fc.constantFrom(...'ab-_01.*>/ \n'), maxLength: 8 }),
        ),
        (id) => {
          const plain =
            id.length >= 1 &&
            id.length <= 128 &&
            !id.startsWith('-') &&
            !id.startsWith('_') &&
            [...id].every((c) => ALLOWED.has(c));
          expect(isPeelId(id)).toBe(plain);
        },
      ),
      { numRuns: 300 },
    );
  });
});
