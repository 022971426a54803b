import type { Command } from 'commander';
import type { AuditEvent } from '../../fleet/audit-event.js';
import { AUDIT_SUBJECTS } from '../../fleet/subjects.js';
import { wholeNumber } from '../bulk/issuer-options.js';
import { parsePast, PAST_FORM } from '../duration.js';
import { asAdmin, withAdminOptions, type Admin, type AdminOptions } from '../fleet/admin.js';
import { auditLine } from '../fleet/audit-lines.js';
import { ToldOnce } from '../fleet/told-once.js';
import type { CliIo } from '../io.js';
import { Output, type GlobalOptions } from '../output.js';

interface Options extends GlobalOptions, AdminOptions {
  follow?: boolean;
  peel?: string;
  since?: string;
  last?: string;
}

/** `zester audit`: what was decided, by whom, and when. */
export function registerAudit(parent: Command, io: CliIo): void {
  withAdminOptions(parent.command('audit'))
    .description('show what was decided, by whom, about which key, when and from where; the oldest first')
    .option('-f, --follow', 'go on with what comes, until Ctrl-C')
    .option('--peel <id>', 'only what is about this peel')
    .option('--since <time>', `only from then on: ${PAST_FORM}`)
    .option('-n, --last <n>', 'only the last so many')
    .addHelpText(
      'after',
      `
With --json, an event a line.

Examples:
  $ zester audit --last 20
  $ zester audit --peel web-01 --since 7d
  $ zester audit --follow --json | jq -c 'select(.kind == "connection.refused")'`,
    )
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      const { peel, since, last } = options;
      if (peel !== undefined) (await import('../../permissions/peel-id.js')).validatePeelId(peel);
      const query = {
        ...(peel !== undefined && { peelId: peel }),
        ...(since !== undefined && { since: new Date(parsePast(since, io.now())).toISOString() }),
        ...(last !== undefined && { last: wholeNumber('--last', last, 1, 1_000_000) }),
      };
      const output = new Output(io, options);
      const tell = (event: AuditEvent) => output.event(auditLine(event), event);
      await asAdmin(options, io, async (admin) => {
        if (options.follow === true) await follow(admin, query, tell, io);
        else await history(admin, query, tell);
      });
    });
}

interface Query {
  peelId?: string;
  since?: string;
  last?: number;
}

async function history(admin: Admin, query: Query, tell: (event: AuditEvent) => void): Promise<void> {
  for await (const { events } of admin.client.stream('audit', query)) {
    for (const event of events) tell(event as AuditEvent);
  }
}

/** Listens first and reads what was before second: so nothing falls in between, and what comes twice is told once. */
async function follow(
  admin: Admin,
  query: Query,
  tell: (event: AuditEvent) => void,
  io: CliIo,
): Promise<void> {
  const { parseEvent } = await import('../../fleet/parse-event.js');
  const { peelId } = query;
  const { nc } = admin;
  const known = new ToldOnce();
  const tellOnce = (event: AuditEvent): void => {
    if (known.add(event.id)) tell(event);
  };
  const early: AuditEvent[] = [];
  let hear = (event: AuditEvent): void => void early.push(event);
  const subscription = nc.subscribe(peelId === undefined ? AUDIT_SUBJECTS : `zester.audit.${peelId}.>`, {
    callback: (error, message) => {
      const event = error === null ? parseEvent(message.data) : undefined;
      if (event !== undefined) hear(event);
    },
  });
  const stopped = new Promise<void>((resolve) => {
    const stopListening = io.onInterrupt(() => {
      stopListening();
      resolve();
    });
  });
  await nc.flush();
  await history(admin, query, tellOnce);
  early.forEach(tellOnce);
  hear = tellOnce;
  await Promise.race([stopped, nc.closed()]);
  subscription.unsubscribe();
}
