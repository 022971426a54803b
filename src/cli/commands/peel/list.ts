// `zester peel list`: list peels.
import type { ListedPeel } from '../../../protocol/messages.js';
import { PEEL_STATES } from '../../../protocol/records/record.js';
import { count, type Column } from '../../terminal/columns.js';
import { command } from '../../command/declaration.js';
import { choice, count as number, lifetime, optionalArgument, text, toggle } from '../../command/option.js';
import { peelDocument, type PeelDocument } from '../../fleet/peel-document.js';
import { peelPattern } from '../../options/peel-pattern.js';
import { timeWords } from '../../terminal/time-words.js';

const SORTS = ['id', 'state', 'expires', 'seen'] as const;
type Sort = (typeof SORTS)[number];

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
    "zester peel list --expiring 1h --no-connected --json | jq -r '.peels[].id'",
    ['zester peel list --limit 100 --after web-0100', 'the next page'],
  ],
  async run({ pattern, state, expiring, connected, sort, limit, after }, { io, output, fleet }) {
    if (after !== undefined) (await import('../../../permissions/peel-id.js')).validatePeelId(after);
    const { client } = await fleet();
    const { held } = await client.ask('status', {});
    const listed: ListedPeel[] = [];
    const skipped: string[] = [];
    const request = {
      ...(pattern !== undefined && { pattern }),
      ...(state !== undefined && { state }),
      ...(expiring !== undefined && { expiringWithin: expiring }),
      ...(connected !== undefined && { connected }),
      ...(after !== undefined && { after }),
      // in any other order, the first ones are known only when all are
      ...(sort === 'id' && limit !== undefined && { limit }),
    };
    for await (const part of client.stream('peel.list', request)) {
      listed.push(...part.peels);
      skipped.push(...(part.skipped ?? []));
    }
    const now = io.now();
    // a master of an earlier version gives those before the page, too
    const peels = listed
      .map(({ record, presence }) => peelDocument(record, presence, now))
      .filter(({ id }) => after === undefined || id > after)
      .sort((a, b) => compare[sort](a, b) || compare.id(a, b))
      .slice(0, limit);
    const none = [`no peel${pattern === undefined ? '' : ` matches ${pattern}`}`];
    const lines = peels.length === 0 ? none : output.columns(peels, columns(now));
    output.result(lines, { peels, skipped, revocationsHeld: held ?? null });
    if (skipped.length > 0) {
      output.warn(`omitted, since their records exceed the message size: ${skipped.join(', ')}`);
    }
    if (held !== undefined) {
      output.note(
        `the masters have held the revocation of ${held.peels} healthy peels since ${held.since}: see "zester audit", then ` +
          '"zester master resume"',
      );
    }
    if (peels.length > 0) output.note(count(peels.length, 'peel'));
    if (sort === 'id' && peels.length === limit)
      output.note(`for the next page: --after ${peels.at(-1)?.id ?? ''}`);
  },
});

/** Orders of the list. Peels that are alike are in the order of their IDs. */
const compare: Readonly<Record<Sort, (a: PeelDocument, b: PeelDocument) => number>> = {
  id: (a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0),
  state: (a, b) => PEEL_STATES.indexOf(a.state) - PEEL_STATES.indexOf(b.state),
  expires: (a, b) => timeOr(a.expiresAt, Infinity) - timeOr(b.expiresAt, Infinity) || 0,
  seen: (a, b) => timeOr(b.lastSeen, 0) - timeOr(a.lastSeen, 0),
};

function timeOr(iso: string | null, none: number): number {
  return iso === null ? none : Date.parse(iso);
}

function columns(now: number): readonly Column<PeelDocument>[] {
  const words = (iso: string | null) => (iso === null ? '-' : timeWords(Date.parse(iso), now));
  return [
    ['ID', ({ id }) => id],
    ['STATE', ({ state }) => state],
    ['CONNECTED', ({ connected }) => (connected ? 'yes' : 'no')],
    ['EXPIRES', (peel) => expiryWords(peel, words)],
    ['LAST SEEN', ({ connected, lastSeen }) => (connected ? 'now' : words(lastSeen))],
    ['FINGERPRINT', ({ fingerprint }) => fingerprint ?? '-'],
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
