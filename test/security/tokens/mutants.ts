// Mutations of a signed token, of every kind that an attacker or a broken tool makes.
import type { KeyBundle } from '../../../src/index.js';
import { encodePublicKey } from '../../../src/nkeys/encoding.js';
import type { SeededRandom } from '../../support/random.js';
import { anyJson, at, paths, withMembers, withName, withRaw, type Path, type Raw } from './json-text.js';
import type { NonceSigner } from './raw-connect.js';

export type Claims = Record<string, unknown> & { nats: Record<string, unknown> };

/** A mutation of a token: it turns claims into a token, signed or not. */
export interface Mutant {
  kind: string;
  what: string;
  make: (claims: Claims) => string;
  /** The verdict depends on the current second. */
  ofThisSecond?: boolean;
  /** The signer of the server's nonce, if it is not the user's key. */
  nonceKey?: NonceSigner;
}

/** The input of mutations. */
export interface Original {
  name: string;
  claims: Claims;
  signer: KeyBundle;
  /** Claims known to servers that it lacks. */
  absent: readonly Path[];
}

const HEADER = '{"typ":"JWT","alg":"ed25519-nkey"}';
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;
const encode = (text: string | Uint8Array) => Buffer.from(text as string).toString('base64url');

/** Signs any claims with any header, as any holder of the key can. */
export function signed(
  claims: string | Uint8Array,
  signer: NonceSigner,
  header: string | Uint8Array = HEADER,
): string {
  const text = `${encode(header)}.${encode(claims)}`;
  return `${text}.${encode(signer.sign(text))}`;
}

const VALUES: readonly Raw[] = [
  undefined,
  ...[
    'null',
    '""',
    '" "',
    '"text"',
    '"0"',
    '0',
    '1',
    '-1',
    '1.5',
    '1e3',
    '1E+2',
    '1.0',
    '-0',
    '9007199254740993',
  ],
  ...[
    '253402300800',
    '9223372036854775807',
    '9223372036854775808',
    '-9223372036854775808',
    '1e400',
    '4294967296',
  ],
  ...[
    'true',
    'false',
    '[]',
    '[null]',
    '[""]',
    '[0]',
    '["a"]',
    '["a b"]',
    '["a b c"]',
    '[".a"]',
    '["a..b"]',
    '[[]]',
  ],
  ...[
    '{}',
    '{"a":1}',
    '{"allow":[]}',
    '{"allow":null}',
    '{"allow":[""]}',
    '{"max":-1,"ttl":-1}',
    '{"max":1e2}',
  ],
];

/** Valid values of claims with a fixed list. */
const OWN_VALUES: Readonly<Record<string, readonly string[]>> = {
  src: [
    '["10.0.0.0/8"]',
    '"127.0.0.1/32"',
    '"127.0.0.0/8, 10.0.0.0/8"',
    '"nowhere"',
    '["127.0.0.1"]',
    '["127.0.0.1/33"]',
    '["127.0.0.1/032"]',
    '[" 127.0.0.0/8"]',
    '["127.0.0.0/8","x"]',
    '["::/0","127.0.0.0/8"]',
    '["127.00.0.0/8"]',
    '["::1%lo/128"]',
    '","',
  ],
  times: [
    '[{}]',
    '[{"start":"00:00:00","end":"00:00:01"}]',
    '[{"start":"00:00:00"}]',
    '[{"start":"0:00:00","end":"23:59:59"}]',
    '[{"start":"24:00:00","end":"23:59:59"}]',
    '[{"start":"00:00:00.0","end":"23:59:59"}]',
    '[{"start":"00:00","end":"23:59"}]',
    '[{"start":null,"end":"x"}]',
    '[null]',
  ],
  times_location: [
    '"UTC"',
    '"Local"',
    '"Europe/Vienna"',
    '"europe/vienna"',
    '"../UTC"',
    '"/UTC"',
    '"Nowhere/Town"',
    '"utc"',
  ],
  allowed_connection_types: [
    '["standard"]',
    '["WEBSOCKET"]',
    '["STANDARD","BOGUS"]',
    '["BOGUS"]',
    '["MQTT","BOGUS"]',
    '["IN_PROCESS","STANDARD"]',
  ],
  issuer_account: ['"A"', '"*"'],
  version: ['2', '3', '"2"', '2.0', '255'],
  type: ['"user"', '"account"', '"operator"', '"USER"', '"generic"', '"activation"', '"server"'],
  name: ['"*"', '">"', '"a\\u0000b"', '"\\ud800"', '"\\ud83d\\ude00"', '"\\u202e"'],
  tags: ['["A"]', '[null,"a"]'],
  subs: ['2'],
};

/** Every claim with every kind of value. */
export function* valueMutants({ name, claims, signer, absent }: Original): Generator<Mutant> {
  for (const path of [...paths(claims), ...absent]) {
    const own = OWN_VALUES[String(path.at(-1))] ?? [];
    for (const raw of [...VALUES, ...own]) {
      const what = `${name}: ${path.join('.')} = ${raw ?? 'absent'}`;
      yield { kind: 'values', what, make: (of) => signed(withRaw(of, path, raw), signer) };
    }
  }
}

function otherSpellings(name: string): string[] {
  const kelvin = name.replace('k', '\u212a');
  const longS = name.replace('s', '\u017f');
  const capital = name.charAt(0).toUpperCase() + name.slice(1);
  const all = [name.toUpperCase(), capital, kelvin, longS, ` ${name}`, `${name}\u0000`];
  return [...new Set(all)].filter((one) => one !== name);
}

/** Names in another case, duplicate names, and names that are special in JavaScript. */
export function* nameMutants({ name, claims, signer }: Original): Generator<Mutant> {
  for (const path of paths(claims)) {
    const last = path.at(-1);
    if (typeof last !== 'string') continue;
    const parent = path.slice(0, -1);
    const where = `${name}: ${path.join('.')}`;
    const quoted = JSON.stringify(last);
    const value = (of: Claims) => JSON.stringify(at(of, path));
    for (const other of otherSpellings(last)) {
      const as = JSON.stringify(other);
      yield {
        kind: 'names',
        what: `${where} as ${as}`,
        make: (of) => signed(withName(of, path, other), signer),
      };
      for (const side of SIDES) {
        const make = (of: Claims) => signed(withMembers(of, parent, `${as}:${value(of)}`, side), signer);
        yield { kind: 'names', what: `${where} ${side} as ${as} too`, make };
      }
    }
    for (const raw of [undefined, 'null', '"x"', '{}']) {
      for (const side of SIDES) {
        const make = (of: Claims) =>
          signed(withMembers(of, parent, `${quoted}:${raw ?? value(of)}`, side), signer);
        yield { kind: 'names twice', what: `${where} twice, ${side} ${raw ?? 'the same'}`, make };
      }
    }
    const escaped = quoted.replace(last.charAt(0), () => `\\u00${last.charCodeAt(0).toString(16)}`);
    const make = (of: Claims) =>
      signed(
        JSON.stringify(of).replace(quoted, () => escaped),
        signer,
      );
    yield { kind: 'names', what: `${where} with an escape`, make };
  }
  for (const path of [[], ['nats'], ['nats', 'pub'], ['nats', 'revocations']]) {
    if (at(claims, path) === undefined) continue;
    for (const evil of ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty']) {
      for (const raw of ['{"bearer_token":true,"sub":"x","allow":[">"]}', 'null', '1', '[]']) {
        const make = (of: Claims) =>
          signed(withMembers(of, path, `${JSON.stringify(evil)}:${raw}`, 'first'), signer);
        yield { kind: 'prototype', what: `${name}: ${[...path, evil].join('.')} = ${raw}`, make };
      }
    }
  }
}

const SIDES = ['first', 'last'] as const;

const HEADERS: readonly (string | Uint8Array)[] = [
  ...[
    'ED25519-NKEY',
    'Ed25519-nkey',
    'ed25519',
    'ED25519',
    'Ed25519',
    'EdDSA',
    'none',
    'None',
    'NONE',
    'HS256',
    'ES256',
  ],
  ...[
    'ed25519-nkey ',
    ' ed25519-nkey',
    'ed25519-nkeys',
    'ed25519-',
    '',
    'ed25519\u0000-nkey',
    '\u212aey',
    'ed25519-n\u212aey',
  ],
].map((alg) => JSON.stringify({ typ: 'JWT', alg }));

const MORE_HEADERS: readonly (string | Uint8Array)[] = [
  ...['jwt', 'Jwt', 'JWE', '', ' JWT', 'JWT\u0000'].map((typ) =>
    JSON.stringify({ typ, alg: 'ed25519-nkey' }),
  ),
  '{"alg":"ed25519-nkey"}',
  '{"typ":"JWT"}',
  '{}',
  'null',
  '[]',
  '"JWT"',
  '',
  '{"alg":"ed25519-nkey","typ":"JWT"}',
  ' {"typ":"JWT","alg":"ed25519-nkey"}\n',
  '{"typ":"JWT","alg":"ed25519-nkey"} x',
  '{"typ":"JWT","alg":"ed25519-nkey","kid":"x","crit":["b64"],"b64":false}',
  '{"typ":"JWT","alg":"ed25519-nkey","jwk":{"kty":"OKP"},"jku":"http://127.0.0.1/"}',
  '{"typ":"JWT","alg":"none","alg":"ed25519-nkey"}',
  '{"typ":"JWT","alg":"ed25519-nkey","alg":"none"}',
  '{"typ":"JWT","ALG":"none","alg":"ed25519-nkey"}',
  '{"Typ":"JWT","Alg":"ed25519-nkey"}',
  '{"typ":null,"alg":"ed25519-nkey"}',
  '{"typ":"JWT","alg":null}',
  '{"typ":"JWT","alg":["ed25519-nkey"]}',
  '{"typ":["JWT"],"alg":"ed25519-nkey"}',
  '{"typ":"JWT","alg":"ed25519-nkey","__proto__":{"alg":"none"}}',
  '\ufeff{"typ":"JWT","alg":"ed25519-nkey"}',
  Buffer.from('{"typ":"JWT","alg":"ed25519-nkey","x":"\xff"}', 'latin1'),
  '{"typ":"JWT","\\u0061lg":"ed25519-nkey"}',
];

/** Headers, and tokens of version 1. */
export function* headerMutants({ name, signer }: Original): Generator<Mutant> {
  for (const header of [...HEADERS, ...MORE_HEADERS]) {
    const what = `${name}: header ${Buffer.from(header as string).toString('latin1')}`;
    yield { kind: 'headers', what, make: (of) => signed(JSON.stringify(of), signer, header) };
  }
  const version1: [string, (of: Claims) => object][] = [
    ['type at the top', (of) => ({ ...of, type: of.nats['type'] })],
    [
      'type at the top only',
      (of) => ({ ...of, type: of.nats['type'], nats: { ...of.nats, type: undefined, version: undefined } }),
    ],
    ['version 1', (of) => ({ ...of, nats: { ...of.nats, version: 1 } })],
  ];
  for (const [what, change] of version1) {
    for (const header of [HEADER, '{"typ":"jwt","alg":"ed25519"}']) {
      yield {
        kind: 'version 1',
        what: `${name}: ${what}, payload signed, ${header}`,
        make: (of) => {
          const payload = encode(JSON.stringify(change(of)));
          return `${encode(header)}.${payload}.${encode(signer.sign(payload))}`;
        },
      };
      yield {
        kind: 'version 1',
        what: `${name}: ${what}, all signed, ${header}`,
        make: (of) => signed(JSON.stringify(change(of)), signer, header),
      };
    }
  }
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

type Change = (part: string) => string;
const CHANGES: readonly [string, Change][] = [
  ['padded', (part) => part.padEnd(Math.ceil(part.length / 4) * 4, '=')],
  ['one =', (part) => `${part}=`],
  ['line end after', (part) => `${part}\n`],
  ['line end before', (part) => `\r\n${part}`],
  ['line end within', (part) => `${part.slice(0, 20)}\n${part.slice(20)}`],
  ['space within', (part) => `${part.slice(0, 20)} ${part.slice(20)}`],
  ['NUL within', (part) => `${part.slice(0, 20)}\0${part.slice(20)}`],
  ['tab after', (part) => `${part}\t`],
  ['standard alphabet', (part) => part.replaceAll('-', '+').replaceAll('_', '/')],
  ['empty', () => ''],
  ['one letter more', (part) => `${part}A`],
  ['two letters more', (part) => `${part}AA`],
  ['one letter less', (part) => part.slice(0, -1)],
  ['half', (part) => part.slice(0, part.length / 2)],
  ['twice', (part) => part + part],
  ['full-width letter', (part) => `\uff21${part.slice(1)}`],
  // the unused bits of the last letter
  ...[...ALPHABET]
    .filter((_, i) => i % 4 === 0)
    .map((letter): [string, Change] => [`ends with ${letter}`, (part) => part.slice(0, -1) + letter]),
];

/** Other base64 encodings, and parts that are cut, duplicated and swapped. */
export function* encodingMutants(
  { name, signer }: Original,
  other: string,
  random: SeededRandom,
): Generator<Mutant> {
  const split = (of: Claims) => signed(JSON.stringify(of), signer).split('.') as [string, string, string];
  const sign = (head: string, body: string) => {
    const text = `${head}.${body}`;
    return `${text}.${encode(signer.sign(text))}`;
  };
  const mutant = (what: string, make: (...parts: [string, string, string]) => string): Mutant => ({
    kind: 'encoding',
    what: `${name}: ${what}`,
    make: (of) => make(...split(of)),
  });
  for (const [what, change] of CHANGES) {
    yield mutant(`header ${what}`, (header, payload) => sign(change(header), payload));
    yield mutant(`payload ${what}`, (header, payload) => sign(header, change(payload)));
    yield mutant(`signature ${what}`, (header, payload, signature) =>
      [header, payload, change(signature)].join('.'),
    );
  }
  // a payload whose last letter has unused bits
  for (const pad of ['', ' ', '  ']) {
    for (const bits of [1, 2, 3]) {
      const make = (of: Claims) => {
        const text = encode(JSON.stringify(of) + pad);
        const letter = ALPHABET[ALPHABET.indexOf(text.at(-1) ?? '') | bits] ?? '';
        return sign(encode(HEADER), text.slice(0, -1) + letter);
      };
      yield { kind: 'encoding', what: `${name}: payload and ${pad.length} blanks with bits ${bits}`, make };
    }
  }
  const [head2 = '', body2 = '', signature2 = ''] = other.split('.');
  const swaps: [string, (...parts: [string, string, string]) => string[]][] = [
    ['the header of another', (_, b, c) => [head2, b, c]],
    ['the payload of another', (a, _, c) => [a, body2, c]],
    ['the signature of another', (a, b) => [a, b, signature2]],
    ['payload first', (a, b, c) => [b, a, c]],
    ['backwards', (a, b, c) => [c, b, a]],
    ['no signature', (a, b) => [a, b]],
    ['a dot at the end', (a, b, c) => [a, b, c, '']],
    ['a dot at the start', (a, b, c) => ['', a, b, c]],
    ['two signatures', (a, b, c) => [a, b, c, c]],
    ['an empty part within', (a, b, c) => [a, '', b, c]],
    ['the header alone', (a) => [a]],
    ['the payload alone', (_, b) => [b]],
  ];
  for (const [what, swap] of swaps) yield mutant(what, (...parts) => swap(...parts).join('.'));
  for (const [before, after] of [' |', '| ', '|\n', '\n|', '|\0', '\ufeff|', '"|"', 'Bearer |'].map((a) =>
    a.split('|'),
  ))
    yield mutant(
      `between ${JSON.stringify([before, after])}`,
      (...parts) => `${before}${parts.join('.')}${after}`,
    );
  for (let i = 0; i < 30; i++) {
    const cut = random.next();
    yield mutant('cut off', (...parts) => parts.join('.').slice(0, parts.join('.').length * cut));
  }
  for (let i = 0; i < 60; i++) {
    const where = random.next();
    const letter = random.pick([...ALPHABET, '.', '=', '\n', '+', '\u00e9']);
    yield mutant(`a letter is ${JSON.stringify(letter)}`, (...parts) => {
      const text = parts.join('.');
      const position = Math.floor(text.length * where);
      return text.slice(0, position) + letter + text.slice(position + 1);
    });
  }
}

const bytes = (number: bigint) => Buffer.from(number.toString(16).padStart(64, '0'), 'hex').reverse();
const IDENTITY = Buffer.from(`01${'00'.repeat(31)}`, 'hex');

/** Signatures: corrupted, by others, and those that are valid for keys of small order. */
export function* signatureMutants(
  { name, claims, signer }: Original,
  keys: readonly KeyBundle[],
  random: SeededRandom,
): Generator<Mutant> {
  const mutant = (what: string, change: (good: Buffer, s: bigint) => Uint8Array): Mutant => ({
    kind: 'signatures',
    what: `${name}: ${what}`,
    make: (of) => {
      const token = signed(JSON.stringify(of), signer);
      const end = token.lastIndexOf('.') + 1;
      const good = Buffer.from(token.slice(end), 'base64url');
      const s = BigInt(`0x${Buffer.from(good.subarray(32)).reverse().toString('hex')}`);
      return token.slice(0, end) + encode(change(good, s));
    },
  });
  for (const times of [1n, 2n, 3n, 7n, 14n])
    yield mutant(`S + ${times}L`, (good, s) =>
      Buffer.concat([good.subarray(0, 32), bytes(s + times * ORDER)]),
    );
  yield mutant('L - S', (good, s) => Buffer.concat([good.subarray(0, 32), bytes(ORDER - s)]));
  yield mutant('zeros', () => Buffer.alloc(64));
  yield mutant('identity and zero', () => Buffer.concat([IDENTITY, Buffer.alloc(32)]));
  yield mutant('identity and S', (good) => Buffer.concat([IDENTITY, good.subarray(32)]));
  yield mutant('halves swapped', (good) => Buffer.concat([good.subarray(32), good.subarray(0, 32)]));
  yield mutant('none', () => Buffer.alloc(0));
  yield mutant('63 bytes', (good) => good.subarray(0, 63));
  yield mutant('65 bytes', (good) => Buffer.concat([good, Buffer.alloc(1)]));
  for (let i = 0; i < 40; i++) {
    const bit = random.below(512);
    yield mutant(`bit ${bit}`, (good) => {
      good[bit >> 3] = (good[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      return good;
    });
  }
  for (const key of keys) {
    const by = `${key.role} ${key.publicKey.slice(0, 4)}`;
    const make = (of: Claims) => signed(JSON.stringify(of), key);
    yield { kind: 'signers', what: `${name}: signed by ${by}`, make };
    const { publicKey } = key;
    for (const change of [{ iss: publicKey }, { sub: publicKey }, { iss: publicKey, sub: publicKey }]) {
      const what = `${name}: ${Object.keys(change).join(' and ')} is ${by}`;
      const nonceKey = 'sub' in change ? { nonceKey: key } : {};
      const text = (of: Claims) => JSON.stringify({ ...of, ...change });
      yield {
        kind: 'signers',
        what: `${what}, signed by it`,
        make: (of) => signed(text(of), key),
        ...nonceKey,
      };
      yield {
        kind: 'signers',
        what: `${what}, signed as before`,
        make: (of) => signed(text(of), signer),
        ...nonceKey,
      };
    }
  }
  // a key that anybody can sign for
  for (const kind of ['user', 'account'] as const) {
    const anybodys = encodePublicKey(kind, IDENTITY);
    const nonceKey = { sign: () => Buffer.concat([IDENTITY, Buffer.alloc(32)]) };
    for (const claim of kind === 'user' ? ['sub'] : ['iss', 'sub', 'issuer_account']) {
      const text = withRaw(
        claims,
        claim === 'issuer_account' ? ['nats', claim] : [claim],
        JSON.stringify(anybodys),
      );
      for (const by of [signer, nonceKey]) {
        const what = `${name}: ${claim} is a key of small order (${kind}), signed by ${by === signer ? 'the signer' : 'it'}`;
        yield { kind: 'small order', what, make: () => signed(text, by), nonceKey };
      }
    }
  }
}

/** JSON texts that readers interpret differently. */
export function* textMutants({ name, signer }: Original): Generator<Mutant> {
  const latin = (text: string, more: string) =>
    Buffer.concat([Buffer.from(text.slice(0, -1)), Buffer.from(more, 'latin1')]);
  const last = (text: string, more: string) => text.slice(0, -1) + more;
  const texts: [string, (text: string) => string | Uint8Array][] = [
    ['indented', (text) => JSON.stringify(JSON.parse(text), null, 2)],
    ['with a byte order mark', (text) => `\ufeff${text}`],
    ['with more behind it', (text) => `${text}{}`],
    ['with blanks around it', (text) => ` \n\t${text}\r\n`],
    ['with a vertical tab', (text) => `\v${text}`],
    ['with a comment', (text) => `/**/${text}`],
    ['with a comma at its end', (text) => last(text, ',}')],
    ['in single quotes', (text) => text.replaceAll('"', "'")],
    ['in UTF-16', (text) => Buffer.from(text, 'utf16le')],
    ['with no UTF-8', (text) => latin(text, ',"x":"\xff"}')],
    ['with an overlong NUL', (text) => latin(text, ',"x":"\xc0\x80"}')],
    ['with a surrogate in UTF-8', (text) => latin(text, ',"x":"\xed\xa0\x80"}')],
    ['with half a character', (text) => last(text, String.raw`,"x":"\ud800"}`)],
    ['with a line end in a string', (text) => last(text, ',"x":"\n"}')],
    ['with NaN', (text) => last(text, ',"x":NaN}')],
    ['with a huge number nobody reads', (text) => last(text, ',"x":1e999}')],
    ['with a large integer nobody reads', (text) => last(text, `,"x":${'1234567890'.repeat(3)}}`)],
    ['with a leading zero', (text) => last(text, ',"x":01}')],
    ['in a list', (text) => `[${text}]`],
    ...['null', '[]', '7', '"text"', 'true', '{}', '', ' ', '{"nats":null}'].map(
      (all): [string, () => string] => [`that is ${JSON.stringify(all)}`, () => all],
    ),
    ...[10, 60, 62, 63, 64, 65, 200, 9000, 11000].map((deep): [string, (text: string) => string] => [
      `with a claim ${deep} deep`,
      (text) => last(text, `,"x":${'['.repeat(deep)}${']'.repeat(deep)}}`),
    ]),
  ];
  for (const [what, change] of texts)
    yield {
      kind: 'texts',
      what: `${name}: ${what}`,
      make: (of) => signed(change(JSON.stringify(of)), signer),
    };
}

/** Times around now. */
export function* timeMutants({ name, signer }: Original, now: () => number): Generator<Mutant> {
  for (const claim of ['exp', 'nbf', 'iat']) {
    for (const offset of [-100_000, -3600, -60, 0, 60, 3600, 100_000]) {
      const make = (of: Claims) => signed(JSON.stringify({ ...of, [claim]: now() + offset }), signer);
      const ofThisSecond = offset === 0 ? { ofThisSecond: true } : {};
      yield { kind: 'times', what: `${name}: ${claim} is now ${offset}`, make, ...ofThisSecond };
    }
  }
}

/** Several changes at once, at random places. */
export function* randomMutants(
  { name, claims, signer, absent }: Original,
  count: number,
  random: SeededRandom,
): Generator<Mutant> {
  for (let i = 0; i < count; i++) {
    const changes = Array.from({ length: 1 + random.below(3) }, () => ({
      path: random.pick([...paths(claims), ...absent]),
      raw: random.below(5) === 0 ? undefined : anyJson(random),
    })).sort((a, b) => b.path.length - a.path.length);
    yield {
      kind: 'random',
      what: `${name}: ${changes.map(({ path, raw }) => `${path.join('.')} = ${raw ?? 'absent'}`).join('; ')}`,
      make: (of) => {
        let text = JSON.stringify(of);
        for (const { path, raw } of changes) text = withRaw(JSON.parse(text), path, raw);
        return signed(text, signer);
      },
    };
  }
}

/**
 * All mutations.
 *
 * @param other another complete token, for its parts
 */
export function* allMutants(
  of: Original,
  more: {
    other: string;
    keys: readonly KeyBundle[];
    now: () => number;
    random: SeededRandom;
    randomCount: number;
  },
): Generator<Mutant> {
  yield* valueMutants(of);
  yield* nameMutants(of);
  yield* headerMutants(of);
  yield* encodingMutants(of, more.other, more.random);
  yield* signatureMutants(of, more.keys, more.random);
  yield* textMutants(of);
  yield* timeMutants(of, more.now);
  yield* randomMutants(of, more.randomCount, more.random);
}
