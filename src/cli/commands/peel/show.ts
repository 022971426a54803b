// `zester peel show`: show a peel: state, keys, connections, last events.
import type { AuditEvent } from '../../../protocol/records/audit-event.js';
import { fingerprint } from '../../../protocol/fingerprint.js';
import type { AnswerOf } from '../../../protocol/messages.js';
import { labelText } from '../../../protocol/records/labels.js';
import { command } from '../../command/declaration.js';
import { argument, count as number } from '../../command/option.js';
import { auditColumns } from '../../fleet/audit-lines.js';
import { actorWords, isoOf, peelDocument } from '../../fleet/peel-document.js';
import { issuedUpTo } from '../../terminal/issued-up-to.js';
import { count } from '../../terminal/columns.js';
import { table, type Output } from '../../terminal/output.js';
import { timeWords, timeWordsAndDate } from '../../terminal/time-words.js';

export default command({
  summary: 'show a peel: state, keys, connections, last events',
  needs: 'fleet',
  arguments: { peelId: argument('peel ID') },
  options: { events: number('--events <n>', 'number of recent events to show', { min: 0, max: 200 }, '10') },
  examples: ['zester peel show web-01', 'zester peel show web-01 --json | jq .keys'],
  async run({ peelId, events }, { io, output, fleet }) {
    (await import('../../../permissions/peel-id.js')).validatePeelId(peelId);
    const { client } = await fleet();
    const shown = await client.ask('peel.show', { peelId, events });
    if (shown.eventsMissing === true) {
      output.note('the audit log is temporarily unreadable: the last events are not shown');
    }
    const now = io.now();
    output.result(lines(shown, now, output), documentOf(shown, now));
  },
});

type Shown = AnswerOf<'peel.show'>;

function lines({ record, presence, events }: Shown, now: number, output: Output): string[] {
  const at = (iso: string) => timeWordsAndDate(Date.parse(iso), now);
  const { decided } = record;
  const connections = presence?.connections ?? [];
  return [
    `${record.id}: ${record.state}`,
    ...table([
      ...(decided === undefined
        ? []
        : [
            [
              'decided',
              [
                `by ${actorWords(decided.by)}, ${at(decided.at)}`,
                ...(decided.reason === undefined ? [] : [decided.reason]),
              ],
            ] as const,
          ]),
      ...(record.origin === undefined ? [] : [['came with', record.origin] as const]),
      ...(record.labels === undefined ? [] : [['labels', labelText(record.labels)] as const]),
      ['known since', at(record.createdAt)],
      ...(record.rotationAskedAt === undefined
        ? []
        : [['rotation', `requested ${at(record.rotationAskedAt)}, not done yet`] as const]),
      ...(record.recovery === undefined
        ? []
        : [
            [
              'recovered',
              `${count(record.recovery.count, 'time')} after expiry, last ${at(iso(record.recovery.at.at(-1) ?? 0))}`,
            ] as const,
          ]),
      [
        'connected',
        connections.length === 0
          ? `no${presence === undefined ? '' : `, last seen ${at(presence.lastSeen)}`}`
          : [
              ...(presence?.count === undefined ? [] : [`${presence.count} times; the newest are:`]),
              ...connections.map(
                ({ host, serverName, server, since, publicKey }) =>
                  `from ${host ?? 'an unknown address'} to ${serverName ?? server}, ${at(since)}, key ${fingerprint(publicKey)}`,
              ),
            ],
      ],
      ...record.keys.map(({ publicKey, state, expiresAt, issuedAt, connectedAt }) => {
        const parts = [
          ...(issuedAt === undefined ? [] : [`its JWT was issued ${timeWords(issuedAt * 1000, now)}`]),
          ...(issuedAt === undefined
            ? []
            : [expiresAt === undefined ? 'never expires' : `expires ${at(iso(expiresAt))}`]),
          ...(connectedAt === undefined
            ? []
            : [`first connected ${timeWords(Date.parse(connectedAt), now)}`]),
        ];
        return [
          'key',
          [
            output.key(publicKey),
            [`${fingerprint(publicKey)}  ${state}`, ...(parts.length === 0 ? [] : [parts.join(', ')])].join(
              ': ',
            ),
          ],
        ] as const;
      }),
    ]),
    ...(events.length === 0 ? [] : ['', ...auditColumns(events as AuditEvent[], now, output)]),
  ];
}

function iso(seconds: number): string {
  return isoOf(seconds) ?? '';
}

function documentOf({ record, presence, events }: Shown, now: number): object {
  return {
    ...peelDocument(record, presence, now),
    keys: record.keys.map((key) => ({
      publicKey: key.publicKey,
      fingerprint: fingerprint(key.publicKey),
      state: key.state,
      issuer: key.issuer ?? null,
      issuedAt: isoOf(key.issuedAt),
      expiresAt: isoOf(key.expiresAt),
      connectedAt: key.connectedAt ?? null,
      revokedUpTo: key.revokedUpTo === undefined ? null : (issuedUpTo(key.revokedUpTo) ?? null),
    })),
    connections: presence?.connections ?? [],
    events,
  };
}
