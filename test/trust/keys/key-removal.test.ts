import { describe, expect, it } from 'vitest';
import { KeyRemoval, type CountedUse } from '../../../src/trust/keys/key-removal.js';
import { refusal } from '../../support/refusal.js';

const judge = (force: boolean, ...uses: [string, CountedUse][]) =>
  KeyRemoval.judge('/home', new Map(uses), { force });

describe('the permission to remove signing keys', () => {
  it('is given where nothing depends on them', () => {
    expect(judge(false, ['AA', { valid: 0, connected: 0 }]).forced).toBe(false);
  });

  it.each<[string, CountedUse, string]>([
    [
      'a valid credential depends on one',
      { valid: 1, connected: 0 },
      '1 valid credential depends on AB, 0 of them',
    ],
    ['it cannot be counted', { unknown: 'no answer' }, 'cannot be counted (no answer)'],
  ])('is refused where %s, unless it is forced', async (_what, use, words) => {
    const uses: [string, CountedUse][] = [
      ['AA', { valid: 0, connected: 0 }],
      ['AB', use],
    ];
    const { message } = await refusal('ERR_TRUST_SIGNING_KEY', () => judge(false, ...uses));
    expect(message).toContain(words);
    expect(message).toContain('--force');
    expect(judge(true, ...uses).forced).toBe(true);
  });

  it('holds for the keys that were judged, forced or not', async () => {
    const removal = judge(true, ['AA', { valid: 9, connected: 9 }]);
    removal.require('/home', ['AA']);
    await refusal('ERR_TRUST_SIGNING_KEY', () => removal.require('/home', ['AA', 'AB']));
  });
});
