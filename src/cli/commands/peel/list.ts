// `zester peel list`: list peels.
import type { ListedPeel } from '../../../protocol/messages.js';
import { inOrder, PEEL_ORDERS } from '../../../protocol/records/peel-order.js';
import { PEEL_STATES } from '../../../protocol/records/record.js';
import { count, type Column } from '../../terminal/columns.js';
import { command } from '../../command/declaration.js';
import { choice, count as number, lifetime, optionalArgument, text, toggle } from '../../command/option.js';
import { peelDocument, type PeelDocument } from '../../fleet/peel-document.js';
import { selectorOption } from '../../options/label-options.js';
import { labelText } from '../../../protocol/records/labels.js';
import { selectedPeels } from '../../../fleet-client/selected-peels.js';
import { peelPattern } from '../../options/peel-pattern.js';
import { timeWords } from '../../terminal/time-words.js';

const SORTS = ['id', ...PEEL_ORDERS] as const;

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
      'the order: by ID, state, expiry (soonest first) or last seen (latest first)',
      SORTS,
      'id',
    ),
    limit: number('--limit <n>', 'at most this many peels', { min: 1, max: 10_000_000 }),
    after: text('--after <id>', 'only IDs that come after this one: the next page'),
  },
  notes: `
The servers report connections, not the peels. The fingerprint belongs to the key in use, or else to the last one.`,
  examples: [
    'zester peel list',
    "zester peel list 'web-*' --state pending",
    'zester peel list -l env=prod,tier!=db',
    "zester peel list --expiring 1h --no-connected --json | jq -r '.peels[].id'",
    ['zester peel list --limit 100 --after web-0100', 'the next page'],
  ],
  async run({ pattern, state, expiring, connected, selector, sort, limit, after }, { io, output, fleet }) {
    if (after !== undefined) (await import('../../../permissions/peel-id.js')).validatePeelId(after);
    const { client } = await fleet();
    const { held } = await client.ask('status', {});
    const order = sort === 'id' ? undefined : sort;
    const request = {
      ...(pattern !== undefined && { pattern }),
      ...(state !== undefined && { state }),
      ...(expiring !== undefined && { expiringWithin: expiring }),
      ...(connected !== undefined && { connected }),
      ...(selector !== undefined && { labels: selector }),
      ...(after !== undefined && { after }),
      ...(limit !== undefined && (order === undefined ? { limit } : { top: { by: order, limit } })),
    };
    const list = { skipped: [] as string[], shown: 0, last: '' };
    const listed = async function* (): AsyncGenerator<PeelDocument> {
      for await (const { record, presence } of ordered()) {
        list.shown += 1;
        list.last = record.id;
        yield peelDocument(record, presence, io.now());
      }
    };
    const parts = async function* (): AsyncGenerator<ListedPeel> {
      for await (const part of selectedPeels(client, request)) {
        list.skipped.push(...(part.skipped ?? []));
        // a master of an earlier version gives those before the page, too
        yield* part.peels.filter(({ record }) => after === undefined || record.id > after);
      }
    };
    const ordered = async function* (): AsyncGenerator<ListedPeel> {
      // masters list by ID: that need not be collected
      if (order === undefined) return yield* first(parts(), limit);
      const all: ListedPeel[] = [];
      for await (const peel of parts()) all.push(peel);
      yield* inOrder(all, order).slice(0, limit);
    };
    if (output.json) {
      await output.document('peels', listed(), () => ({
        skipped: list.skipped,
        revocationsHeld: held ?? null,
      }));
    } else {
      const peels: PeelDocument[] = [];
      for await (const peel of listed()) peels.push(peel);
      const matched = [pattern, selector && `the labels ${selector}`].filter(Boolean).join(' and ');
      const none = [`no peel${matched === '' ? '' : ` matches ${matched}`}`];
      output.lines(peels.length === 0 ? none : output.columns(peels, columns(peels, io.now())));
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
    if (order === undefined && list.shown === limit) output.note(`for the next page: --after ${list.last}`);
  },
});

/** An answer is read to its end, also where a master of an earlier version gives more. */
async function* first<T>(all: AsyncIterable<T>, limit = Infinity): AsyncGenerator<T> {
  let given = 0;
  for await (const one of all) {
    if (given >= limit) continue;
    given += 1;
    yield one;
  }
}

function columns(peels: readonly PeelDocument[], now: number): readonly Column<PeelDocument>[] {
  const words = (iso: string | null) => (iso === null ? '-' : timeWords(Date.parse(iso), now));
  return [
    ['ID', ({ id }) => id],
    ['STATE', ({ state }) => state],
    ['CONNECTED', ({ connected }) => (connected ? 'yes' : 'no')],
    ['EXPIRES', (peel) => expiryWords(peel, words)],
    ['LAST SEEN', ({ connected, lastSeen }) => (connected ? 'now' : words(lastSeen))],
    ['FINGERPRINT', ({ fingerprint }) => fingerprint ?? '-'],
    ...(peels.some(({ labels }) => Object.keys(labels).length > 0)
      ? [['LABELS', ({ labels }: PeelDocument) => labelText(labels)] as const]
      : []),
  ];
}

/** When the credential expires; nothing for a key that is revoked. */
function expiryWords(
  { keyState, issuedAt, expiresAt }: PeelDocument,
  words: (iso: string | null) => string,
): string {
  if (keyState === 'revoking' || keyState === 'revoked') return '-';
  return issuedAt !== null && expiresAt === null ? 'never' : words(expiresAt);
}
