// `zester audit retention`: show or set the retention of the audit log.
import { UsageError } from '../../../errors.js';
import type { RetentionVerdict } from '../../../account/judge-retention.js';
import { command } from '../../command/declaration.js';
import { flag, option, seedFile } from '../../command/option.js';
import { bytesText, parseBytes } from '../../options/bytes.js';
import { parseSpan } from '../../options/duration.js';
import { confirm } from '../../terminal/confirm.js';
import { SHORTEST_AUDIT_RETENTION_MS } from '../../../timing.js';

const DAY = 86_400_000;

export default command({
  summary: 'show or set the retention of the audit log',
  needs: 'system',
  options: {
    auditRetention: option(
      '--audit-retention <time>',
      'keep events for this time, such as 400d, or forever',
      readAge,
    ),
    auditSize: option('--audit-size <size>', 'keep at most this much, such as 5G, or unlimited', (text) =>
      text === 'unlimited' ? 0 : parseBytes('--audit-size', text),
    ),
    accountSeed: seedFile('--account-seed <file>', "the account's identity seed, if it is offline"),
    yes: flag('-y, --yes', 'skip the confirmation'),
  },
  notes: `
Without options, shows the current limits. A new fleet keeps events for 400 days. Masters and admins cannot change the
limits: the account's identity seed signs a user for this purpose, valid for two minutes. Doctor and the masters' log
warn before events are deleted, and the masters audit the deletion (audit.trimmed). Export first: zester audit --all
--json > audit.ndjson.`,
  examples: [
    'zester audit retention',
    'zester audit retention --audit-retention 3650d --account-seed /media/usb/account.seed',
  ],
  async run({ auditRetention: maxAgeMs, auditSize: maxBytes, accountSeed, yes }, { io, output, system }) {
    const { home, ...options } = await system();
    const retention = await import('../../../account/audit-retention.js');
    const before = await retention.auditRetention(home, options);
    if (maxAgeMs === undefined && maxBytes === undefined) return output.result(linesOf(before), before);
    if (shortens(before, { maxAgeMs, maxBytes }, io.now()))
      await confirm(io, `this deletes events beyond the new limits, the oldest from ${before.oldest}`, yes);
    const now = await retention.setAuditRetention(
      home,
      { ...(maxAgeMs !== undefined && { maxAgeMs }), ...(maxBytes !== undefined && { maxBytes }) },
      { ...options, ...(accountSeed !== undefined && { accountSeed }) },
    );
    output.result(linesOf(now), now);
  },
});

function readAge(text: string): number {
  if (text === 'forever') return 0;
  const ms = parseSpan('--audit-retention', text);
  if (ms < SHORTEST_AUDIT_RETENTION_MS) throw new UsageError('--audit-retention is at least 1d');
  return ms;
}

/** Whether the change may delete events. */
function shortens(
  { oldest, bytes }: RetentionVerdict,
  { maxAgeMs = 0, maxBytes = 0 }: { maxAgeMs: number | undefined; maxBytes: number | undefined },
  now: number,
): boolean {
  const isOlder = oldest !== undefined && maxAgeMs > 0 && Date.parse(oldest) < now - maxAgeMs;
  return isOlder || (maxBytes > 0 && bytes > maxBytes);
}

function linesOf({ retention: { maxAgeMs, maxBytes }, oldest, deleted, soon }: RetentionVerdict): string[] {
  const age = maxAgeMs === 0 ? 'forever' : `for ${Math.round(maxAgeMs / DAY)} days`;
  return [
    `events are kept ${age}, ${maxBytes === 0 ? 'without a size limit' : `and at most ${bytesText(maxBytes)} of them`}`,
    oldest === undefined ? 'there are no events' : `the oldest event is from ${oldest}`,
    ...(deleted === 'age' || deleted === 'size'
      ? [`earlier events were deleted by the ${deleted} limit`]
      : []),
    ...(deleted === 'unexplained'
      ? ['earlier events are missing, and these limits did not delete them']
      : []),
    ...(soon === undefined
      ? []
      : [`the ${soon} limit will soon delete events: export them, or raise the limit`]),
  ];
}
