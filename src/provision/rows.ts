// Reads lists of peels: txt, CSV and NDJSON.
import { BulkError } from '../errors.js';
import { parseStrictJson } from '../jwt/strict-json.js';
import { validatePeelId } from '../permissions/peel-id.js';
import { parseLabels, type Labels } from '../protocol/records/labels.js';
import { SeenIds } from './seen-ids.js';

/** The formats of a list of peels. */
export const ROW_FORMATS = ['txt', 'csv', 'ndjson'] as const;
export type RowFormat = (typeof ROW_FORMATS)[number];

/** A peel in the list. */
export interface PeelRow {
  /** The line number, from 1. */
  line: number;
  peelId: string;
  /** The peel's host, if the list names one. */
  host?: string;
  /** The peel's labels, if the list names any. */
  labels?: Labels;
}

/** A line without a valid peel. */
export interface BadRow {
  line: number;
  error: Error;
}

/** Longer lines are bad rows, and are not buffered. */
const MAX_LINE = 64 * 1024;

/**
 * Reads a list of peels, line by line; a line ends with LF, CR LF or CR:
 *
 * - `txt`: one ID per line. Ignores empty lines, and comments: `#` at the start of a line or after white space.
 * - `csv`: the first line is the header, with a column `id`, `peel_id` or `peelId`, and optionally `host` and
 *   `labels` (`env=prod,tier=db`, or separated by spaces). Fields may be quoted, and contain no newlines. A line that
 *   starts with `#` is a comment; elsewhere, `#` is text.
 * - `ndjson`: each line is an object with `id` (or `peel_id`, `peelId`) and optionally `host` and `labels` (an object,
 *   or a string as in CSV), or the ID as a string.
 *
 * An invalid or duplicate line is returned as a bad row, and reading continues.
 *
 * @param chunks the bytes of the list, UTF-8
 * @throws BulkError `ERR_BULK_INPUT` when a CSV's first line names no ID column
 */
export async function* readRows(
  chunks: AsyncIterable<Uint8Array>,
  format: RowFormat,
): AsyncGenerator<PeelRow | BadRow, void, undefined> {
  const seen = new SeenIds();
  let columns: readonly string[] | undefined;
  for await (const { line, text } of linesOf(chunks)) {
    if (text === undefined) {
      yield { line, error: badRow(`it is longer than ${MAX_LINE / 1024} KiB`) };
      continue;
    }
    if (text.trim() === '' || (format !== 'ndjson' && text.trimStart().startsWith('#'))) continue;
    if (format === 'csv' && columns === undefined) {
      columns = readHeader(text);
      continue;
    }
    try {
      const { id, host, labels = {} } = readRow(text, format, columns ?? []);
      const peelId = validatePeelId(id);
      if (!seen.add(peelId)) throw badRow(`"${peelId}" is a duplicate`);
      const hasLabels = Object.keys(labels).length > 0;
      yield {
        line,
        peelId,
        ...(host !== undefined && host !== '' && { host }),
        ...(hasLabels && { labels }),
      };
    } catch (error) {
      yield { line, error: error as Error };
    }
  }
}

function badRow(message: string): BulkError {
  return new BulkError('ERR_BULK_ROW', message);
}

/** The format for a file name; undefined: unknown. */
export function rowFormatOf(path: string): RowFormat | undefined {
  const ending = /\.([a-z]+)$/i.exec(path)?.[1]?.toLowerCase();
  if (ending === 'jsonl') return 'ndjson';
  return ROW_FORMATS.find((format) => format === ending);
}

/** A line ending: LF, CR LF, or CR. */
const LINE_END = /\r\n?|\n/;

/** Splits lines with any line ending; `text` is undefined if a line is too long. */
async function* linesOf(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<{ line: number; text: string | undefined }, void, undefined> {
  const decoder = new TextDecoder(); // removes a byte order mark
  let line = 0;
  let rest = '';
  let tooLong = false;
  let endedWithCr = false;
  const whole = (text: string) => {
    const found = { line: (line += 1), text: tooLong ? undefined : text };
    tooLong = false;
    return found;
  };
  for await (const chunk of chunks) {
    let decoded = decoder.decode(chunk, { stream: true });
    if (decoded === '') continue; // the first bytes of a character
    // a CR LF that was cut between two chunks
    if (endedWithCr && decoded.startsWith('\n')) decoded = decoded.slice(1);
    endedWithCr = decoded.endsWith('\r');
    const parts = decoded.split(LINE_END);
    const last = parts.pop() ?? '';
    for (const part of parts) {
      const text = rest + part;
      rest = '';
      tooLong ||= text.length > MAX_LINE;
      yield whole(text);
    }
    rest += last;
    if (rest.length > MAX_LINE) {
      tooLong = true;
      rest = '';
    }
  }
  rest += decoder.decode();
  if (rest !== '' || tooLong) yield whole(rest);
}

interface RawRow {
  id: unknown;
  host?: string | undefined;
  labels?: Labels | undefined;
}

const ID_NAMES: readonly string[] = ['id', 'peel_id', 'peelId'];

function readRow(text: string, format: RowFormat, columns: readonly string[]): RawRow {
  switch (format) {
    case 'txt':
      return { id: text.replace(/\s#.*$/, '').trim() };
    case 'csv': {
      const fields = splitCsv(text);
      if (fields.length !== columns.length) {
        throw badRow(`it has ${fields.length} fields, but the header has ${columns.length} columns`);
      }
      const field = (names: readonly string[]) => fields[columns.findIndex((name) => names.includes(name))];
      return { id: field(ID_NAMES), host: field(['host']), labels: labelsIn(field(['labels']) ?? '') };
    }
    case 'ndjson':
      return readJsonRow(text);
  }
}

function readJsonRow(text: string): RawRow {
  let value: unknown;
  try {
    value = parseStrictJson(text);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw badRow(`it ${cause.message}`);
  }
  if (typeof value === 'string') return { id: value };
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw badRow('it is neither an object nor a string');
  }
  const row = value as Record<string, unknown>;
  const name = ID_NAMES.find((known) => Object.hasOwn(row, known));
  if (name === undefined) throw badRow('it has no "id"');
  const { host, labels } = row;
  if (host !== undefined && host !== null && typeof host !== 'string')
    throw badRow('its "host" is not a string');
  return { id: row[name], host: host ?? undefined, labels: jsonLabels(labels ?? '') };
}

/** @throws FleetError `ERR_FLEET_LABEL` */
function labelsIn(text: string): Labels {
  return parseLabels(text.split(/[\s,]+/).filter((word) => word !== ''));
}

function jsonLabels(value: unknown): Labels {
  if (typeof value === 'string') return labelsIn(value);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw badRow('its "labels" are neither an object nor a string');
  return parseLabels(
    Object.entries(value).map(([name, text]: [string, unknown]) => {
      if (typeof text !== 'string') throw badRow(`the label "${name}" is not a string`);
      return `${name}=${text}`;
    }),
  );
}

function readHeader(text: string): readonly string[] {
  const columns = splitCsv(text);
  if (columns.some((name) => ID_NAMES.includes(name))) return columns;
  throw new BulkError(
    'ERR_BULK_INPUT',
    'the first line of the CSV names no column "id": add one, such as "id,host", or use --format txt for one id a line',
  );
}

/**
 * A field, quoted or not, and the comma after it. Each alternative can match a text in only one way, so that a line of
 * 64 KiB without a match causes no exponential backtracking over its blanks.
 */
const CSV_FIELD = /\s*"((?:[^"]|"")*)"\s*(,|$)|([^",]*)(,|$)/y;

function splitCsv(text: string): string[] {
  const fields: string[] = [];
  for (let at = 0; ;) {
    CSV_FIELD.lastIndex = at;
    const match = CSV_FIELD.exec(text);
    if (match === null) throw badRow('its quotes do not match');
    fields.push(match[1]?.replaceAll('""', '"') ?? (match[3] ?? '').trim());
    if ((match[2] ?? match[4]) === '') return fields;
    at = CSV_FIELD.lastIndex;
  }
}
