import type { Command } from 'commander';
import type { AuditEvent } from '../../fleet/audit-event.js';
import { fingerprint } from '../../fleet/fingerprint.js';
import type { AnswerOf } from '../../fleet/messages.js';
import { wholeNumber } from '../command/option.js';
import { asAdmin, withAdminOptions, type AdminOptions } from '../fleet/admin.js';
import { auditColumns } from '../fleet/audit-lines.js';
import { actorWords, isoOf, peelDocument } from '../fleet/peel-document.js';
import { issuedUpTo } from '../issued-up-to.js';
import type { CliIo } from '../io.js';
import { Output, table, type GlobalOptions } from '../output.js';
import { timeWords, timeWordsAndDate } from '../time-words.js';

interface Options extends GlobalOptions, AdminOptions {
  events: string;
}

/** `zester peel show`: what is known of one peel. */
export function registerPeelShow(parent: Command, io: CliIo): void {
  withAdminOptions(parent.command('show'))
    .description('show a peel: its state, the keys it has held, where it is connected, what was decided')
    .argument('<peelId>', 'its id')
    .option('--events <n>', 'how many of its last events', '10')
    .addHelpText(
      'after',
      '\nExamples:\n  $ zester peel show web-01\n  $ zester peel show web-01 --json | jq .keys',
    )
    .action(async (peelId: string, _options, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      const output = new Output(io, options);
      (await import('../../permissions/peel-id.js')).validatePeelId(peelId);
      const events = wholeNumber('--events', options.events, 0, 200);
      const shown = await asAdmin(options, io, ({ client }) => client.ask('peel.show', { peelId, events }));
      if (shown.eventsMissing === true) {
        output.note('the audit cannot be read at the moment, so its last events are not shown');
      }
      const now = io.now();
      output.result(lines(shown, now), documentOf(shown, now));
    });
}

type Shown = AnswerOf<'peel.show'>;

function lines({ record, presence, events }: Shown, now: number): string[] {
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
      ['known since', at(record.createdAt)],
      ...(record.rotationAskedAt === undefined
        ? []
        : [['rotation', `asked for ${at(record.rotationAskedAt)}, not done yet`] as const]),
      [
        'connected',
        connections.length === 0
          ? `no${presence === undefined ? '' : `, last seen ${at(presence.lastSeen)}`}`
          : [
              ...(presence?.count === undefined ? [] : [`${presence.count} times, the newest:`]),
              ...connections.map(
                ({ host, serverName, server, since, publicKey }) =>
                  `from ${host ?? 'an unknown address'} to ${serverName ?? server}, ${at(since)}, key ${fingerprint(publicKey)}`,
              ),
            ],
      ],
      ...record.keys.map(({ publicKey, state, expiresAt, issuedAt, connectedAt }) => {
        const parts = [
          ...(issuedAt === undefined ? [] : [`its JWT of ${timeWords(issuedAt * 1000, now)}`]),
          ...(issuedAt === undefined
            ? []
            : [expiresAt === undefined ? 'which never expires' : `which expires ${at(iso(expiresAt))}`]),
          ...(connectedAt === undefined
            ? []
            : [`first connected ${timeWords(Date.parse(connectedAt), now)}`]),
        ];
        return [
          'key',
          [
            publicKey,
            [`${fingerprint(publicKey)}  ${state}`, ...(parts.length === 0 ? [] : [parts.join(', ')])].join(
              ': ',
            ),
          ],
        ] as const;
      }),
    ]),
    ...(events.length === 0 ? [] : ['', ...auditColumns(events as AuditEvent[], now)]),
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
