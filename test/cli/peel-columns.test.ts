import { describe, expect, it } from 'vitest';
import { parseColumns, PEEL_COLUMNS, type PeelColumnName } from '../../src/cli/fleet/peel-columns.js';
import type { PeelDocument } from '../../src/cli/fleet/peel-document.js';
import { csvRow } from '../../src/text/csv.js';

describe('--columns', () => {
  it('accepts names in any order and case', () => {
    expect(parseColumns('Expires, id,labels')).toEqual(['expires', 'id', 'labels']);
  });

  it.each(['', 'id,', 'nothing', 'constructor'])('refuses %j', (text) => {
    expect(() => parseColumns(text)).toThrow(expect.objectContaining({ code: 'ERR_USAGE' }) as Error);
  });

  it('suggests the closest name', () => {
    expect(() => parseColumns('id,fingerprnt')).toThrow(/did you mean fingerprint\?/);
  });
});

const NOW = Date.parse('2030-06-15T12:00:00Z');

/** A peel with another value in each field. */
const PEEL: PeelDocument = {
  id: 'web-01',
  state: 'active',
  connected: false,
  publicKey: 'UAAAA',
  fingerprint: '1111-2222',
  keyState: 'live',
  issuedAt: '2030-06-14T12:00:00Z',
  expiresAt: '2030-06-17T12:00:00Z',
  lastSeen: '2030-06-15T11:00:00Z',
  connectedSince: '2030-06-15T10:00:00Z',
  rotationAskedAt: '2030-06-15T09:00:00Z',
  decided: { by: 'admin alice', at: '2030-06-13T12:00:00Z', reason: 'rack 7' },
  origin: 'join token T',
  labels: { env: 'prod' },
  recoveries: { count: 4, lastAt: '2030-06-12T12:00:00Z' },
  createdAt: '2030-06-11T12:00:00Z',
  updatedAt: '2030-06-10T12:00:00Z',
};
/** A document with null in each field that may be null. */
type Blank<T> = {
  [Field in keyof T]: null extends T[Field] ? null : T[Field] extends object ? Blank<T[Field]> : T[Field];
};
/** A new peel: every optional field is empty. */
const NEW: Blank<PeelDocument> = {
  ...PEEL,
  publicKey: null,
  fingerprint: null,
  keyState: null,
  issuedAt: null,
  expiresAt: null,
  lastSeen: null,
  connectedSince: null,
  rotationAskedAt: null,
  decided: null,
  origin: null,
  labels: {},
  recoveries: { count: 0, lastAt: null },
};

/** The values in a document, as text. */
const leavesOf = (document: object): string[] =>
  Object.values(document).flatMap((value: unknown) =>
    typeof value === 'object' ? leavesOf(value ?? {}) : [String(value)],
  );
/** The columns whose value is put into other words than the document's. */
const OWN_WORDS: readonly string[] = ['connected', 'labels'] satisfies PeelColumnName[];

/** What each column shows to people and to programs, and for a new peel. A new column needs its row here to compile. */
const SHOWN: Record<PeelColumnName, [cell: string, value: string, ofNew: string, valueOfNew: string]> = {
  id: ['web-01', 'web-01', 'web-01', 'web-01'],
  state: ['active', 'active', 'active', 'active'],
  connected: ['no', 'no', 'no', 'no'],
  expires: ['in 2 days', '2030-06-17T12:00:00Z', '-', ''],
  seen: ['60 minutes ago', '2030-06-15T11:00:00Z', '-', ''],
  fingerprint: ['1111-2222', '1111-2222', '-', ''],
  labels: ['env=prod', 'env=prod', '', ''],
  since: ['2 hours ago', '2030-06-15T10:00:00Z', '-', ''],
  issued: ['24 hours ago', '2030-06-14T12:00:00Z', '-', ''],
  created: ['4 days ago', '2030-06-11T12:00:00Z', '4 days ago', '2030-06-11T12:00:00Z'],
  updated: ['5 days ago', '2030-06-10T12:00:00Z', '5 days ago', '2030-06-10T12:00:00Z'],
  key: ['UAAAA', 'UAAAA', '-', ''],
  keystate: ['live', 'live', '-', ''],
  recoveries: ['4', '4', '0', '0'],
  origin: ['join token T', 'join token T', '-', ''],
  decided: ['admin alice', 'admin alice', '-', ''],
  reason: ['rack 7', 'rack 7', '-', ''],
};

describe('a column of peel list', () => {
  it.each(Object.entries(PEEL_COLUMNS))('%s shows its field', (name, { cell, value }) => {
    const shown = [PEEL, NEW].flatMap((peel) => [cell(peel, NOW), value(peel)]);
    expect(shown).toEqual(SHOWN[name as PeelColumnName]);
  });

  it.each(Object.entries(PEEL_COLUMNS))('%s shows no other field instead', (_name, { value }) => {
    for (const field of (Object.keys(NEW) as (keyof PeelDocument)[]).filter((key) => NEW[key] === null))
      expect(['', value(PEEL)], field).toContain(value({ ...PEEL, [field]: null }));
  });

  it('shows something that no other column shows', () => {
    expect(new Set(leavesOf(PEEL)).size, 'the values of the example differ').toBe(leavesOf(PEEL).length);
    const values = Object.values(PEEL_COLUMNS).map(({ value }) => value(PEEL));
    expect(new Set(values).size, values.join('\n')).toBe(values.length);
  });

  it.each(Object.entries(PEEL_COLUMNS).filter(([name]) => !OWN_WORDS.includes(name)))(
    '%s gives programs a value as it is in the document, or nothing',
    (_name, { value }) => {
      expect(leavesOf(PEEL)).toContain(value(PEEL));
      expect(['', ...leavesOf(NEW)]).toContain(value(NEW));
    },
  );

  it.each(Object.entries(PEEL_COLUMNS))('%s shows no expiry of a revoked key', (_name, { cell, value }) => {
    for (const keyState of ['revoking', 'revoked'] as const) {
      const shown = (peel: PeelDocument) => [cell(peel, NOW), value(peel)];
      expect(shown({ ...PEEL, keyState })).toEqual(shown({ ...PEEL, keyState, expiresAt: null }));
    }
  });

  it('of a connected peel, or of a revoked key, says so', () => {
    const { connected, seen, expires } = PEEL_COLUMNS;
    const up = { ...PEEL, connected: true };
    expect([connected.cell(up, NOW), seen.cell(up, NOW), seen.value(up)]).toEqual([
      'yes',
      'now',
      PEEL.lastSeen,
    ]);
    for (const keyState of ['revoking', 'revoked'] as const)
      expect([expires.cell({ ...PEEL, keyState }, NOW), expires.value({ ...PEEL, keyState })]).toEqual([
        '-',
        '',
      ]);
    expect(expires.cell({ ...PEEL, expiresAt: null }, NOW)).toBe('never');
  });

  it('has a heading of its own', () => {
    const headings = Object.values(PEEL_COLUMNS).map(({ heading }) => heading);
    expect(new Set(headings).size).toBe(headings.length);
  });
});

describe('a row of CSV', () => {
  it('quotes fields that need it, and starts no formula', () => {
    expect(csvRow(['a', 'b,c', 'd "e"', 'f\ng', ''])).toBe('a,"b,c","d ""e""","f\ng",');
    expect(csvRow(['=1+1', '@x', '+1', '-1'])).toBe("'=1+1,'@x,'+1,'-1");
  });
});
