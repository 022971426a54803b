// Formats audit events as lines and columns.
import type { AuditEvent } from '../../protocol/records/audit-event.js';
import { fingerprint } from '../../protocol/fingerprint.js';
import { labelText } from '../../protocol/records/labels.js';
import type { Output } from '../terminal/output.js';
import { timeWords } from '../terminal/time-words.js';
import { actorWords } from './peel-document.js';

/** Events in columns, for a terminal. */
export function auditColumns(events: readonly AuditEvent[], now: number, output: Output): string[] {
  return output.columns(events, [
    ['AT', ({ at }) => at],
    ['WHEN', ({ at }) => timeWords(Date.parse(at), now)],
    ['PEEL', ({ peelId = '-' }) => peelId],
    ['WHAT', ({ kind }) => kind],
    ['BY', ({ by }) => actorWords(by)],
    ['MORE', moreOf],
  ]);
}

/** One event as a line, for streaming: without columns, whose width would depend on other events. */
export function auditLine(event: AuditEvent): string {
  const { at, peelId = '-', kind, by } = event;
  return `${at}  ${peelId.padEnd(16)}  ${kind.padEnd(18)}  ${actorWords(by)}  ${moreOf(event)}`.trimEnd();
}

function moreOf(event: AuditEvent): string {
  const { reason, code, from, detail } = event;
  return [
    ...keysOf(event).map((key) => `key ${fingerprint(key)}`),
    ...(from === undefined ? [] : [`from ${from}`]),
    ...(code === undefined ? [] : [code]),
    ...labelsOf(event),
    ...(reason === undefined ? [] : [reason]),
    ...Object.entries(detail ?? {}).map(([name, value]) => `${name} ${value}`),
  ].join(', ');
}

/** Labels that it set or removed, in command-line form. */
function labelsOf(event: AuditEvent): readonly string[] {
  const given = 'labels' in event ? event.labels : 'set' in event ? event.set : undefined;
  const removed = 'remove' in event ? (event.remove ?? []) : [];
  const words = [
    ...(labelText(given) === '' ? [] : [labelText(given)]),
    ...removed.map((name) => `${name}-`),
  ];
  return words.length === 0 ? [] : [`labels ${words.join(',')}`];
}

function keysOf(event: AuditEvent): readonly string[] {
  if ('publicKeys' in event) return event.publicKeys;
  if ('key' in event) return [event.key.publicKey];
  return event.publicKey === undefined ? [] : [event.publicKey];
}
