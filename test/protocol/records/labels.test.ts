import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { generateKeyBundle } from '../../../src/nkeys/key-bundle.js';
import { parseRequest, encodeJson } from '../../../src/protocol/messages.js';
import {
  addedLabels,
  changedLabels,
  isLabelled,
  labelText,
  parseLabelChange,
  parseLabels,
  requireFewLabels,
  storedLabelsSchema,
} from '../../../src/protocol/records/labels.js';
import { recordSchema } from '../../../src/protocol/records/record.js';

const SEED = Buffer.from(generateKeyBundle('user').seed).toString();

const refused = expect.objectContaining({ code: 'ERR_FLEET_LABEL' }) as Error;

describe('labels on the command line', () => {
  it('are names and values, also empty ones', () => {
    expect(parseLabels(['env=prod', 'a.example/b-c=', 'zone=eu-1'])).toEqual({
      env: 'prod',
      'a.example/b-c': '',
      zone: 'eu-1',
    });
    expect(parseLabels(['env=prod', 'env=prod'])).toEqual({ env: 'prod' });
  });

  it.each([
    'env',
    '=x',
    'a b=c',
    'a=b c',
    'a=b,c=d',
    '-a=b',
    'a-=b',
    'a=-b',
    'a=b/c',
    'é=x',
    `a=${'b'.repeat(64)}`,
    '__proto__=x',
    'constructor=x',
    `a=${SEED}`,
    `${SEED}=a`,
    SEED,
  ])('are refused where one has another form (%#)', (text) => {
    expect(() => parseLabels([text])).toThrow(refused);
    expect(() => parseLabels([text])).not.toThrow(SEED);
  });

  it('are refused with two values for one name, and where there are too many', () => {
    expect(() => parseLabels(['env=prod', 'env=dev'])).toThrow(refused);
    const many = Array.from({ length: 33 }, (_, i) => `l${i}=x`);
    expect(() => parseLabels(many)).toThrow(refused);
    expect(Object.keys(parseLabels(many.slice(1)))).toHaveLength(32);
  });

  it('change: NAME=VALUE sets, NAME- removes, and never both', () => {
    expect(parseLabelChange(['env=prod', 'tier-', 'tier-'])).toEqual({
      set: { env: 'prod' },
      remove: ['tier'],
    });
    expect(() => parseLabelChange(['env=prod', 'env-'])).toThrow(refused);
    expect(() => parseLabelChange(['-'])).toThrow(refused);
  });
});

describe('a change of labels', () => {
  it('sets and removes the named labels, and keeps the rest sorted by name', () => {
    const labels = changedLabels(
      { zone: 'a', env: 'dev', tier: 'db' },
      { set: { env: 'prod', app: 'x' }, remove: ['tier'] },
    );
    expect(labelText(labels)).toBe('app=x,env=prod,zone=a');
    expect(changedLabels(labels, { remove: ['app', 'env', 'zone', 'none'] })).toBeUndefined();
  });

  it('of a join token adds what an ID does not have, and replaces nothing', () => {
    expect(addedLabels(undefined, { env: 'prod' })).toEqual({ env: 'prod' });
    expect(addedLabels({ env: 'prod' }, { env: 'dev', zone: 'a' })).toEqual({ zone: 'a' });
    expect(addedLabels({ env: 'prod' }, { env: 'dev' })).toBeUndefined();
    expect(addedLabels({ env: 'prod' }, undefined)).toBeUndefined();
    const many = Object.fromEntries(Array.from({ length: 31 }, (_, i) => [`l${i}`, 'x']));
    expect(addedLabels(many, { a: '1', b: '2' })).toEqual({ a: '1' });
  });

  it('is known to change nothing', () => {
    expect(isLabelled({ env: 'prod' }, { set: { env: 'prod' }, remove: ['tier'] })).toBe(true);
    expect(isLabelled({ env: 'prod' }, { set: { env: 'dev' } })).toBe(false);
    expect(isLabelled({ env: 'prod' }, { remove: ['env'] })).toBe(false);
    expect(isLabelled(undefined, { set: { constructor1: 'x' } })).toBe(false);
    expect(isLabelled(undefined, { set: { toString: 'x' } })).toBe(false);
  });

  it('may not leave a peel with too many', () => {
    const many = Object.fromEntries(Array.from({ length: 32 }, (_, i) => [`l${i}`, 'x']));
    expect(() => requireFewLabels(changedLabels(many, { set: { more: 'x' } }))).toThrow(refused);
    expect(() => requireFewLabels(changedLabels(many, { set: { l1: 'y' } }))).not.toThrow();
  });
});

describe('labels in messages', () => {
  it.each([
    { peelId: 'web-1', set: { 'a b': 'c' } },
    { peelId: 'web-1', set: { env: 7 } },
    { peelId: 'web-1', set: ['env'] },
    { peelId: 'web-1', set: { env: SEED } },
    { peelId: 'web-1', remove: ['a b'] },
    { peelId: 'web-1', remove: [SEED] },
    JSON.parse('{"peelId":"web-1","set":{"__proto__":"x"}}') as object,
  ])('are refused by a master (%#)', (request) => {
    expect(() => parseRequest('peel.label', encodeJson(request))).toThrow(
      expect.objectContaining({ code: 'ERR_FLEET_REQUEST' }) as Error,
    );
  });

  it("are ignored in a peel's request", () => {
    const { publicKey } = generateKeyBundle('user');
    const request = { requestId: 'r-12345678', publicKey, labels: { env: 'prod' } };
    expect(parseRequest('renew', encodeJson(request))).toEqual({ requestId: 'r-12345678', publicKey });
  });

  it('of a newer version are kept in a record as they are', () => {
    const newer = { env: 'a value with spaces', [`${'n'.repeat(80)}`]: 'x' };
    expect(v.parse(storedLabelsSchema, newer)).toEqual(newer);
    const record = {
      id: 'web-1',
      state: 'active',
      keys: [],
      number: 1,
      createdAt: '',
      updatedAt: '',
      labels: newer,
    };
    expect(v.parse(recordSchema, record).labels).toEqual(newer);
  });
});
