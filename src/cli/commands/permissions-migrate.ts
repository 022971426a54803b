import type { Command } from 'commander';
import { FindingsError, UsageError, ZesterError } from '../../errors.js';
import type { LostGrant } from '../../trust/migration.js';
import { pushedLine, systemOptions, type SystemOptions } from '../change-options.js';
import { count } from '../columns.js';
import { confirm } from '../confirm.js';
import { parseSpan, SPAN_FORM } from '../duration.js';
import { asAdmin, withAdminOptions, type AdminOptions } from '../fleet/admin.js';
import type { ReissuedPeel } from '../fleet/reissue-peels.js';
import type { CliIo } from '../io.js';
import { Output, type GlobalOptions } from '../output.js';

interface Options extends GlobalOptions, AdminOptions, SystemOptions {
  accountSeed?: string;
  timeout: string;
  limit: string;
  dryRun?: boolean;
  yes?: boolean;
}

/** Something that is not as safe as it should be, when the command ends. */
interface Remaining {
  what: string;
  why: string;
  fix: string;
}

/** `zester permissions migrate`: makes a trust domain and a fleet of an earlier version as safe as new ones. */
export function registerPermissionsMigrate(parent: Command, io: CliIo): void {
  withAdminOptions(parent.command('migrate'))
    .description('make the permissions of a fleet that an earlier version made as safe as those of a new one')
    .option('--dry-run', 'say what would be done, and change nothing')
    .option(
      '--account-seed <file>',
      "the account's identity seed, where it is offline: it signs master.creds and admin.creds",
    )
    .option('--system-creds <file>', "credentials of a user of the system account (default: the home's)")
    .option('--limit <n>', 'maximum number of peels that take a new JWT at once', '10')
    .option('--timeout <time>', `how long one peel may take: ${SPAN_FORM}`, '1m')
    .option('-y, --yes', 'do not ask')
    .addHelpText(
      'after',
      `
What it does, in this order; run again, it goes on:
  1. The templates of peels and join tokens lose "responses", and get limits. One push; each peel reconnects once.
  2. master.creds and admin.creds are signed again, and master-answers.creds is made where it is missing: restart the
     masters then. Copies of the old files on other hosts end: copy the new ones there.
  3. Peels whose JWT carries its own permissions take a scoped one, and the old one is revoked.
It ends with 1 when something is left, and names it.

Examples:
  $ zester permissions migrate --dry-run
  $ zester permissions migrate --account-seed /media/usb/account.seed --yes`,
    )
    .action(async (_options, command: Command) => {
      await run(command.optsWithGlobals<Options>(), io);
    });
}

async function run(options: Options, io: CliIo): Promise<void> {
  const output = new Output(io, options);
  const timeoutMs = parseSpan('--timeout', options.timeout);
  const limit = Number(options.limit);
  if (!Number.isInteger(limit) || limit < 1) throw new UsageError('--limit: give a whole number from 1 on');
  const { home, ...rest } = await systemOptions(options, io, output);
  const { migrate, planMigration } = await import('../../nats-server/migrate.js');
  const { isComplete } = await import('../../nats-server/push-account.js');
  const plan = await planMigration(home, rest);
  for (const lost of plan.lost) output.warn(lostLine(lost));
  const planned = {
    templates: plan.templates.map(({ publicKey, role }) => ({ publicKey, role })),
    credentials: plan.outdated,
    connected: plan.connected,
    lost: plan.lost,
  };
  if (options.dryRun === true) {
    output.result(
      [
        ...planned.templates.map(({ role, publicKey }) => `template ${role} (${publicKey}): to be changed`),
        ...planned.credentials.map(({ path }) => `${path}: to be signed again`),
        ...planned.connected.map(({ name, publicKey, why }) => `${name} (${publicKey}): ${why.join(', ')}`),
        ...plan.unsafe.map(({ where, why }) => `${where}: ${why}`),
        ...(isNothing(planned, plan.unsafe) ? ['nothing is to be done'] : []),
      ],
      { dryRun: true, ...planned, remaining: plan.unsafe },
    );
    return;
  }
  if (planned.templates.length > 0 || planned.credentials.length > 0) {
    await confirm(io, 'this changes what every peel may do, and drops their connections once', options.yes);
  }
  const done = await migrate(home, {
    ...rest,
    ...(options.accountSeed !== undefined && { accountSeed: options.accountSeed }),
  });
  const fleet = await reissue(options, home, plan, { limit, timeoutMs }, io, output);
  const after = await planMigration(home, rest);
  const remaining: Remaining[] = [
    ...after.unsafe.map(({ where, why, fix }) => ({ what: where, why, fix })),
    ...(done.templates === undefined || isComplete(done.templates)
      ? []
      : [
          {
            what: 'the templates',
            why: `not confirmed by ${[...done.templates.notReached, ...done.templates.failed.map(({ server }) => server)].join(', ')}`,
            fix: 'start those servers, then "zester account push"',
          },
        ]),
    ...done.waiting.map(({ path }) => ({
      what: path,
      why: "waits for the account's identity seed, which is offline",
      fix: 'run this again with --account-seed FILE',
    })),
    ...done.stillUsed.map((publicKey) => ({
      what: publicKey,
      why: 'the JWT that was replaced is still in force: somebody is connected with it, or a server did not confirm',
      fix: 'copy the new file to the other hosts that use it, then run this again',
    })),
    ...fleet.remaining,
    ...after.connected
      // those of the registry have been told of
      .filter(({ publicKey }) => !fleet.peels.some((peel) => peel.publicKey === publicKey))
      .map(({ name, publicKey, why }) => ({
        what: `${name} (${publicKey})`,
        why: `is connected with a JWT that ${why.join(' and ')}, and is no peel of the registry`,
        fix: `issue it again, and revoke this one: zester revoke --key ${publicKey}`,
      })),
  ];
  output.result(
    [
      ...plan.templates.map(({ role }) => `template ${role}: safe; ${pushedLine(done.templates)}`),
      ...done.signed.map(({ path }) => `${path}: signed again`),
      ...fleet.peels.map(({ peelId, outcome }) => `peel ${peelId}: ${outcome}`),
      ...remaining.map(({ what, why, fix }) => `LEFT ${what}: ${why}; ${fix}`),
      ...(remaining.length === 0 ? ['nothing is left'] : []),
    ],
    {
      templates: planned.templates,
      servers: done.templates ?? null,
      credentials: done.signed,
      peels: fleet.peels,
      lost: plan.lost,
      remaining,
    },
  );
  if (remaining.length > 0) {
    throw new FindingsError(`${count(remaining.length, 'grant')} not migrated`);
  }
}

function isNothing(
  {
    templates,
    credentials,
    connected,
  }: { templates: unknown[]; credentials: unknown[]; connected: unknown[] },
  unsafe: readonly unknown[],
): boolean {
  return [templates, credentials, connected, unsafe].every(({ length }) => length === 0);
}

function lostLine({ subject, why, grant }: LostGrant): string {
  const fix =
    grant === undefined
      ? 'answer on a subject that peels may publish to'
      : `zester permissions set --allow-publish '${grant}'`;
  return `the grant "${subject}" relied on responses: ${why}; ${fix}`;
}

/** The part that needs a master: the peels of the registry. */
async function reissue(
  options: Options,
  home: string,
  plan: { connected: readonly { publicKey: string }[]; hasRegistry: boolean | undefined },
  { limit, timeoutMs }: { limit: number; timeoutMs: number },
  io: CliIo,
  output: Output,
): Promise<{ peels: ReissuedPeel[]; remaining: Remaining[] }> {
  if (plan.hasRegistry !== true) return { peels: [], remaining: [] };
  const { explicitPeels, reissuePeels } = await import('../fleet/reissue-peels.js');
  const { openTrustDomain } = await import('../../trust/open.js');
  const interruption = new AbortController();
  const stopListening = io.onInterrupt(() => interruption.abort());
  try {
    const domain = await openTrustDomain(home);
    const peels = await asAdmin(options, io, async (admin) => {
      const weak = new Set(plan.connected.map(({ publicKey }) => publicKey));
      const found = await explicitPeels(
        admin,
        domain.accountClaims,
        domain.publicKeys.peelSigning,
        weak,
        io.now(),
      );
      return reissuePeels(
        admin,
        found,
        {
          limit,
          timeoutMs,
          signal: interruption.signal,
          onProgress: ({ done }) => output.note(`${done.size} of ${found.length} peels have a scoped JWT`),
          onFailed: (peelId, error) => output.warn(`${peelId}: ${error.message}`),
        },
        io,
      );
    });
    const remaining = peels.flatMap(({ peelId, publicKey, outcome }): Remaining[] =>
      outcome === 'reissued'
        ? []
        : [
            {
              what: `the peel ${peelId} (${publicKey})`,
              why:
                outcome === 'draining'
                  ? 'has a scoped JWT, and its old key is not revoked yet'
                  : `has a JWT with its own permissions, and did not take another: ${outcome}`,
              fix:
                outcome === 'draining'
                  ? 'run this again in a minute'
                  : `it takes one when it next renews; else "zester peel add ${peelId} --replace"`,
            },
          ],
    );
    return { peels, remaining };
  } catch (error) {
    if (!(error instanceof ZesterError)) throw error;
    return {
      peels: [],
      remaining: [
        {
          what: 'the peels of the registry',
          why: `those with permissions in their own JWT are not known: ${error.message}`,
          fix: 'run this again when a master runs',
        },
      ],
    };
  } finally {
    stopListening();
  }
}
