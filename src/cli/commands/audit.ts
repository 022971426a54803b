import type { Command } from 'commander';
import { UsageError } from '../../errors.js';
import type { AuditEvent } from '../../fleet/audit-event.js';
import { matchesAuditQuery, type AuditQuery } from '../../fleet/audit-query.js';
import { wholeNumber } from '../command/option.js';
import { parsePast, PAST_FORM } from '../duration.js';
import { asAdmin, withAdminOptions, type Admin, type AdminOptions } from '../fleet/admin.js';
import { auditLine } from '../fleet/audit-lines.js';
import { followAudit } from '../fleet/follow-audit.js';
import type { CliIo } from '../io.js';
import { Output, type GlobalOptions } from '../output.js';
import { requirePeelPattern } from '../peel-pattern.js';

interface Options extends GlobalOptions, AdminOptions {
  follow?: boolean;
  all?: boolean;
  peel?: string;
  kind?: string[];
  since?: string;
  until?: string;
  last?: string;
}

/** How many events a terminal gets where nothing says how many. */
const ON_TERMINAL = 50;

/** `zester audit`: what was decided, by whom, and when. */
export function registerAudit(parent: Command, io: CliIo): void {
  withAdminOptions(parent.command('audit'))
    .description('show the audit log: what was decided, by whom, about which key, when and from where')
    .argument('[pattern...]', "only peels whose ID matches one of these, such as 'web-*'")
    .option('-f, --follow', 'show new events as they are written, until Ctrl-C')
    .option('--peel <id>', 'only events about this peel')
    .option('--kind <kind...>', "only events of these kinds, such as connection.refused or 'key.*'")
    .option('--since <time>', `only events from then on: ${PAST_FORM}`)
    .option('--until <time>', 'only events up to then')
    .option('-n, --last <n>', `only the last n events (default on a terminal: ${ON_TERMINAL})`)
    .option('--all', 'all events, on a terminal too')
    .addHelpText(
      'after',
      `
The oldest comes first. With --json, one event a line. --follow resumes after an outage where it stopped: nothing that was
written meanwhile is left out.

Examples:
  $ zester audit --last 20
  $ zester audit 'web-*' --kind 'peel.*' key.revoked --since 7d
  $ zester audit --follow --json | jq -c 'select(.kind == "connection.refused")'`,
    )
    .action(async (patterns: string[], _options, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      const output = new Output(io, options);
      const query = await queryOf(patterns, options, io);
      const tell = (event: AuditEvent) => output.event(auditLine(event), event);
      await asAdmin(options, io, async (admin) => {
        if (options.follow === true) await follow(admin, query, tell, output, io);
        else await history(admin, query, tell);
      });
      if (query.last !== undefined && options.last === undefined && options.follow !== true)
        output.note(`the last ${query.last} events at most; --all shows all of them`);
    });
}

async function queryOf(patterns: readonly string[], options: Options, io: CliIo): Promise<AuditQuery> {
  const { peel, kind, since, until, last, all, follow: following } = options;
  if (peel !== undefined) (await import('../../permissions/peel-id.js')).validatePeelId(peel);
  if (peel !== undefined && patterns.length > 0) throw new UsageError('give IDs or --peel, not both');
  if (until !== undefined && following === true)
    throw new UsageError('--follow does not end: leave out --until');
  if (all === true && last !== undefined) throw new UsageError('give --all or --last, not both');
  if (patterns.length > 100) throw new UsageError('give at most 100 patterns');
  for (const pattern of patterns) requirePeelPattern(pattern);
  if (kind !== undefined) await checkKinds(kind);
  const timeOf = (text: string) => new Date(parsePast(text, io.now())).toISOString();
  const some = since !== undefined || until !== undefined || all === true || options.json === true;
  const byDefault = io.stdout.isTTY && !some ? ON_TERMINAL : undefined;
  const count = last === undefined ? byDefault : wholeNumber('--last', last, 1, 1_000_000);
  return {
    ...(peel !== undefined && { peelId: peel }),
    ...(patterns.length > 0 && { patterns }),
    ...(kind !== undefined && { kinds: kind }),
    ...(since !== undefined && { since: timeOf(since) }),
    ...(until !== undefined && { until: timeOf(until) }),
    ...(count !== undefined && { last: count }),
  };
}

/** @throws UsageError where a kind is asked for that there is not: nothing would be shown, and nobody would know why */
async function checkKinds(kinds: readonly string[]): Promise<void> {
  const { AUDIT_KINDS } = await import('../../fleet/audit-event.js');
  const { matchesGlob } = await import('../../fleet/glob.js');
  for (const kind of kinds) {
    if (!AUDIT_KINDS.some((known) => matchesGlob(kind, known)))
      throw new UsageError(`--kind "${kind}" is no kind of event: they are ${AUDIT_KINDS.join(', ')}`);
  }
}

async function history(admin: Admin, query: AuditQuery, tell: (event: AuditEvent) => void): Promise<void> {
  const { patterns, kinds, ...rest } = query;
  const request = {
    ...rest,
    ...(patterns && { patterns: [...patterns] }),
    ...(kinds && { kinds: [...kinds] }),
  };
  for await (const { events } of admin.client.stream('audit', request)) {
    // a master of before does not know all that can be asked
    for (const event of events as AuditEvent[]) if (matchesAuditQuery(query, event)) tell(event);
  }
}

async function follow(
  admin: Admin,
  query: AuditQuery,
  tell: (event: AuditEvent) => void,
  output: Output,
  io: CliIo,
): Promise<void> {
  const stopping = new AbortController();
  const stopListening = io.onInterrupt(() => stopping.abort());
  try {
    await followAudit(admin, query, {
      tell,
      wait: (why) => output.warn(`the audit cannot be read at the moment, and goes on when it can: ${why}`),
      restarted: () =>
        output.warn('the audit stream was deleted and begins anew: see "zester doctor --integrity"'),
      signal: stopping.signal,
    });
  } finally {
    stopListening();
  }
}
