import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { ed25519 as noble } from '@noble/curves/ed25519.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GuardedMemory, SECRET_BYTES } from '../../src/nkeys/ed25519/guarded-memory.js';
import { loadSodium } from '../../src/nkeys/ed25519/load-sodium.js';
import { nodeEd25519 } from '../../src/nkeys/ed25519/node.js';
import { sodiumEd25519 } from '../../src/nkeys/ed25519/sodium.js';
import { hasSmallOrder, isCanonical } from '../../src/nkeys/small-order.js';

const loaded = loadSodium();
if (loaded.sodium === undefined) throw new Error(`these tests need sodium-native, which is ${loaded.why}`);
const { sodium } = loaded;
const memory = new GuardedMemory(sodium, () => undefined);
const sodiumBackend = sodiumEd25519(sodium, memory);
const backends = { 'node:crypto': nodeEd25519, 'sodium-native': sodiumBackend };

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const data = fc.uint8Array({ maxLength: 300 });

/** The verdict of both, which must be the same. */
function verdict(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const [node, native] = Object.values(backends).map((backend) =>
    backend.verifier(publicKey).verify(message, signature),
  );
  expect(native).toBe(node);
  return node === true;
}

describe('both implementations of Ed25519', () => {
  it('give the same key and the same signatures for a seed', () => {
    fc.assert(
      fc.property(bytes(32), data, (seed, message) => {
        const [node, native] = [nodeEd25519.load(seed), sodiumBackend.load(seed)];
        expect(Buffer.from(native.publicKey)).toEqual(Buffer.from(node.publicKey));
        expect(Buffer.from(sodiumBackend.publicKeyOf(seed))).toEqual(Buffer.from(node.publicKey));
        expect(Buffer.from(nodeEd25519.publicKeyOf(seed))).toEqual(Buffer.from(node.publicKey));
        const signature = node.sign(message);
        expect(Buffer.from(native.sign(message))).toEqual(Buffer.from(signature));
        expect(Buffer.from(native.copy())).toEqual(Buffer.from(seed));
        expect(verdict(node.publicKey, message, signature)).toBe(true);
        native.wipe();
      }),
      { numRuns: 60 },
    );
  });

  it('generate keys that the other one reads', () => {
    for (const [one, other] of [
      [nodeEd25519, sodiumBackend],
      [sodiumBackend, nodeEd25519],
    ] as const) {
      const key = one.generate();
      const read = other.load(key.copy());
      expect(Buffer.from(read.publicKey)).toEqual(Buffer.from(key.publicKey));
      expect(verdict(read.publicKey, Buffer.from('x'), key.sign(Buffer.from('x')))).toBe(true);
    }
  });

  it('reject the same damaged signatures, messages and keys', () => {
    fc.assert(
      fc.property(bytes(32), data, fc.nat(511), (seed, message, bit) => {
        const key = nodeEd25519.load(seed);
        const signature = Uint8Array.from(key.sign(message));
        const at = bit >> 3;
        signature[at] = (signature[at] ?? 0) ^ (1 << (bit & 7));
        expect(verdict(key.publicKey, message, signature)).toBe(false);
      }),
      { numRuns: 150 },
    );
    fc.assert(
      fc.property(bytes(32), data, bytes(64), (publicKey, message, signature) => {
        fc.pre(!hasSmallOrder(publicKey));
        let importable = true;
        try {
          nodeEd25519.verifier(publicKey);
        } catch {
          importable = false;
        }
        if (importable) verdict(publicKey, message, signature);
      }),
      { numRuns: 100 },
    );
  });
});

const { Point } = noble;
const ORDER = Point.Fn.ORDER;
const TORSION = Point.fromHex('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05');
const scalar = fc.bigInt({ min: 1n, max: ORDER - 1n });
const message = Buffer.from('header.payload');

function littleEndian(value: bigint): Buffer {
  return Buffer.from(value.toString(16).padStart(64, '0'), 'hex').reverse();
}

function challenge(r: Uint8Array, a: Uint8Array): bigint {
  const hash = createHash('sha512').update(r).update(a).update(message).digest();
  return BigInt(`0x${hash.reverse().toString('hex')}`) % ORDER;
}

/** A signature by a holder of the key's scalar who breaks the rules. */
function craft(a: bigint, r: bigint, torsion: { key?: bigint; signature?: bigint; times?: bigint } = {}) {
  const plus = (point: InstanceType<typeof Point>, times = 0n) =>
    times % 8n === 0n ? point : point.add(TORSION.multiply(times % 8n));
  const publicKey = Buffer.from(plus(Point.BASE.multiply(a), torsion.key).toBytes());
  const point = r === 0n ? Point.ZERO : Point.BASE.multiply(r);
  const R = Buffer.from(plus(point, torsion.signature).toBytes());
  const s = (r + challenge(R, publicKey) * a) % ORDER;
  return { publicKey, R, s, signature: Buffer.concat([R, littleEndian(s)]) };
}

describe('the verdict about a crafted signature is the same', () => {
  it('when it is an ordinary one', () => {
    fc.assert(
      fc.property(scalar, scalar, (a, r) => {
        const { publicKey, signature } = craft(a, r);
        expect(verdict(publicKey, message, signature)).toBe(true);
      }),
      { numRuns: 15 },
    );
  });

  it('when its second half is not reduced: refused', () => {
    fc.assert(
      fc.property(scalar, scalar, fc.bigInt({ min: 1n, max: 14n }), (a, r, times) => {
        const { publicKey, R, s } = craft(a, r);
        const malleated = Buffer.concat([R, littleEndian(s + times * ORDER)]);
        expect(verdict(publicKey, message, malleated)).toBe(false);
      }),
      { numRuns: 20 },
    );
  });

  it('when its first half has a part of small order: refused', () => {
    fc.assert(
      fc.property(scalar, scalar, fc.bigInt({ min: 1n, max: 7n }), (a, r, times) => {
        const { publicKey, signature } = craft(a, r, { signature: times });
        expect(verdict(publicKey, message, signature)).toBe(false);
      }),
      { numRuns: 20 },
    );
  });

  it('when the key has a part of small order, which sometimes cancels out', () => {
    const verdicts = new Set<boolean>();
    for (let r = 1n; r <= 60n; r++) {
      const { publicKey, signature } = craft(987_654_321n, r, { key: 1n });
      verdicts.add(verdict(publicKey, message, signature));
    }
    expect(verdicts).toEqual(new Set([true, false]));
  });

  it('when its first half is a point of small order, where libsodium by itself refuses what servers accept', () => {
    const { publicKey, signature } = craft(123_456_789n, 0n);
    expect(sodium.crypto_sign_verify_detached(signature, message, publicKey)).toBe(false);
    expect(verdict(publicKey, message, signature)).toBe(true);
    for (let times = 1n; times < 8n; times++) {
      const crafted = craft(123_456_789n, 0n, { signature: times });
      verdict(crafted.publicKey, message, crafted.signature);
    }
  });

  it('when a point is written with a number that is not reduced', () => {
    const high = (low: number) =>
      Buffer.concat([Buffer.from([low]), Buffer.alloc(30, 0xff), Buffer.from([0x7f])]);
    const { publicKey, s } = craft(5n, 7n);
    for (let low = 0xed; low <= 0xff; low++) {
      expect(isCanonical(high(low))).toBe(false);
      verdict(publicKey, message, Buffer.concat([high(low), littleEndian(s)]));
      if (!hasSmallOrder(high(low))) verdict(high(low), message, craft(5n, 7n).signature);
    }
    expect(isCanonical(high(0xec))).toBe(true);
    expect(isCanonical(publicKey)).toBe(true);
  });
});

describe('guarded memory', () => {
  /** Records every slot that it allocates. */
  class Watched extends GuardedMemory {
    readonly places = new Set<Uint8Array>();
    back = 0;

    override take(): Uint8Array {
      const place = super.take();
      this.places.add(place);
      return place;
    }

    override release(place: Uint8Array): void {
      super.release(place);
      this.back += 1;
    }
  }
  const isBlank = (place: Uint8Array) => place.every((byte) => byte === 0);

  it('holds the seed of a key and nothing of it once it is wiped', () => {
    const watched = new Watched(sodium, () => undefined);
    const key = sodiumEd25519(sodium, watched).generate();
    const [place] = watched.places;
    if (place === undefined) throw new Error('the key has no place');
    expect(Buffer.from(place.subarray(0, 32))).toEqual(Buffer.from(key.copy()));

    key.wipe();
    key.wipe();
    expect(isBlank(place)).toBe(true);
    expect(watched.back).toBe(1);
    expect(() => key.sign(message)).toThrow(TypeError);
    expect(() => key.copy()).toThrow(TypeError);
  });

  it('gives each secret its own slot, page after page, and reuses slots', () => {
    const watched = new Watched(sodium, () => undefined);
    const backend = sodiumEd25519(sodium, watched);
    const keys = Array.from({ length: 300 }, () => backend.generate());
    expect(watched.places.size).toBe(300);
    for (const key of keys) {
      expect(verdict(key.publicKey, message, key.sign(message))).toBe(true);
      key.wipe();
    }
    const held = Array.from({ length: 300 }, () => backend.hold(new Uint8Array(32).fill(7)));
    expect(watched.places.size).toBe(300);
    for (const one of held) one.wipe();
    expect([...watched.places].every(isBlank)).toBe(true);
  });

  it('wipes the seeds of keys that are no longer referenced', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const watched = new Watched(sodium, () => undefined);
    const backend = sodiumEd25519(sodium, watched);
    for (let i = 0; i < 100; i++) backend.generate();
    while (watched.back < 100) {
      collect();
      await setImmediate();
    }
    expect([...watched.places].every(isBlank)).toBe(true);
  });

  it('is guarded but not locked, with one warning, when the lock limit is reached', () => {
    let warnings = 0;
    const atLimit = {
      ...sodium,
      sodium_mlock: () => {
        throw new Error('memory lock failed');
      },
    };
    const limited = new GuardedMemory(atLimit, () => (warnings += 1));
    for (let i = 0; i < 200; i++) expect(limited.take()).toHaveLength(SECRET_BYTES);
    expect(limited.protection).toBe('guarded');
    expect(warnings).toBe(1);
  });

  it('is ordinary memory where a runtime allows no other', () => {
    const without = {
      ...sodium,
      sodium_malloc: () => {
        throw new Error('external buffers are not allowed');
      },
    };
    const plain = new GuardedMemory(without, () => undefined);
    expect(plain.protection).toBe('plain');
    const key = sodiumEd25519(sodium, plain).generate();
    expect(verdict(key.publicKey, message, key.sign(message))).toBe(true);
  });
});
