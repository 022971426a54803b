import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPeelId } from '../../../src/permissions/peel-id.js';
import { secretName } from '../../../src/provision/sinks/kubernetes.js';

const PREFIX = 'zester-peel-';
/** Few characters, so that IDs differ only in what a name cannot contain. */
const id = fc.oneof(
  fc.stringMatching(/^[aA0_-]{1,6}$/),
  fc.stringMatching(/^[a-zA-Z0-9_-]{1,128}$/),
  fc.stringMatching(/^[aA_-]{1,3}-[0-9a-f]{16}$/),
);

describe('the name of a Secret', () => {
  it('is that of one ID only, even if another ID is made from it', () => {
    expect(secretName('web-01-1bcca4da3c7cf6cc')).not.toBe(secretName('web_01'));
    fc.assert(
      fc.property(fc.array(id), (ids) => {
        const made = ids.map((one) => secretName(one).slice(PREFIX.length)).filter(isPeelId);
        const all = [...new Set([...ids, ...made])];
        expect(new Set(all.map(secretName)).size).toBe(all.length);
      }),
    );
  });

  it('is valid in Kubernetes', () => {
    fc.assert(
      fc.property(id, (one) => {
        expect(secretName(one)).toMatch(/^[a-z0-9]([-a-z0-9]{0,251}[a-z0-9])?$/);
      }),
    );
  });

  it('contains an ordinary ID unchanged', () => {
    for (const ordinary of ['web-01', 'a', '0', 'db-1bcca4da3c7cf6c', '1bcca4da3c7cf6cc', 'x'.repeat(128)])
      expect(secretName(ordinary)).toBe(`${PREFIX}${ordinary}`);
    expect(secretName('web_01')).toBe(`${PREFIX}web-01-1bcca4da3c7cf6cc`);
  });
});
