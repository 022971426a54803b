import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  readRows,
  rowFormatOf,
  type BadRow,
  type PeelRow,
  type RowFormat,
} from '../../src/provision/rows.js';
import type { ZesterError } from '../../src/errors.js';
import { SeenIds } from '../../src/provision/seen-ids.js';
import { refusal } from '../support/refusal.js';

/** Reads a list that comes in chunks of `size` bytes. */
async function rows(format: RowFormat, text: string, size = 7): Promise<(PeelRow | BadRow)[]> {
  const bytes = Buffer.from(text);
  async function* chunks() {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  }
  const found: (PeelRow | BadRow)[] = [];
  for await (const row of readRows(chunks(), format)) found.push(row);
  return found;
}

/** The bad rows as `line: message`. */
function bad(found: readonly (PeelRow | BadRow)[]): string[] {
  return found.flatMap((row) => {
    if (!('error' in row)) return [];
    expect(['ERR_BULK_ROW', 'ERR_PEEL_ID']).toContain((row.error as ZesterError).code);
    return [`${row.line}: ${row.error.message}`];
  });
}

function good(found: readonly (PeelRow | BadRow)[]): PeelRow[] {
  return found.flatMap((row) => ('error' in row ? [] : [row]));
}

describe('a list of peels', () => {
  it('as text has one ID per line; empty lines and comments are skipped, and any line ending is accepted', async () => {
    for (const size of [1, 7, 1000]) {
      const found = await rows('txt', '\ufeff# the fleet\nweb-01\r\n\n  web-02  \nweb-03', size);
      expect(found).toEqual([
        { line: 2, peelId: 'web-01' },
        { line: 4, peelId: 'web-02' },
        { line: 5, peelId: 'web-03' },
      ]);
    }
  });

  it('as CSV has a line that names the columns', async () => {
    const found = await rows('csv', 'rack,"id",host\r\n7,web-01,10.0.0.1\r\n"8, left","web-02",""\r\n');
    expect(found).toEqual([
      { line: 2, peelId: 'web-01', host: '10.0.0.1' },
      { line: 3, peelId: 'web-02' },
    ]);
  });

  it('as CSV does not backtrack over the blanks of a line that does not match', async () => {
    const evil = [' '.repeat(60_000), '"'.repeat(60_001), '" '.repeat(30_000), `"${'""'.repeat(30_000)}`];
    const found = await rows(
      'csv',
      `id,host\n${evil.map((text) => `${text}x"`).join('\n')}\nweb-01,a\n`,
      5_000,
    );
    expect(bad(found)).toHaveLength(evil.length);
    expect(good(found)).toEqual([{ line: 6, peelId: 'web-01', host: 'a' }]);
  });

  it('as NDJSON has an object or a string per line', async () => {
    const found = await rows(
      'ndjson',
      '{"id":"web-01","host":"a","more":[1]}\n"web-02"\n{"peel_id":"web-03"}\n',
    );
    expect(found).toEqual([
      { line: 1, peelId: 'web-01', host: 'a' },
      { line: 2, peelId: 'web-02' },
      { line: 3, peelId: 'web-03' },
    ]);
  });

  it.each<[RowFormat, string, string, RegExp]>([
    ['txt', 'an id of two tokens', 'a.b', /'a\.b' is not a peel id/],
    ['txt', 'a wildcard', '*', /is not a peel id/],
    ['txt', 'a path', '../../etc/passwd', /is not a peel id/],
    ['txt', 'an id that came before', 'web-01', /"web-01" is a duplicate/],
    ['txt', 'a line without end', 'x'.repeat(100_000), /longer than 64 KiB/],
    ['csv', 'too few fields', 'web-09', /1 fields, but the header has 2/],
    ['csv', 'quotes that do not fit', '"web-09,x', /quotes/],
    ['csv', 'no id', ',x', /it is empty/],
    ['ndjson', 'no JSON', '{"id":', /not JSON/],
    ['ndjson', 'no id', '{"name":"web-09"}', /no "id"/],
    ['ndjson', 'an id that is no string', '{"id":7}', /a peel id is a string/],
    ['ndjson', 'a list', '["web-09"]', /neither an object nor a string/],
  ])(
    'in %s with %s has one bad row, reported with its line, and the others are read',
    async (format, _what, row, why) => {
      const [first, last] = {
        txt: ['web-01\n', 'web-02'],
        csv: ['id,host\nweb-01,x\n', 'web-02,x'],
        ndjson: ['"web-01"\n', '"web-02"'],
      }[format] as [string, string];
      const found = await rows(format, `${first}${row}\n${last}\n`, 50_000);

      expect(good(found).map(({ peelId }) => peelId)).toEqual(['web-01', 'web-02']);
      const line = format === 'csv' ? 3 : 2;
      expect(bad(found)).toEqual([expect.stringMatching(why)]);
      expect(bad(found)[0]).toMatch(new RegExp(`^${line}: `));
    },
  );

  it.each<[RowFormat, string, (text: string) => string]>([
    ['txt', '# the fleet', (text) => text],
    ['csv', 'id,host', (text) => `${text},a`],
    ['ndjson', '"first"', (text) => JSON.stringify({ id: text })],
  ])(
    'as %s has the same rows with LF, CR LF and CR, in chunks of any size',
    async (format, first, lineOf) => {
      const id = fc.stringMatching(/^[a-c1-3_-]{1,4}$/);
      const line = fc.oneof(id.map(lineOf), fc.constantFrom('', ' ', '# none', lineOf('a.b'), lineOf('é😀')));
      const outcome = async (text: string, size: number) =>
        (await rows(format, text, size)).map((row) =>
          'error' in row ? `${row.line}: ${row.error.message}` : row,
        );
      await fc.assert(
        fc.asyncProperty(
          fc.array(line),
          fc.boolean(),
          fc.integer({ min: 1, max: 60 }),
          async (more, ends, size) => {
            const lines = [first, ...more, ...(ends ? [''] : [])];
            const expected = await outcome(lines.join('\n'), 1_000);
            for (const ending of ['\n', '\r\n', '\r'])
              expect(await outcome(lines.join(ending), size)).toEqual(expected);
          },
        ),
      );
    },
  );

  it('that has CR line ends and begins with a comment is not empty', async () => {
    expect(await rows('txt', '# the fleet\rweb-01\rweb-02')).toEqual([
      { line: 2, peelId: 'web-01' },
      { line: 3, peelId: 'web-02' },
    ]);
  });

  it('as CSV without an ID column is refused as a whole', async () => {
    const error = await refusal('ERR_BULK_INPUT', () => rows('csv', 'web-01\nweb-02\n'));
    expect(error.message).toContain('names no column "id"');
  });

  it('has the format of its file extension', () => {
    expect(['a.txt', 'a.b.CSV', 'x/a.ndjson', 'a.jsonl', 'a', 'a.doc'].map(rowFormatOf)).toEqual([
      'txt',
      'csv',
      'ndjson',
      'ndjson',
      undefined,
      undefined,
    ]);
  });
});

describe('SeenIds', () => {
  it('remembers thousands of IDs', () => {
    const seen = new SeenIds();
    const ids = Array.from({ length: 5_000 }, (_, i) => `web-${i}`);
    expect(ids.every((id) => seen.add(id))).toBe(true);
    expect(ids.some((id) => seen.add(id))).toBe(false);
    expect(ids.every((id) => seen.has(id))).toBe(true);
    expect(seen.has('web-5000')).toBe(false);
  });
});
