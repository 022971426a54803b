// The columns that a list of peels can have, for people and for programs.
import { UsageError } from '../../errors.js';
import { labelText } from '../../protocol/records/labels.js';
import { closest } from '../../text/closest.js';
import { timeWords } from '../terminal/time-words.js';
import type { PeelDocument } from './peel-document.js';

/** A column of a list of peels. */
export interface PeelColumn {
  heading: string;
  /** For people: times relative to `now` (milliseconds since 1970). */
  cell: (peel: PeelDocument, now: number) => string;
  /** For programs: ISO 8601 times, empty text for absent values. */
  value: (peel: PeelDocument) => string;
}

const text = (heading: string, of: (peel: PeelDocument) => string | null): PeelColumn => ({
  heading,
  cell: (peel) => of(peel) ?? '-',
  value: (peel) => of(peel) ?? '',
});
const time = (heading: string, of: (peel: PeelDocument) => string | null): PeelColumn => ({
  heading,
  cell: (peel, now) => ago(of(peel), now),
  value: (peel) => of(peel) ?? '',
});
const ago = (iso: string | null, now: number): string =>
  iso === null ? '-' : timeWords(Date.parse(iso), now);

/** Every column, by the name that `--columns` takes. */
export const PEEL_COLUMNS = {
  id: text('ID', ({ id }) => id),
  state: text('STATE', ({ state }) => state),
  connected: text('CONNECTED', ({ connected }) => (connected ? 'yes' : 'no')),
  expires: {
    heading: 'EXPIRES',
    cell: (peel, now) => (isShown(peel) ? expiryWords(peel, now) : '-'),
    value: (peel) => (isShown(peel) ? (peel.expiresAt ?? '') : ''),
  },
  seen: {
    heading: 'LAST SEEN',
    cell: ({ connected, lastSeen }, now) => (connected ? 'now' : ago(lastSeen, now)),
    value: ({ lastSeen }) => lastSeen ?? '',
  },
  fingerprint: text('FINGERPRINT', ({ fingerprint }) => fingerprint),
  labels: text('LABELS', ({ labels }) => labelText(labels)),
  since: time('CONNECTED SINCE', ({ connectedSince }) => connectedSince),
  issued: time('ISSUED', ({ issuedAt }) => issuedAt),
  created: time('CREATED', ({ createdAt }) => createdAt),
  updated: time('UPDATED', ({ updatedAt }) => updatedAt),
  key: text('KEY', ({ publicKey }) => publicKey),
  keystate: text('KEY STATE', ({ keyState }) => keyState),
  recoveries: text('RECOVERIES', ({ recoveries }) => String(recoveries.count)),
  origin: text('CAME WITH', ({ origin }) => origin),
  decided: text('DECIDED BY', ({ decided }) => decided?.by ?? null),
  reason: text('REASON', ({ decided }) => decided?.reason ?? null),
} satisfies Record<string, PeelColumn>;
export type PeelColumnName = keyof typeof PEEL_COLUMNS;
const NAMES = Object.keys(PEEL_COLUMNS) as PeelColumnName[];

/** The columns of a table; labels only if a peel has any. */
export const TABLE_COLUMNS = ['id', 'state', 'connected', 'expires', 'seen', 'fingerprint'] as const;
/** The columns of a wide table, and of CSV. */
export const WIDE_COLUMNS: readonly PeelColumnName[] = NAMES;

/**
 * Reads the value of `--columns`.
 *
 * @throws UsageError for an unknown column, with the closest one
 * @example parseColumns('id,expires,labels'); // ['id', 'expires', 'labels']
 */
export function parseColumns(given: string): PeelColumnName[] {
  return given.split(',').map((word) => {
    const name = word.trim().toLowerCase();
    const known = NAMES.find((one) => one === name);
    if (known !== undefined) return known;
    const near = closest(name, NAMES);
    const hint = near === undefined ? '' : ` (did you mean ${near}?)`;
    throw new UsageError(`--columns: unknown column "${word.trim()}"${hint}: use ${NAMES.join(', ')}`);
  });
}

/** A revoked key has no expiry to show. */
function isShown({ keyState }: PeelDocument): boolean {
  return keyState !== 'revoking' && keyState !== 'revoked';
}

function expiryWords({ issuedAt, expiresAt }: PeelDocument, now: number): string {
  return issuedAt !== null && expiresAt === null ? 'never' : ago(expiresAt, now);
}
