// `zester permissions migrate`: bring the permissions of an older fleet up to date.
import { FindingsError, ZesterError } from '../../../errors.js';
import type { migrate as migrateOf, planMigration as planOf } from '../../../account/migrate.js';
import type { LostGrant } from '../../../trust/migration.js';
import { pushedLine } from '../../options/change-options.js';
import { count as countWords } from '../../terminal/columns.js';
import type { ContextOf } from '../../command/context.js';
import { command } from '../../command/declaration.js';
import { count, flag, seedFile, span } from '../../command/option.js';
import { confirm } from '../../terminal/confirm.js';
import type { ReissuedPeel } from '../../fleet/reissue-peels.js';
import type { Output } from '../../terminal/output.js';

/** An unsafe item that remains when the command ends. */
interface Remaining {
  what: string;
  why: string;
  fix: string;
}

type Plan = Awaited<ReturnType<typeof planOf>>;
type Done = Awaited<ReturnType<typeof migrateOf>>;
interface Reissued {
  peels: ReissuedPeel[];
  remaining: Remaining[];
}

export default command({
  summary: 'upgrade the permissions of an older fleet',
  needs: 'operator',
  options: {
    dryRun: flag('--dry-run', 'show the changes without making them'),
    accountSeed: seedFile('--account-seed <file>', "the account's identity seed, if it is offline"),
    limit: count(
      '--limit <n>',
      'maximum number of peels that get a new JWT at once',
      { min: 1, max: 1_000_000 },
      '10',
    ),
    timeout: span('--timeout <time>', 'timeout for each peel', '1m'),
    yes: flag('-y, --yes', 'skip the confirmation'),
  },
  notes: `
Steps, in this order; run the command again to resume:

  1. The templates of peels and join tokens lose "responses", and get limits.
     One push; each peel reconnects once.
  2. --account-seed re-signs master.creds and admin.creds, and creates
     master-answers.creds if it is missing. Then restart the masters, and
     replace the copies on other hosts: the old files are revoked.
  3. The fleet's streams permanently refuse roll-ups, purging and deletion; a
     short-lived user signed by --account-seed changes them. Upgrade all masters
     first: an earlier version cannot remove old join tokens then.
  4. Peels with permissions in their own JWT get a scoped one; the old JWT is
     revoked.

Exit code 1 if something is left; the output names it.`,
  examples: [
    'zester permissions migrate --dry-run',
    'zester permissions migrate --account-seed /media/usb/account.seed --yes',
  ],
  async run({ dryRun, accountSeed, limit, timeout, yes }, context) {
    const { io, output } = context;
    const { home, ...rest } = await context.system();
    const { migrate, planMigration } = await import('../../../account/migrate.js');
    const plan = await planMigration(home, rest);
    for (const lost of plan.lost) output.warn(lostLine(lost));
    if (plan.unguarded.length > 0) {
      output.warn(
        "the fleet's streams will permanently refuse roll-ups: upgrade all masters first, since a master of an earlier version " +
          'can then no longer create join tokens',
      );
    }
    if (dryRun) return showPlan(plan, output);
    if (plan.unguarded.length > 0 && plan.templates.length + plan.outdated.length === 0) {
      await confirm(io, "this changes the fleet's streams", yes);
    } else if (plan.templates.length > 0 || plan.outdated.length > 0) {
      await confirm(io, 'this changes the permissions of every peel, and drops each connection once', yes);
    }
    const done = await migrate(home, { ...rest, ...(accountSeed !== undefined && { accountSeed }) });
    const fleet = await reissue(plan, { limit, timeoutMs: timeout }, context);
    const remaining = await remainingOf(await planMigration(home, rest), done, fleet);
    output.result(
      [
        ...plan.templates.map(({ role }) => `template ${role}: safe; ${pushedLine(done.templates)}`),
        ...done.signed.map(({ path }) => `${path}: re-signed`),
        ...done.streams.guarded.map((name) => `stream ${name}: guarded`),
        ...fleet.peels.map(({ peelId, outcome }) => `peel ${peelId}: ${outcome}`),
        ...remaining.map(({ what, why, fix }) => `LEFT ${what}: ${why}; ${fix}`),
        ...(remaining.length === 0 ? ['nothing left to migrate'] : []),
      ],
      {
        templates: templatesOf(plan),
        servers: done.templates ?? null,
        credentials: done.signed,
        streams: done.streams.guarded,
        peels: fleet.peels,
        lost: plan.lost,
        remaining,
      },
    );
    if (remaining.length > 0)
      throw new FindingsError(`${countWords(remaining.length, 'grant')} not migrated`);
  },
});

function templatesOf({ templates }: Plan): object[] {
  return templates.map(({ publicKey, role }) => ({ publicKey, role }));
}

function showPlan(plan: Plan, output: Output): void {
  const { templates, outdated, connected, unsafe, lost, unguarded } = plan;
  const nothing = [templates, outdated, connected, unsafe, unguarded].every(({ length }) => length === 0);
  output.result(
    [
      ...templates.map(({ role, publicKey }) => `template ${role} (${publicKey}): to be changed`),
      ...outdated.map(({ path }) => `${path}: to be re-signed`),
      ...unguarded.map(({ name, allows }) => `stream ${name}: to be guarded; it allows ${allows.join(', ')}`),
      ...connected.map(({ name, publicKey, why }) => `${name} (${publicKey}): ${why.join(', ')}`),
      ...unsafe.map(({ where, why }) => `${where}: ${why}`),
      ...(nothing ? ['nothing to do'] : []),
    ],
    {
      dryRun: true,
      templates: templatesOf(plan),
      credentials: outdated,
      streams: unguarded,
      connected,
      lost,
      remaining: unsafe,
    },
  );
}

/** The unsafe items that remain. */
async function remainingOf(after: Plan, done: Done, fleet: Reissued): Promise<Remaining[]> {
  const { isComplete } = await import('../../../account/push-account.js');
  const { templates, waiting, stillUsed } = done;
  const unconfirmed =
    templates === undefined || isComplete(templates)
      ? []
      : [...templates.notReached, ...templates.failed.map(({ server }) => server)];
  return [
    ...after.unsafe.map(({ where, why, fix }) => ({ what: where, why, fix })),
    ...(unconfirmed.length === 0
      ? []
      : [
          {
            what: 'the templates',
            why: `not confirmed by ${unconfirmed.join(', ')}`,
            fix: 'start those servers, then "zester account push"',
          },
        ]),
    ...waiting.map(({ path }) => ({
      what: path,
      why: "needs the account's identity seed, which is offline",
      fix: 'run this again with --account-seed FILE',
    })),
    ...streamsLeft(after, done),
    ...stillUsed.map((publicKey) => ({
      what: publicKey,
      why: 'the replaced JWT still works: a client is connected with it, or a server did not confirm',
      fix: 'copy the new file to the other hosts that use it, then run this again',
    })),
    ...fleet.remaining,
    ...after.connected
      // peels of the registry are listed above
      .filter(({ publicKey }) => !fleet.peels.some((peel) => peel.publicKey === publicKey))
      .map(({ name, publicKey, why }) => ({
        what: `${name} (${publicKey})`,
        why: `is connected with a JWT that ${why.join(' and ')}, and is not in the registry`,
        fix: `issue a new credential, and revoke this one: zester revoke --key ${publicKey}`,
      })),
  ];
}

function streamsLeft({ silent }: Plan, { streams, waitingStreams }: Done): Remaining[] {
  return [
    ...streams.failed.map(({ name, why }) => ({
      what: `the stream ${name}`,
      why: `is not guarded: ${why}`,
      fix: 'run this again',
    })),
    ...waitingStreams.map((name) => ({
      what: `the stream ${name}`,
      why: "needs the account's identity seed, which is offline",
      fix: 'run this again with --account-seed FILE',
    })),
    ...silent.map((server) => ({
      what: `the streams on ${server}`,
      why: 'are unknown: the server does not answer',
      fix: 'start it, then run this again',
    })),
  ];
}

function lostLine({ subject, why, grant }: LostGrant): string {
  const fix =
    grant === undefined
      ? 'use an answer subject that peels may publish to'
      : `zester permissions set --allow-publish '${grant}'`;
  return `the grant "${subject}" relied on responses: ${why}; ${fix}`;
}

/** The part that needs a master: the peels of the registry. */
async function reissue(
  plan: Plan,
  { limit, timeoutMs }: { limit: number; timeoutMs: number },
  { io, output, fleet, openHome, interruption }: ContextOf<'operator'>,
): Promise<Reissued> {
  if (plan.hasRegistry !== true) return { peels: [], remaining: [] };
  const { explicitPeels, reissuePeels } = await import('../../fleet/reissue-peels.js');
  const signal = interruption();
  const domain = await openHome();
  const weak = new Set(plan.connected.map(({ publicKey }) => publicKey));
  try {
    const admin = await fleet();
    const { accountClaims, publicKeys } = domain;
    const found = await explicitPeels(admin, accountClaims, publicKeys.peelSigning, weak, io.now());
    const options = {
      limit,
      timeoutMs,
      signal,
      onProgress: ({ done }: { done: ReadonlySet<string> }) =>
        output.note(`${done.size} of ${found.length} peels have a scoped JWT`),
      onFailed: (peelId: string, error: ZesterError) => output.warn(`${peelId}: ${error.message}`),
    };
    const peels = await reissuePeels(admin, found, options, io);
    return { peels, remaining: peels.flatMap(remainingPeel) };
  } catch (error) {
    if (!(error instanceof ZesterError)) throw error;
    const why = `those with permissions in their own JWT are unknown: ${error.message}`;
    return {
      peels: [],
      remaining: [{ what: 'the peels of the registry', why, fix: 'run this again when a master is running' }],
    };
  }
}

function remainingPeel({ peelId, publicKey, outcome }: ReissuedPeel): Remaining[] {
  const what = `the peel ${peelId} (${publicKey})`;
  if (outcome === 'reissued') return [];
  if (outcome === 'draining')
    return [
      {
        what,
        why: 'has a scoped JWT, but its old key is not revoked yet',
        fix: 'run this again in a minute',
      },
    ];
  return [
    {
      what,
      why: `still has a JWT with its own permissions: ${outcome}`,
      fix: `it gets one when it next renews; or run "zester peel add ${peelId} --replace"`,
    },
  ];
}
