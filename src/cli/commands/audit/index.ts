// `zester audit`: show the audit log.
import { UsageError } from '../../../errors.js';
import type { AuditEvent } from '../../../protocol/records/audit-event.js';
import type { AuditQuery } from '../../../protocol/records/audit-query.js';
import type { FleetContext } from '../../command/context.js';
import { command } from '../../command/declaration.js';
import { count, flag, past, repeated, text, words, type ValuesOf } from '../../command/option.js';
import type { Admin } from '../../fleet/admin.js';
import { auditLine } from '../../fleet/audit-lines.js';
import { followAudit } from '../../../fleet-client/follow-audit.js';
import { readAudit } from '../../../fleet-client/read-audit.js';
import type { CliIo } from '../../terminal/io.js';
import { requirePeelPattern } from '../../options/peel-pattern.js';

/** Default number of events on a terminal. */
const ON_TERMINAL = 50;

const OPTIONS = {
  follow: flag('-f, --follow', 'show new events as they are written, until Ctrl-C'),
  peel: text('--peel <id>', 'only events about this peel'),
  kind: repeated(
    '--kind <kinds>',
    "only these kinds, such as connection.refused or 'key.*'; comma-separated",
  ),
  since: past('--since <time>', 'only events after this time: 2h (ago), 7d, or a date'),
  until: past('--until <time>', 'only events before this time'),
  last: count('-n, --last <n>', `only the last n events (default on a terminal: ${ON_TERMINAL})`, {
    min: 1,
    max: 1_000_000,
  }),
  all: flag('--all', 'all events, even on a terminal'),
};
type Values = ValuesOf<typeof OPTIONS> & { pattern: string[] };

export default command({
  summary: 'show the audit log',
  section: 'Peels',
  needs: 'fleet',
  arguments: { pattern: words("only peels whose ID matches one of these, such as 'web-*'") },
  options: OPTIONS,
  notes: `
Each event records the author, the action, the key, the time and the source address. The oldest comes first; with
--json, each event is one line. After an outage, --follow resumes where it stopped and skips nothing.`,
  examples: [
    'zester audit --last 20',
    "zester audit 'web-*' --kind 'peel.*,key.revoked' --since 7d",
    `zester audit --follow --json | jq -c 'select(.kind == "connection.refused")'`,
  ],
  async run(input, context) {
    const { io, output, fleet } = context;
    const query = await queryOf(input, output.json, io);
    const print = (event: AuditEvent) => output.event(auditLine(event), event);
    if (input.follow) return await follow(await fleet(), query, print, context);
    for await (const event of readAudit(await fleet(), query, undefined)) print(event);
    if (query.last !== undefined && input.last === undefined)
      output.note(`showing at most the last ${query.last} events; use --all for all`);
  },
});

async function queryOf(input: Values, json: boolean, io: CliIo): Promise<AuditQuery> {
  const { patterns, kinds } = (await import('../../options/audit-words.js')).auditWords(
    input.pattern,
    input.kind,
  );
  const { peel, since, until, last, all, follow: following } = input;
  if (peel !== undefined) (await import('../../../permissions/peel-id.js')).validatePeelId(peel);
  if (peel !== undefined && patterns.length > 0) throw new UsageError('pass IDs or --peel, not both');
  if (until !== undefined && following) throw new UsageError('--follow and --until cannot be combined');
  if (all && last !== undefined) throw new UsageError('pass --all or --last, not both');
  if (patterns.length > 100) throw new UsageError('too many patterns: pass at most 100');
  for (const pattern of patterns) requirePeelPattern(pattern);
  const some = since !== undefined || until !== undefined || all || json;
  const limit = last ?? (io.stdout.isTTY && !some ? ON_TERMINAL : undefined);
  return {
    ...(peel !== undefined && { peelId: peel }),
    ...(patterns.length > 0 && { patterns }),
    ...(kinds !== undefined && { kinds }),
    ...(since !== undefined && { since: new Date(since).toISOString() }),
    ...(until !== undefined && { until: new Date(until).toISOString() }),
    ...(limit !== undefined && { last: limit }),
  };
}

async function follow(
  admin: Admin,
  query: AuditQuery,
  onEvent: (event: AuditEvent) => void,
  { io, output, interruption }: FleetContext,
): Promise<void> {
  const { lost } = io.stdout;
  await followAudit(admin, query, {
    onEvent,
    onWait: (why) => output.warn(`the audit log is temporarily unreadable; retrying: ${why}`),
    onRestart: () =>
      output.warn('the audit stream was deleted and recreated: run "zester doctor --integrity"'),
    // stop when the reader of the output has exited
    signal: AbortSignal.any([interruption(), ...(lost === undefined ? [] : [lost])]),
  });
}
