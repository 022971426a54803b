import { describe, expect, it } from 'vitest';
import { parseColumns } from '../../src/cli/fleet/peel-columns.js';
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

describe('a row of CSV', () => {
  it('quotes fields that need it, and starts no formula', () => {
    expect(csvRow(['a', 'b,c', 'd "e"', 'f\ng', ''])).toBe('a,"b,c","d ""e""","f\ng",');
    expect(csvRow(['=1+1', '@x', '+1', '-1'])).toBe("'=1+1,'@x,'+1,'-1");
  });
});
