// Mutates bytes: the changes that find the edges of parsers.
import type { SeededRandom } from '../support/random.js';

const LATIN = (text: string) => Buffer.from(text, 'latin1');

/** Fragments that are significant to some parser. */
const PIECES: readonly Uint8Array[] = [
  ...[
    '{',
    '}',
    '[',
    ']',
    '"',
    '\\',
    ',',
    ':',
    '\n',
    '\r\n',
    '\0',
    ' ',
    '\t',
    '#',
    '---',
    '-----',
    '.',
    '..',
    '../',
    '/',
  ],
  ...[
    'null',
    'true',
    '-1',
    '0',
    '1e999',
    '9223372036854775808',
    '1.5',
    '""',
    '[]',
    '{}',
    '"__proto__":{}',
    '"constructor":1',
  ],
  ...[
    '&a',
    '*a',
    '!!js/function',
    '<<: *a',
    '? ',
    '- ',
    '|',
    '>',
    '%YAML 9',
    '"\\ud800"',
    '\\u0000',
    '$(x)',
    '`',
    '=',
    '@',
    '*',
    '>',
  ],
  ...[
    '-----BEGIN NATS USER JWT-----',
    '------END NATS USER JWT------',
    '-----BEGIN USER NKEY SEED-----',
    'eyJ',
    'SU',
    'UA',
    'A',
  ],
  ...[
    '\x1b[2J',
    '\x1b]52;c;',
    '\x9b',
    '\xff\xfe',
    '\xef\xbb\xbf',
    '\xe2\x80\xae',
    '\xed\xa0\x80',
    '\xc0\x80',
    '\xf5',
  ],
].map(LATIN);

const MAX_BYTES = 64 * 1024;

/**
 * Applies one or several random changes to bytes.
 *
 * @param others other known inputs, to splice with
 */
export function mutate(input: Uint8Array, others: readonly Uint8Array[], random: SeededRandom): Uint8Array {
  let bytes = Buffer.from(input);
  for (let n = 1 + random.below(4); n > 0; n--) bytes = change(bytes, others, random);
  return bytes.subarray(0, MAX_BYTES);
}

function change(bytes: Buffer, others: readonly Uint8Array[], random: SeededRandom): Buffer<ArrayBuffer> {
  const at = random.below(bytes.length + 1);
  const length = random.below(Math.min(64, bytes.length - at) + 1);
  const replaced = (by: Uint8Array, removed: number) =>
    Buffer.concat([bytes.subarray(0, at), by, bytes.subarray(at + removed)]);
  switch (random.below(10)) {
    case 0: {
      const copy = Buffer.from(bytes);
      if (copy.length > 0) copy[at % copy.length] = (copy[at % copy.length] ?? 0) ^ (1 << random.below(8));
      return copy;
    }
    case 1:
      return replaced(Buffer.of(random.below(256)), 1);
    case 2:
      return replaced(random.pick(PIECES), 0);
    case 3:
      return replaced(random.pick(PIECES), length);
    case 4:
      return replaced(new Uint8Array(), length);
    case 5:
      return replaced(bytes.subarray(at, at + length), 0);
    case 6: {
      const other = random.pick(others);
      const from = random.below(other.length + 1);
      return replaced(other.subarray(from, from + random.below(256)), length);
    }
    case 7:
      // a long run reveals superlinear costs
      return replaced(Buffer.alloc(random.pick([16, 300, 5_000, 40_000]), random.pick(PIECES)), 0);
    case 8:
      return Buffer.from(bytes.subarray(0, at));
    default: {
      const tokens = [...bytes.toString('latin1').matchAll(/"(?:[^"\\]|\\.)*"|-?\d+|true|false|null/g)];
      const token = tokens.length === 0 ? undefined : random.pick(tokens);
      if (token === undefined) return Buffer.from(bytes);
      const by = random.pick(PIECES);
      return Buffer.concat([
        bytes.subarray(0, token.index),
        by,
        bytes.subarray(token.index + token[0].length),
      ]);
    }
  }
}
