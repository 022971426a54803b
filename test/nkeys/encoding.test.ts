import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc16 } from '../../src/nkeys/crc16.js';
import { decodePublicKey, decodeSeed, encodePublicKey, encodeSeed } from '../../src/nkeys/encoding.js';
import type { KeyKind } from '../../src/nkeys/roles.js';
import { refusal } from '../support/refusal.js';
import { anyCharacter } from '../support/any-character.js';

const KINDS: readonly KeyKind[] = ['operator', 'account', 'user', 'curve'];
const LETTER = { operator: 'O', account: 'A', user: 'U', curve: 'X' } as const;
const raw = fc.uint8Array({ minLength: 32, maxLength: 32 });
const kind = fc.constantFrom(...KINDS);

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}

describe('the checksum', () => {
  it('is CRC-16/XMODEM: the check value of the catalogue is 0x31c3', () => {
    expect(crc16(Buffer.from('123456789'))).toBe(0x31c3);
  });

  it('is 0 for nothing', () => {
    expect(crc16(new Uint8Array())).toBe(0);
  });

  it('changes with every single bit', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 34 }), fc.nat(), (bytes, at) => {
        const flipped = bytes.slice();
        const bit = at % (bytes.length * 8);
        flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        expect(crc16(flipped)).not.toBe(crc16(bytes));
      }),
    );
  });
});

describe('the text of a key', () => {
  it('begins with the letter of its role, a seed with S and the letter', () => {
    fc.assert(
      fc.property(kind, raw, (role, bytes) => {
        expect(encodePublicKey(role, bytes)).toMatch(new RegExp(`^${LETTER[role]}[A-Z2-7]{55}$`));
        expect(text(encodeSeed(role, bytes))).toMatch(new RegExp(`^S${LETTER[role]}[A-Z2-7]{56}$`));
      }),
    );
  });

  it('decodes to the bytes and the role that it was made of', () => {
    fc.assert(
      fc.property(kind, raw, (role, bytes) => {
        expect(decodePublicKey(encodePublicKey(role, bytes))).toEqual({
          kind: role,
          kindName: role,
          raw: bytes,
        });
        expect(decodeSeed(encodeSeed(role, bytes))).toEqual({ kind: role, kindName: role, raw: bytes });
      }),
    );
  });

  it('names a server and a cluster key, which Zester has no use for', () => {
    const bytes = Buffer.concat([Buffer.of(13 << 3), Buffer.alloc(32)]);
    const crc = crc16(bytes);
    const whole = Buffer.concat([bytes, Buffer.of(crc & 0xff, crc >> 8)]);
    expect(decodePublicKey(base32(whole))).toMatchObject({ kind: undefined, kindName: 'server' });
  });

  it('of a prefix that no key has is refused', async () => {
    const bytes = Buffer.concat([Buffer.of(1 << 3), Buffer.alloc(32)]);
    const crc = crc16(bytes);
    const whole = Buffer.concat([bytes, Buffer.of(crc & 0xff, crc >> 8)]);
    await refusal('ERR_KEY_ENCODING', () => decodePublicKey(base32(whole)));
  });

  it('with one character changed is refused, wherever it is', async () => {
    const seed = text(encodeSeed('user', new Uint8Array(32).fill(7)));
    const publicKey = encodePublicKey('user', new Uint8Array(32).fill(7));
    for (let i = 0; i < seed.length; i++) {
      const other = seed[i] === 'B' ? 'C' : 'B';
      const damaged = seed.slice(0, i) + other + seed.slice(i + 1);
      // the last character of a seed has two bits to spare, which must be 0: another text is then not base32 at all
      const code = i === seed.length - 1 ? 'ERR_KEY_ENCODING' : 'ERR_KEY_CHECKSUM';
      await refusal(code, () => decodeSeed(damaged), seed, damaged);
    }
    for (let i = 0; i < publicKey.length; i++) {
      const other = publicKey[i] === 'B' ? 'C' : 'B';
      expect(() => decodePublicKey(publicKey.slice(0, i) + other + publicKey.slice(i + 1))).toThrow(
        expect.objectContaining({ code: 'ERR_KEY_CHECKSUM' }) as Error,
      );
    }
  });
});

describe('arbitrary text', () => {
  const anyText = fc.oneof(
    fc.string({ maxLength: 80 }),
    fc.string({ unit: anyCharacter, maxLength: 80 }),
    fc.string({ unit: fc.constantFrom(...'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'), minLength: 50, maxLength: 64 }),
    fc.string({ unit: fc.constantFrom(...'SUAOX234567'), minLength: 56, maxLength: 58 }),
  );

  it('a seed is decoded or refused with a ZesterError', () => {
    fc.assert(
      fc.property(fc.oneof(anyText, fc.uint8Array({ maxLength: 80 })), (input) => {
        try {
          expect(decodeSeed(input).raw).toHaveLength(32);
        } catch (error) {
          expect(error).toMatchObject({
            name: 'KeyError',
            code: expect.stringMatching(/^ERR_KEY_/) as string,
          });
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('a public key is decoded or refused with a ZesterError', () => {
    fc.assert(
      fc.property(anyText, (input) => {
        try {
          expect(decodePublicKey(input).raw).toHaveLength(32);
        } catch (error) {
          expect(error).toMatchObject({
            name: 'KeyError',
            code: expect.stringMatching(/^ERR_KEY_/) as string,
          });
        }
      }),
      { numRuns: 1000 },
    );
  });
});

/** RFC 4648 base32 by hand, so that the tests do not rest on the library's own choice of one. */
function base32(bytes: Uint8Array): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  const groups = bits.match(/.{1,5}/g) ?? [];
  return groups
    .map((group) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'[parseInt(group.padEnd(5, '0'), 2)])
    .join('');
}
