// `zester peel list`: list peels.
import type { ListedPeel } from '../../../protocol/messages.js';
import { PEEL_STATES } from '../../../protocol/records/record.js';
import { count, type Column } from '../../terminal/columns.js';
import { command } from '../../command/declaration.js';
import { choice, lifetime, optionalArgument, toggle } from '../../command/option.js';
import { peelDocument, type PeelDocument } from '../../fleet/peel-document.js';
import { peelPattern } from '../../options/peel-pattern.js';
import { timeWords } from '../../terminal/time-words.js';

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
  },
  notes: `
The servers report connections, not the peels. The fingerprint belongs to the key in use, or else to the last one.`,
  examples: [
    'zester peel list',
    "zester peel list 'web-*' --state pending",
    "zester peel list --expiring 1h --no-connected --json | jq -r '.peels[].id'",
  ],
  async run({ pattern, state, expiring, connected }, { io, output, fleet }) {
    const { client } = await fleet();
    const { held } = await client.ask('status', {});
    const listed: ListedPeel[] = [];
    const skipped: string[] = [];
    const request = {
      ...(pattern !== undefined && { pattern }),
      ...(state !== undefined && { state }),
      ...(expiring !== undefined && { expiringWithin: expiring }),
      ...(connected !== undefined && { connected }),
    };
    for await (const part of client.stream('peel.list', request)) {
      listed.push(...part.peels);
      skipped.push(...(part.skipped ?? []));
    }
    listed.sort((a, b) => (a.record.id < b.record.id ? -1 : 1));
    const now = io.now();
    const peels = listed.map(({ record, presence }) => peelDocument(record, presence, now));
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
  },
});

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
