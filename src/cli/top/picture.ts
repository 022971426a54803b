// Renders the screen of `zester top` as lines of text.
import type { FleetStatus } from '../../protocol/fleet-answers.js';
import type { AuditEvent } from '../../protocol/records/audit-event.js';
import { PEEL_STATES } from '../../protocol/records/record.js';
import { printable } from '../../text/printable.js';
import { auditLine } from '../fleet/audit-lines.js';
import type { PeelDocument } from '../fleet/peel-document.js';
import { columns, cut } from '../terminal/columns.js';
import { timeWords } from '../terminal/time-words.js';

/** A snapshot of a fleet. */
export interface FleetView {
  status: FleetStatus;
  /** Peels with expiring credentials, soonest first. */
  expiring: readonly PeelDocument[];
  /** The last events, newest first. */
  events: readonly AuditEvent[];
  renewalsPerSecond: number;
  /** Why the snapshot is stale; undefined: it is current. */
  problem: string | undefined;
}

/** The size in characters and lines. */
export interface PictureSize {
  columns: number;
  rows: number;
}

/** Lines that fit the size. Each is safe to print, whatever names peels and admins chose. */
export function pictureOf(view: FleetView, { columns: width, rows }: PictureSize, now: number): string[] {
  const head = headOf(view, now);
  const room = Math.max(0, rows - head.length - 4);
  const expiringRows = Math.min(view.expiring.length, Math.floor(room / 2));
  const eventRows = Math.max(0, room - expiringRows - 1);
  const lines = [
    ...head,
    '',
    ...expiryLines(view.expiring.slice(0, expiringRows), width, now),
    '',
    'LATEST EVENTS',
    ...view.events.slice(0, eventRows).map(auditLine),
  ];
  return lines.slice(0, Math.max(1, rows)).map((line) => cut(printable(line), width));
}

function headOf({ status, renewalsPerSecond, problem }: FleetView, now: number): string[] {
  const { peels, connected, version, policy, lifetime, watching, held } = status;
  const accepted = (peels.active ?? 0) + (peels.accepted ?? 0);
  return [
    `zester ${version}   policy ${policy}   lifetime ${lifetime === 0 ? 'none' : `${lifetime} s`}   ${new Date(now).toISOString().slice(11, 19)} UTC`,
    PEEL_STATES.map((state) => `${state} ${(peels[state] ?? 0).toLocaleString('en')}`).join('   '),
    `connected ${connected.toLocaleString('en')} of ${accepted.toLocaleString('en')}   renewals ${renewalsPerSecond.toFixed(1)}/s`,
    ...(watching === undefined ? ['WARNING: no master follows the servers: revocations wait'] : []),
    ...(held === undefined
      ? []
      : [`WARNING: revocations of ${held.peels} peels are held: see "zester audit"`]),
    ...(problem === undefined ? [] : [`NOT UP TO DATE: ${problem}`]),
  ];
}

function expiryLines(peels: readonly PeelDocument[], width: number, now: number): string[] {
  if (peels.length === 0) return ['no credential expires'];
  return columns(
    peels,
    [
      ['SOONEST TO EXPIRE', ({ id }) => id],
      ['EXPIRES', ({ expiresAt }) => (expiresAt === null ? 'never' : timeWords(Date.parse(expiresAt), now))],
      ['STATE', ({ state }) => state],
      ['CONNECTED', ({ connected }) => (connected ? 'yes' : 'no')],
    ],
    width,
  );
}
