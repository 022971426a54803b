import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { generateKeyBundle } from '../../src/nkeys/key-bundle.js';
import { parseLabelSelector, selectsLabels } from '../../src/protocol/label-selector.js';

const SEED = Buffer.from(generateKeyBundle('user').seed).toString();

const selects = (selector: string, labels?: Record<string, string>) =>
  selectsLabels(parseLabelSelector(selector), labels);

describe('a label selector', () => {
  it.each([
    ['env=prod', { env: 'prod' }, true],
    ['env==prod', { env: 'prod' }, true],
    ['env=prod', { env: 'dev' }, false],
    ['env=prod', {}, false],
    ['env=', { env: '' }, true],
    ['env!=prod', { env: 'dev' }, true],
    ['env!=prod', { env: 'prod' }, false],
    // as in Kubernetes: a peel without the label is selected
    ['env!=prod', {}, true],
    ['env in (prod, dev)', { env: 'dev' }, true],
    ['env in(prod,dev)', { env: 'x' }, false],
    ['env notin (prod,dev)', { env: 'prod' }, false],
    ['env notin (prod,dev)', {}, true],
    ['gpu', { gpu: '' }, true],
    ['gpu', {}, false],
    ['!gpu', {}, true],
    ['! gpu', { gpu: 'a' }, false],
    ['env=prod,tier!=db,zone', { env: 'prod', zone: 'a' }, true],
    [' env = prod , tier != db , zone ', { env: 'prod', tier: 'db', zone: 'a' }, false],
    ['acme.example/team=core', { 'acme.example/team': 'core' }, true],
    ['toString', {}, false],
  ])('%s with %j: %s', (selector, labels, expected) => {
    expect(selects(selector, labels)).toBe(expected);
  });

  it('selects a peel without any labels only where none are required', () => {
    expect(selects('!env', undefined)).toBe(true);
    expect(selects('env', undefined)).toBe(false);
  });

  it.each([
    '',
    ' ',
    ',',
    'env=prod,',
    '=prod',
    'env=a=b',
    'env in prod',
    'env in (a',
    'env)',
    'a b',
    'env>5',
    '!',
    '!!a',
    '_a=b',
    'a=b c',
    'a=_',
    'constructor=x',
    `a=${'x'.repeat(64)}`,
    `${'x'.repeat(64)}`,
    'a,'.repeat(600),
    'env=\u001b[31m',
  ])('refuses %j', (selector) => {
    expect(() => parseLabelSelector(selector)).toThrow(
      expect.objectContaining({ name: 'FleetError', code: 'ERR_FLEET_LABEL' }) as Error,
    );
  });

  it('does not repeat a seed or a control character in its error', () => {
    for (const text of [`env=${SEED}`, 'a=\u001b]0;x\u0007']) {
      try {
        parseLabelSelector(text);
        expect.unreachable();
      } catch (error) {
        expect(String(error)).not.toMatch(new RegExp(`${SEED}|[\\u0000-\\u001f]`));
      }
    }
  });

  it('throws a typed error or returns requirements for any input', () => {
    fc.assert(
      fc.property(
        fc.string({ maxLength: 200, unit: fc.constantFrom(...'ab=!,() inotz-./\u0000') }),
        (text) => {
          try {
            expect(parseLabelSelector(text).length).toBeGreaterThan(0);
          } catch (error) {
            expect(error).toMatchObject({ code: 'ERR_FLEET_LABEL' });
          }
        },
      ),
    );
  });
});
