import { describe, it } from 'vitest';
import { generateKeyBundle, validatePublicKey } from '../../src/index.js';
import { encodePublicKey } from '../../src/nkeys/encoding.js';
import { ROLES } from '../../src/nkeys/roles.js';
import { refusal } from '../support/refusal.js';

const POINTS = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000080',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
];

// with (point, 0) as a signature, which node:crypto takes on some versions of Node.js and not on others
describe('a public key that anybody can sign for', () => {
  it.each(POINTS)('is refused: %s', async (hex) => {
    for (const kind of [...ROLES, 'curve'] as const) {
      const text = encodePublicKey(kind, Buffer.from(hex, 'hex'));
      await refusal('ERR_KEY_ENCODING', () => validatePublicKey(text, kind));
    }
  });

  it('and no other is', () => {
    for (let i = 0; i < 100; i++) validatePublicKey(generateKeyBundle('user').publicKey, 'user');
  });
});
