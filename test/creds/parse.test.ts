import * as jwtJs from '@nats-io/jwt';
import fc from 'fast-check';
import { gzipSync } from 'node:zlib';
import { describe, expect, it, vi } from 'vitest';
import {
  createAccountJwt,
  createOperatorJwt,
  CredsError,
  decodeUserJwt,
  generateCurveKey,
  generateKeyBundle,
  MAX_CREDS_BYTES,
  parseCredsData,
  publicKeyFromSeed,
} from '../../src/index.js';
import { alter } from '../jwt/forge.js';
import { refusal } from '../support/refusal.js';
import { makeCredentials, sectionsOf, text } from './credentials.js';
import { credsVariants } from './variants.js';

const good = makeCredentials();
const other = makeCredentials({ name: 'web-02' });
const { jwtSection, seedSection } = sectionsOf(good);

describe('a .creds file is read', () => {
  it.each<[string, string | Uint8Array]>(credsVariants(good))('%s', (_, data) => {
    const creds = parseCredsData(data, 'embedded-creds');
    expect(creds.jwt).toBe(good.jwt);
    expect(text(creds.seed)).toBe(good.seed);
    expect(creds.claims).toEqual(decodeUserJwt(good.jwt));
    expect(creds).toMatchObject({ path: 'embedded-creds', source: 'bytes', publicKey: good.user.publicKey });
  });

  it('as fmtCreds of @nats-io/jwt writes it', async () => {
    const [account, user] = [jwtJs.createAccount(), jwtJs.createUser()];
    const jwt = await jwtJs.encodeUser('theirs', user, account, {});
    const creds = parseCredsData(jwtJs.fmtCreds(jwt, user), 'theirs');
    expect(creds.jwt).toBe(jwt);
    expect(creds.claims.name).toBe('theirs');
    expect(creds.seed).toEqual(user.getSeed());
  });

  it('and ours is read by parseCreds of @nats-io/jwt', async () => {
    const theirs = await jwtJs.parseCreds(Buffer.from(good.text));
    expect(theirs).toMatchObject({ key: good.seed, jwt: good.jwt, aid: good.account.publicKey });
  });

  it('an expired credential: its user decides', () => {
    const old = makeCredentials({ expiry: 1, now: () => 1_000_000_000_000 });
    const creds = parseCredsData(old.text, 'old');
    expect(creds.isExpired()).toBe(true);
    expect(creds.isExpired(() => 1_000_000_000_999)).toBe(false);
    expect(creds.isExpired(() => 1_000_000_001_000)).toBe(true);
  });
});

describe('a .creds file is refused', () => {
  const operator = generateKeyBundle('operator');
  const accountJwt = createAccountJwt(good.account, operator, { name: 'A' });
  const operatorJwt = createOperatorJwt(operator, { name: 'O' });
  const damagedSeed = good.seed.slice(0, 30) + (good.seed[30] === 'A' ? 'B' : 'A') + good.seed.slice(31);
  const withSeed = (seed: string) => good.text.replace(good.seed, seed);
  const withJwt = (jwt: string) => good.text.replace(good.jwt, jwt);

  it.each<[string, string, string]>([
    ['when it is empty', '', 'ERR_CREDS_NO_JWT'],
    ['when it has no JWT', seedSection, 'ERR_CREDS_NO_JWT'],
    ['when the JWT section is empty', withJwt(''), 'ERR_CREDS_NO_JWT'],
    ['when it is a JWT alone, without its section', good.jwt, 'ERR_CREDS_NO_JWT'],
    ['when it has no seed', jwtSection, 'ERR_CREDS_NO_SEED'],
    ['when the seed section is empty', withSeed(''), 'ERR_CREDS_NO_SEED'],
    [
      'when it ends before the seed section',
      good.text.slice(0, good.text.indexOf('-----BEGIN USER')),
      'ERR_CREDS_NO_SEED',
    ],
    ['with two JWTs', jwtSection + good.text, 'ERR_CREDS_DUPLICATE_JWT'],
    ['with the JWT of another', other.text + jwtSection, 'ERR_CREDS_DUPLICATE_JWT'],
    ['with two seeds', good.text + seedSection, 'ERR_CREDS_DUPLICATE_SEED'],
    ['when two files are put together', good.text + other.text, 'ERR_CREDS_DUPLICATE_JWT'],
    ['when it is cut off within the JWT', good.text.slice(0, 100), 'ERR_CREDS_FORMAT'],
    [
      'when it is cut off within the seed',
      good.text.slice(0, good.text.indexOf(good.seed) + 20),
      'ERR_CREDS_FORMAT',
    ],
    [
      'when it is cut off after the seed',
      good.text.slice(0, good.text.indexOf(good.seed) + 58),
      'ERR_CREDS_FORMAT',
    ],
    ['when a section holds two lines', withSeed(`${good.seed}\n${good.seed}`), 'ERR_CREDS_FORMAT'],
    [
      'when a section is not closed before the next',
      good.text.replace('------END NATS USER JWT------\n', ''),
      'ERR_CREDS_FORMAT',
    ],
    ...['> ', '# ', '"'].flatMap((mark): [string, string, string][] => [
      [
        `with ${mark} before the dashes that close the JWT`,
        good.text.replace('------END NATS', `${mark}------END NATS`),
        'ERR_CREDS_FORMAT',
      ],
      [
        `with ${mark} before the dashes that close the seed`,
        good.text.replace('------END USER', `${mark}------END USER`),
        'ERR_CREDS_FORMAT',
      ],
    ]),
    [
      'with two seeds on lines by themselves',
      `${jwtSection}${good.seed}\n${other.seed}\n`,
      'ERR_CREDS_NO_SEED',
    ],
    ["with an account's seed", withSeed(text(good.account.seed)), 'ERR_CREDS_SEED_ROLE'],
    ["with an operator's seed", withSeed(text(operator.seed)), 'ERR_CREDS_SEED_ROLE'],
    ['with the seed of a curve key', withSeed(text(generateCurveKey().seed)), 'ERR_CREDS_SEED_ROLE'],
    ['with a seed that is damaged', withSeed(damagedSeed), 'ERR_CREDS_SEED_CHECKSUM'],
    ['with a public key for a seed', withSeed(good.user.publicKey), 'ERR_CREDS_SEED_FORMAT'],
    ['with a seed that was not copied whole', withSeed(good.seed.slice(0, -1)), 'ERR_CREDS_SEED_FORMAT'],
    ['with text for a seed', withSeed('hunter2'), 'ERR_CREDS_SEED_FORMAT'],
    ['with text for a JWT', withJwt('hello'), 'ERR_CREDS_JWT_FORMAT'],
    [
      'with an unsigned JWT',
      withJwt(good.jwt.slice(0, good.jwt.lastIndexOf('.') + 1)),
      'ERR_CREDS_JWT_FORMAT',
    ],
    ["with an account's JWT", withJwt(accountJwt), 'ERR_CREDS_JWT_TYPE'],
    ["with an operator's JWT", withJwt(operatorJwt), 'ERR_CREDS_JWT_TYPE'],
    [
      'with a JWT that was altered',
      withJwt(alter(good.jwt, (c) => void (c['name'] = 'admin'))),
      'ERR_CREDS_JWT_SIGNATURE',
    ],
    ['with the seed of another user', withSeed(other.seed), 'ERR_CREDS_SEED_MISMATCH'],
    ['with the JWT of another user', withJwt(other.jwt), 'ERR_CREDS_SEED_MISMATCH'],
    ['when it is larger than 64 KiB', good.text + '\n'.repeat(MAX_CREDS_BYTES), 'ERR_CREDS_TOO_LARGE'],
  ])('%s', async (_, data, code) => {
    const seeds = [good.seed, other.seed, damagedSeed, good.account.seed, operator.seed];
    for (const given of [data, Buffer.from(data)]) {
      const error = (await refusal(
        code,
        () => parseCredsData(given, 'web-01.creds'),
        ...seeds,
      )) as CredsError;
      expect(error).toBeInstanceOf(CredsError);
      expect(error.path).toBe('web-01.creds');
      expect(error.message).toContain('web-01.creds');
    }
  });

  describe.each(credsVariants(good))('%s', (form, content) => {
    const file = Buffer.from(content).toString();
    const its = sectionsOf(other);

    it('when a second JWT is added', async () => {
      for (const data of [`${file}\n${its.jwtSection}`, `${its.jwtSection}${file}`])
        await refusal('ERR_CREDS_DUPLICATE_JWT', () => parseCredsData(data, 'x'), good.seed);
    });

    it('when a second seed is added', () => {
      // one on a line by itself yields to a section, but is a section where it stands between two others
      const code = form.startsWith('with the seed on a line by itself')
        ? /^ERR_CREDS_(DUPLICATE_SEED|SEED_MISMATCH)$/
        : /^ERR_CREDS_DUPLICATE_SEED$/;
      for (const data of [`${file}\n${its.seedSection}`, `${its.seedSection}${file}`]) {
        const error = expect.objectContaining({ code: expect.stringMatching(code) as string }) as Error;
        expect(() => parseCredsData(data, 'x')).toThrow(error);
      }
    });

    it('when its last section is not closed', () => {
      const lines = file.split(/\r\n|\n|\r/);
      const closing = lines.findLastIndex((line) => /---.*---\s*$/.test(line));
      const cut = () => parseCredsData(lines.slice(0, closing).join('\n'), 'x');
      // without a label, nothing tells that its line of dashes opened a section
      if (form === 'without labels') expect(cut().jwt).toBe(good.jwt);
      else expect(cut).toThrow(CredsError);
    });
  });

  const base64 = Buffer.from(good.text).toString('base64');
  it.each<[string, string | Uint8Array, RegExp]>([
    ['base64', base64, /it is base64/],
    ['base64 in lines', base64.replaceAll(/.{76}/g, '$&\n'), /it is base64/],
    ['base64url', Buffer.from(good.text).toString('base64url'), /it is base64/],
    ['UTF-16', Buffer.from(`\ufeff${good.text}`, 'utf16le'), /it is UTF-16/],
    ['UTF-16 without its mark', Buffer.from(good.text, 'utf16le'), /it is UTF-16/],
    ['UTF-16, big-endian', Buffer.from(`\ufeff${good.text}`, 'utf16le').swap16(), /it is UTF-16/],
    ['a JSON string', JSON.stringify(good.text), /it is a quoted string/],
    ['a string in single quotes', `'${good.text.replaceAll('\n', '\\n')}'`, /it is a quoted string/],
    ['one line', good.text.replaceAll('\n', '\\n'), /it is one line with \\n/],
    ['nothing', '', /it is empty/],
    ['white space', ' \r\n\t', /it is empty/],
    ['an age file', 'age-encryption.org/v1\n-> X25519 abc\n', /encrypted with age/],
    ['a PGP message', '-----BEGIN PGP MESSAGE-----\n\nhQEMA\n', /encrypted with PGP/],
    ['an ansible-vault file', '$ANSIBLE_VAULT;1.1;AES256\n6162\n', /encrypted with ansible-vault/],
    ['bytes', Buffer.of(1, 0, 2, 0, 0), /it is not text/],
    ['gzip', gzipSync(good.text), /it is compressed with gzip/],
    ['a mark of UTF-16 alone', Buffer.of(0xff, 0xfe), /it is empty/],
    ['base64 of base64', Buffer.from(base64).toString('base64'), /it is base64/],
    ['base64 of UTF-16', Buffer.from(good.text, 'utf16le').toString('base64'), /it is base64/],
    ['a data URL', `data:text/plain;base64,${base64}`, /it is base64/],
    ['a JSON object', JSON.stringify({ creds: good.text }), /it is JSON/],
    [
      'a JSON object of JWT and seed',
      JSON.stringify({ jwt: good.jwt, seed: good.seed }, null, 2),
      /it is JSON/,
    ],
    [
      'a manifest',
      `apiVersion: v1\nkind: Secret\ndata:\n  x.creds: ${base64}\n`,
      /it is a Kubernetes manifest/,
    ],
    ['a line of an environment file', `CREDS=${base64}`, /it is NAME=value/],
    ['URL encoding', encodeURIComponent(good.text), /it is encoded for a URL/],
    ['lost line ends', good.text.replaceAll('\n', ' '), /it is one line, so its newlines are lost/],
    ['dashes of a word processor', good.text.replaceAll('-----', '\u2014\u2014'), /its dashes are not ASCII/],
    ['a web page', '<!DOCTYPE html><html>Not found</html>', /it is a web page/],
    ['a JWT alone', good.jwt, /it has a JWT, but not between two lines with dashes/],
    [
      'a certificate',
      '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
      /it is PEM \(CERTIFICATE\)/,
    ],
  ])('and the error says what it looks like: %s', async (_, data, message) => {
    const error = await refusal('ERR_CREDS_NO_JWT', () => parseCredsData(data, 'x'), good.seed);
    expect(error.message).toMatch(message);
  });

  it.each([undefined, null, 7, {}, [good.text], new ArrayBuffer(8)])(
    'when it is neither bytes nor text: %s',
    async (data) => {
      await refusal('ERR_CREDS_INPUT', () => parseCredsData(data as unknown as string, 'x'), good.seed);
    },
  );

  it('when the credentials are given where their name belongs, without showing them', async () => {
    await refusal('ERR_CREDS_NO_JWT', () => parseCredsData('embedded-creds', good.text), good.seed);
    const bytes = Buffer.from(good.text) as unknown as string;
    await refusal('ERR_CREDS_INPUT', () => parseCredsData('embedded-creds', bytes), good.seed);
  });

  it('is accepted with exactly 64 KiB', () => {
    const padded = good.text + '\n'.repeat(MAX_CREDS_BYTES - good.text.length);
    expect(parseCredsData(padded, 'x').jwt).toBe(good.jwt);
  });
});

describe('arbitrary input', () => {
  /** Whether the pair matches, if there is one. */
  function outcome(data: Uint8Array | string): 'creds' | 'error' {
    let creds;
    try {
      creds = parseCredsData(data, 'any');
    } catch (error) {
      expect(error).toBeInstanceOf(CredsError);
      return 'error';
    }
    expect(publicKeyFromSeed(creds.seed)).toBe(creds.claims.sub);
    expect(decodeUserJwt(creds.jwt)).toEqual(creds.claims);
    return 'creds';
  }

  it('any bytes and any text give credentials or a ZesterError', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 400 }),
          fc.uint8Array({ maxLength: 800 }).map((bytes) => Buffer.from(bytes).toString('utf16le')),
          fc
            .array(
              fc.constantFrom(
                '-',
                '---',
                '\n',
                '\r',
                ' ',
                'BEGIN ',
                'END ',
                'JWT',
                'SEED',
                good.jwt,
                good.seed,
                '.',
              ),
              { maxLength: 60 },
            )
            .map((parts) => parts.join('')),
        ),
        (data) => void outcome(data),
      ),
      { numRuns: 1000 },
    );
  });

  it('a corrupted file yields the same credential or none', () => {
    const bytes = Buffer.from(good.text);
    const at = fc.nat(bytes.length - 1);
    const mutation = fc.oneof(
      fc.tuple(at, fc.nat(7)).map(([i, bit]) => (b: Buffer) => {
        const flipped = Buffer.from(b);
        const j = i % Math.max(1, b.length);
        flipped[j] = (flipped[j] ?? 0) ^ (1 << bit);
        return flipped;
      }),
      fc.tuple(at, fc.uint8Array({ minLength: 1, maxLength: 8 })).map(
        ([i, more]) =>
          (b: Buffer) =>
            Buffer.concat([b.subarray(0, i), more, b.subarray(i)]),
      ),
      fc.tuple(at, fc.integer({ min: 1, max: 80 })).map(
        ([i, count]) =>
          (b: Buffer) =>
            Buffer.concat([b.subarray(0, i), b.subarray(i + count)]),
      ),
      at.map((i) => (b: Buffer) => b.subarray(0, i)),
      at.map((i) => (b: Buffer) => b.subarray(i)),
      fc.tuple(at, at).map(
        ([i, j]) =>
          (b: Buffer) =>
            Buffer.concat([b, b.subarray(Math.min(i, j), Math.max(i, j))]),
      ),
    );
    let survived = 0;
    fc.assert(
      fc.property(fc.array(mutation, { minLength: 1, maxLength: 3 }), (mutations) => {
        const mutated = mutations.reduce((b: Buffer, mutate) => Buffer.from(mutate(b)), bytes);
        if (outcome(mutated) === 'error') return;
        survived++;
        const creds = parseCredsData(mutated, 'mutated');
        expect(creds.claims).toEqual(decodeUserJwt(good.jwt));
        expect(text(creds.seed)).toBe(good.seed);
      }),
      { numRuns: 3000 },
    );
    // a change in the banner is harmless: the property above does not only cover errors
    expect(survived).toBeGreaterThan(0);
  });

  it('lines of two files in any mixture give one of the two credentials or none', () => {
    const lines = [...good.text.split('\n'), ...other.text.split('\n')].filter((line) => line !== '');
    fc.assert(
      fc.property(
        fc.shuffledSubarray(lines),
        fc.subarray(lines),
        fc.boolean(),
        (shuffled, sorted, shuffle) => {
          outcome((shuffle ? shuffled : sorted).join('\n'));
        },
      ),
      { numRuns: 3000 },
    );
  });

  /** Characters that a tolerant parser might drop: white space, controls, marks, punctuation. */
  const UNSEEN = /[\p{Cc}\p{Cf}\p{Z}\p{M}\p{P}\p{White_Space}\p{Default_Ignorable_Code_Point}]/u;

  describe.each([
    ['JWT', good.jwt],
    ['seed', good.seed],
  ])('a %s is not repaired', (_, whole) => {
    const [before = '', after = ''] = good.text.split(whole);
    const within = (inserted: string, at = whole.length >> 1) =>
      before + whole.slice(0, at) + inserted + whole.slice(at) + after;
    const isRead = (data: string | Uint8Array) => {
      try {
        parseCredsData(data, 'x');
        return true;
      } catch (error) {
        if (!(error instanceof CredsError)) throw error;
        return false;
      }
    };

    it('when any character is within it, above all one that cannot be seen', () => {
      const units = Array.from({ length: 0x1_0000 }, (_unit, at) => String.fromCharCode(at));
      // one of many letters is like the next
      const tried = units.filter((unit, at) => at <= 0xff || at % 61 === 0 || UNSEEN.test(unit));
      const read: string[] = [];
      const { stackTraceLimit } = Error;
      Error.stackTraceLimit = 0; // most of the time otherwise
      try {
        for (const unit of tried) if (isRead(within(unit))) read.push(unit);
        for (const byte of units.slice(0, 0x100))
          if (isRead(Buffer.from(within(byte), 'latin1'))) read.push(byte);
      } finally {
        Error.stackTraceLimit = stackTraceLimit;
      }
      expect(read.map((unit) => unit.charCodeAt(0).toString(16))).toEqual([]);
    });

    it.each([
      '\u001b[0m',
      '\u001b[1;31m',
      '\u001b[K',
      '\u001bc',
      '\u009b0m',
      '\u001b]0;title\u0007',
      '\u001b]8;;https://example.com\u001b\\',
      ' \b',
      '\ufeff\ufeff',
      '\u{e0041}',
      '=\n',
      '\\\n',
      '\n  ',
      '\r\n\t',
      '\\n',
      '%0A',
      '%20',
      '&#8203;',
      '&shy;',
    ])('when %j is within it', (inserted) => {
      expect(isRead(within(inserted))).toBe(false);
      expect(isRead(Buffer.from(within(inserted)))).toBe(false);
    });

    it('when the terminal colours it', () => {
      for (const at of [0, whole.length]) expect(isRead(within('\u001b[0m', at)), `at ${at}`).toBe(false);
      expect(isRead(before + `\u001b[32m${whole}\u001b[0m` + after)).toBe(false);
    });
  });

  it('every truncation of a file is refused, until only the banner is cut', () => {
    const seedEnd = good.text.indexOf('------END USER NKEY SEED------');
    for (let length = 0; length < good.text.length; length++) {
      // three dashes are a marker's end, as in Go's parser, and six are a marker
      const whole =
        length >= seedEnd + '------END USER NKEY SEED---'.length || length === seedEnd + '------'.length;
      expect(outcome(good.text.slice(0, length)), `cut to ${length}`).toBe(whole ? 'creds' : 'error');
    }
  });

  // If one part of the parser misses a form of opening line, a truncated file is accepted.
  it.each<[string, string]>([
    ['a banner', '-----BEGIN USER NKEY SEED-----'],
    ['in lower case', '---begin user nkey seed---'],
    ['after a quote', '> -----BEGIN USER NKEY SEED-----'],
    ['after text with a dash', 'well-known: -----BEGIN USER NKEY SEED-----'],
    ['with a long label', `-----BEGIN ${'x'.repeat(300)} SEED-----`],
  ])('a seed whose section is not closed is refused: %s', (_, opening) => {
    const end = '------END USER NKEY SEED------';
    expect(parseCredsData(`${jwtSection}${opening}\n${good.seed}\n${end}\n`, 'x').jwt).toBe(good.jwt);
    expect(outcome(`${jwtSection}${opening}\n${good.seed}\n`)).toBe('error');
    expect(outcome(`${jwtSection}${opening}\n${good.seed}`)).toBe('error');
  });

  it.each<[string, (size: number) => string]>([
    ['dashes', (size) => '-'.repeat(size)],
    ['short lines of dashes', (size) => '---\n'.repeat(size / 4)],
    ['dashes that nearly close', (size) => `${'-'.repeat(150)}x\n`.repeat(size / 152)],
    ['line ends', (size) => '\r\n'.repeat(size / 2)],
    ['spaces', (size) => ' '.repeat(size)],
    ['spaces with a letter at the end of each line', (size) => `${' '.repeat(1000)}x\n`.repeat(size / 1002)],
    ['openings of sections', (size) => '-----BEGIN NATS USER JWT-----\n'.repeat(size / 30)],
    ['empty sections', (size) => '-----BEGIN X-----\n-----END X-----\n'.repeat(size / 34)],
    [
      'a seed of that size',
      (size) =>
        `${jwtSection}-----BEGIN USER NKEY SEED-----\n${'S'.repeat(size)}\n------END USER NKEY SEED------`,
    ],
    [
      'a JWT of dots',
      (size) =>
        `-----BEGIN NATS USER JWT-----\n${'.'.repeat(size)}\n------END NATS USER JWT------\n${seedSection}`,
    ],
    [
      'a JWT of deeply nested lists',
      (size) =>
        `-----BEGIN NATS USER JWT-----\n${good.jwt.split('.')[0] ?? ''}.${Buffer.from('['.repeat((size * 3) / 4)).toString('base64url')}.x\n------END NATS USER JWT------\n${seedSection}`,
    ],
  ])('the work is within a fixed multiple of the size: %s', (_, make) => {
    // text that passes through the functions of strings, which each take it once or less; small multiples, whatever the size
    for (const size of [2_000, 16_000, 60_000]) {
      const data = make(size);
      let refused: unknown;
      const work = textWorkedOn(() => {
        try {
          parseCredsData(data, 'x');
        } catch (error) {
          refused = error;
        }
      });
      expect(refused).toBeInstanceOf(CredsError);
      expect(work).toBeGreaterThan(0);
      expect(work / data.length).toBeLessThan(10);
    }
  });
});

/** The characters that went through the functions of strings and regular expressions while `act` ran. */
function textWorkedOn(act: () => void): number {
  const methods = [
    'split',
    'trim',
    'startsWith',
    'endsWith',
    'replace',
    'slice',
    'match',
    'search',
    'indexOf',
  ] as const;
  const originalTest = RegExp.prototype.test;
  let characters = 0;
  const spies = [
    ...methods.map((method) => {
      const original = String.prototype[method] as (...args: unknown[]) => unknown;
      return vi.spyOn(String.prototype, method).mockImplementation(function (
        this: string,
        ...args: unknown[]
      ) {
        characters += this.length;
        return original.apply(this, args) as never;
      });
    }),
    // not exec: with another one in its place, split and replace would call it at every character
    vi.spyOn(RegExp.prototype, 'test').mockImplementation(function (this: RegExp, text: string) {
      characters += text.length;
      return originalTest.call(this, text);
    }),
  ];
  // making a stack trace works on text too, but is not what is measured
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    act();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
    for (const spy of spies) spy.mockRestore();
  }
  return characters;
}
