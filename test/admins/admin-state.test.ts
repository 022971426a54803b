import { expect, it } from 'vitest';
import type { AddedAdmin } from '../../src/admins/added-admins.js';
import { adminState } from '../../src/admins/admin-state.js';
import { generateKeyBundle } from '../../src/nkeys/key-bundle.js';

const { publicKey } = generateKeyBundle('user');
const NOW = 1_000;
const ann: AddedAdmin = { name: 'ann', role: 'viewer', publicKey, issuedAt: 900 };

it.each<[string, string, Partial<AddedAdmin>, Record<string, number> | undefined]>([
  ['of an account without revocations', 'active', {}, undefined],
  ['that has not expired', 'active', { expiresAt: 1_001 }, {}],
  ['that has expired', 'expired', { expiresAt: 1_000 }, {}],
  ['that was removed', 'revoked', { removedAt: 950 }, {}],
  ['whose key is revoked', 'revoked', {}, { [publicKey]: 900 }],
  ['that was issued up to the time of a revocation', 'revoked', {}, { '*': 900 }],
  ['that was issued after the time of a revocation', 'active', {}, { '*': 899 }],
  ['that has expired and is revoked', 'revoked', { expiresAt: 950 }, { '*': 900 }],
])('an admin %s is %s', (_what, state, more, revocations) => {
  expect(adminState({ ...ann, ...more }, revocations, NOW)).toBe(state);
});
