// `zester peel list`: list peels.
import type { ListedPeel } from '../../../protocol/messages.js';
import { csvRow } from '../../../text/csv.js';
import { PEEL_ORDERS, type PeelOrder, type PeelPlace } from '../../../protocol/records/peel-order.js';
import { pageOfPeels, placeOfCursor } from '../../../protocol/records/peel-page.js';
import { PEEL_STATES } from '../../../protocol/records/record.js';
import { UsageError } from '../../../errors.js';
import { columns as fitted, count } from '../../terminal/columns.js';
import { Output } from '../../terminal/output.js';
import { command } from '../../command/declaration.js';
import {
  choice,
  count as number,
  lifetime,
  option,
  optionalArgument,
  text,
  toggle,
} from '../../command/option.js';
import { peelDocument, type PeelDocument } from '../../fleet/peel-document.js';
import { selectorOption } from '../../options/label-options.js';
import { selectedPeels } from '../../../fleet-client/selected-peels.js';
import { peelPattern } from '../../options/peel-pattern.js';
import {
  parseColumns,
  PEEL_COLUMNS,
  TABLE_COLUMNS,
  WIDE_COLUMNS,
  type PeelColumnName,
} from '../../fleet/peel-columns.js';

const SORTS = ['id', ...PEEL_ORDERS] as const;
const FORMATS = ['table', 'wide', 'csv', 'json', 'name'] as const;
/** CSV rows or names per write. */
const ROWS_AT_ONCE = 500;

export default command({
  summary: 'list peels',
  needs: 'fleet',
  arguments: {
    pattern: optionalArgument("only IDs that match, such as 'web-*'; ? matches one character", peelPattern),
  },
  options: {
    state: choice('--state <state>', 'only peels in this state', PEEL_STATES),
    expiring: lifetime('--expiring <time>', 'only credentials that expire within this time, e.g. 1h'),
    connected: toggle(
      { flags: '--connected', about: 'only connected peels' },
      { flags: '--no-connected', about: 'only peels that are not connected' },
    ),
    selector: selectorOption(),
    sort: choice(
      '--sort <by>',
      'sort by ID, state, expiry (soonest first) or last seen (latest first)',
      SORTS,
      'id',
    ),
    limit: number('--limit <n>', 'maximum number of peels to list', { min: 1, max: 10_000_000 }),
    format: choice('-o, --format <format>', 'output format', FORMATS),
    columns: option('--columns <names>', 'columns, in this order, e.g. id,expires,labels', parseColumns),
    after: text('--after <cursor>', 'the next page: what the last one named (an ID; with --sort, a cursor)'),
  },
  notes: `
The servers report who is connected, not the peels. The fingerprint identifies the key in use, the one to accept if the
peel is pending, or else the last.

Columns: id, state, connected, expires, seen, fingerprint, labels, since, issued, created, updated, key, keystate,
recoveries, origin, decided, reason.`,
  examples: [
    'zester peel list',
    "zester peel list 'web-*' --state pending",
    'zester peel list -l env=prod,tier!=db',
    "zester peel list --expiring 1h --no-connected --json | jq -r '.peels[].id'",
    ['zester peel list --limit 100 --after web-0100', 'the next page'],
    'zester peel list --sort expires --limit 20 --columns id,expires,labels',
    ['zester peel list -l env=prod -o csv > peels.csv', 'also: wide, json, name'],
  ],
  async run(
    { pattern, state, expiring, connected, selector, sort, limit, after, format: given, columns: chosen },
    context,
  ) {
    const { io, fleet } = context;
    const format = formatOf(given, chosen, context.output);
    const output =
      format === 'json' && !context.output.json
        ? new Output(io, { json: true, quiet: context.output.quiet })
        : context.output;
    const order = sort === 'id' ? undefined : sort;
    if (after !== undefined && order === undefined)
      (await import('../../../permissions/peel-id.js')).validatePeelId(after);
    const place = order === undefined ? undefined : placeAfter(after, order);
    const { client } = await fleet();
    const { held } = await client.ask('status', {});
    const request = {
      ...(pattern !== undefined && { pattern }),
      ...(state !== undefined && { state }),
      ...(expiring !== undefined && { expiringWithin: expiring }),
      ...(connected !== undefined && { connected }),
      ...(selector !== undefined && { labels: selector }),
      ...(order === undefined && { after, limit }),
      // one more shows whether there is another page; masters know no place to continue after in this order
      ...(order !== undefined &&
        limit !== undefined &&
        place === undefined && { top: { by: order, limit: limit + 1 } }),
    };
    const list = { skipped: [] as string[], shown: 0, next: null as string | null };
    const listed = async function* (): AsyncGenerator<PeelDocument> {
      for await (const { record, presence } of ordered()) {
        list.shown += 1;
        if (order === undefined && list.shown === limit) list.next = record.id;
        yield peelDocument(record, presence, io.now());
      }
    };
    const parts = async function* (): AsyncGenerator<ListedPeel> {
      for await (const part of selectedPeels(client, request)) {
        list.skipped.push(...(part.skipped ?? []));
        // a master of an earlier version also returns peels before the page
        yield* order !== undefined || after === undefined
          ? part.peels
          : part.peels.filter(({ record }) => record.id > after);
      }
    };
    const ordered = async function* (): AsyncGenerator<ListedPeel> {
      // masters list by ID, so this order streams
      if (order === undefined) return yield* first(parts(), limit);
      const all: ListedPeel[] = [];
      for await (const peel of parts()) all.push(peel);
      const { peels, next } = pageOfPeels(all, { by: order, after: place, limit });
      list.next = next;
      yield* peels;
    };
    if (format === 'json') {
      await output.document('peels', listed(), () => ({
        skipped: list.skipped,
        revocationsHeld: held ?? null,
        next: list.next,
      }));
    } else if (format === 'csv' || format === 'name') {
      await printRows(listed(), format, chosen ?? WIDE_COLUMNS, output);
    } else {
      const peels: PeelDocument[] = [];
      for await (const peel of listed()) peels.push(peel);
      const matched = [pattern, selector && `the labels ${selector}`].filter(Boolean).join(' and ');
      const none = [`no peel${matched === '' ? '' : ` matches ${matched}`}`];
      output.lines(peels.length === 0 ? none : tableOf(peels, format, chosen, io.now(), output));
    }
    if (list.skipped.length > 0) {
      output.warn(`omitted, since their records exceed the message size: ${list.skipped.join(', ')}`);
    }
    if (held !== undefined) {
      output.note(
        `the masters have held the revocation of ${held.peels} healthy peels since ${held.since}: see "zester audit", then ` +
          '"zester master resume"',
      );
    }
    if (list.shown > 0) output.note(count(list.shown, 'peel'));
    if (list.next !== null) output.note(`for the next page: --after ${list.next}`);
  },
});

/** @throws UsageError when it is not a cursor of this order */
function placeAfter(cursor: string | undefined, order: PeelOrder): PeelPlace | undefined {
  if (cursor === undefined) return undefined;
  const place = placeOfCursor(cursor, order);
  if (place !== undefined) return place;
  const words = `--after is not a cursor of --sort ${order}: give the one that the last page named, or start without --after`;
  throw new UsageError(words);
}

/** Reads an answer to its end, even if a master of an earlier version sends more. */
async function* first<T>(all: AsyncIterable<T>, limit = Infinity): AsyncGenerator<T> {
  let given = 0;
  for await (const one of all) {
    if (given >= limit) continue;
    given += 1;
    yield one;
  }
}

type Format = (typeof FORMATS)[number];

/** @throws UsageError for options that exclude each other */
function formatOf(
  given: Format | undefined,
  chosen: readonly string[] | undefined,
  { json }: Output,
): Format {
  const format = given ?? (json ? 'json' : 'table');
  if (json && format !== 'json') throw new UsageError(`--json and -o ${format} cannot be combined`);
  if (chosen !== undefined && (format === 'json' || format === 'name'))
    throw new UsageError(`--columns has no meaning with -o ${format}: use it with table, wide or csv`);
  return format;
}

/** As they arrive: a fleet need not fit into memory. */
async function printRows(
  peels: AsyncIterable<PeelDocument>,
  format: 'csv' | 'name',
  names: readonly PeelColumnName[],
  output: Output,
): Promise<void> {
  const rowOf = (peel: PeelDocument) => csvRow(names.map((name) => PEEL_COLUMNS[name].value(peel)));
  let rows: string[] = format === 'csv' ? [csvRow(names)] : [];
  for await (const peel of peels) {
    rows.push(format === 'csv' ? rowOf(peel) : peel.id);
    if (rows.length < ROWS_AT_ONCE) continue;
    output.lines(rows);
    rows = [];
  }
  output.lines(rows);
}

function tableOf(
  peels: readonly PeelDocument[],
  format: 'table' | 'wide',
  chosen: readonly PeelColumnName[] | undefined,
  now: number,
  output: Output,
): string[] {
  const isLabelled = peels.some(({ labels }) => Object.keys(labels).length > 0);
  const usual = [...TABLE_COLUMNS, ...(isLabelled ? (['labels'] as const) : [])];
  const names = chosen ?? (format === 'wide' ? WIDE_COLUMNS : usual);
  const shape = names.map((name) => {
    const { heading, cell } = PEEL_COLUMNS[name];
    return [heading, (peel: PeelDocument) => cell(peel, now)] as const;
  });
  return format === 'wide' ? fitted(peels, shape) : output.columns(peels, shape);
}
