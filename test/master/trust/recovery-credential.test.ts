import { describe, expect, it } from 'vitest';
import { isRecoveryEnough, recoveryOutlives } from '../../../src/master/trust/recovery-credential.js';

const DAY = 86_400;
const PEEL = 'UPEEL';
const needs = {
  facts: { publicKey: PEEL, expiresAt: 1_000 },
  issuer: 'AJOIN',
  count: 2,
  outlives: 300 * DAY,
  revocations: {},
};
const held = { issuer: 'AJOIN', issuedAt: 500, expiresAt: 1_000 + 300 * DAY, count: 2 };

describe('a recovery credential is enough', () => {
  it('while it outlives the peel’s own by what is needed', () => {
    expect(isRecoveryEnough(held, needs)).toBe(true);
    expect(isRecoveryEnough({ ...held, expiresAt: held.expiresAt - 1 }, needs)).toBe(false);
  });

  it.each([
    ['there is none', undefined, needs],
    ['another key signed it', { ...held, issuer: 'AOLD' }, needs],
    ['the peel has recovered since', held, { ...needs, count: 3 }],
    ['nobody signs them any more', held, { ...needs, issuer: undefined }],
    ['the peel’s own never expires', held, { ...needs, facts: { publicKey: PEEL } }],
    ['its key is revoked up to a later time', held, { ...needs, revocations: { [PEEL]: 500 } }],
    ['everyone is revoked up to a later time', held, { ...needs, revocations: { '*': 501 } }],
  ])('but not if %s', (_why, credential, needed) => {
    expect(isRecoveryEnough(credential, needed)).toBe(false);
  });

  it('although its key was revoked before it was issued', () => {
    expect(isRecoveryEnough(held, { ...needs, revocations: { [PEEL]: 499, '*': 400 } })).toBe(true);
  });
});

describe('a recovery credential outlives the peel’s own', () => {
  it('by 300 days, or by the policy’s time if that is longer', () => {
    expect(recoveryOutlives('manual')).toBe(300 * DAY);
    expect(recoveryOutlives(30 * DAY)).toBe(300 * DAY);
    expect(recoveryOutlives(301 * DAY)).toBe(301 * DAY);
  });
});
