// Removes a master's signing keys, audits it, and reports what was cut off.
import type { MasterDependents } from '../../masters/dependents.js';
import type { RosterEntry } from '../../masters/roster.js';
import type { ContextOf } from '../command/context.js';
import { pushedLine } from '../options/change-options.js';
import { count } from '../terminal/columns.js';

/** The facts about the removal. */
export interface Removal {
  /** The dependents that lose access. */
  cut: Pick<MasterDependents, 'peels' | 'expired' | 'tokens'> | { unknown: string };
  /** The number of peels that got a new key before. */
  renewed: number;
  now: boolean;
  reason: string | undefined;
}

/** Removes the remaining parts of a master, and reports it. @throws NatsServerError when a server did not confirm */
export async function removedMaster(
  master: RosterEntry,
  { cut, renewed, now, reason }: Removal,
  { output, system, openHome, fleet }: ContextOf<'operator'>,
): Promise<void> {
  const { home, ...options } = await system();
  const { removeMaster } = await import('../../masters/remove-master.js');
  const { judgeMasterRemoval } = await import('../../masters/dependents.js');
  const { auditDone } = await import('../../backup/audit-command.js');
  const { requireComplete } = await import('../../account/push-account.js');
  const { peels, expired, tokens } = 'unknown' in cut ? { peels: [], expired: [], tokens: [] } : cut;
  const removal = judgeMasterRemoval(
    home,
    master,
    'unknown' in cut ? cut : { peels, expired, tokens, connected: peels.length },
    { now },
  );
  // with --now, an admin of the stolen host is revoked, even the one of this command
  const keepUsers = now ? [] : [(await fleet()).publicKey];
  const report = await removeMaster(home, master.name, removal, {
    ...options,
    keepUsers,
    keepAdmin: !now,
  });
  const { name, keys, systemKeys, users } = master;
  const domain = await openHome();
  output.result(
    [
      `removed the master "${name}"; ${pushedLine(report)}`,
      ...(renewed === 0 ? [] : [`${count(renewed, 'peel')} got a new key before`]),
      ...peels.map(
        (peelId) => `cut off: ${peelId}; run "zester peel add ${peelId} --replace", or join it again`,
      ),
      ...expired.map(
        (peelId) =>
          `expired, and can no longer recover: ${peelId}; run "zester peel add ${peelId} --replace", or join it again`,
      ),
      ...tokens.map((token) => `join token ${token} no longer works: create another`),
    ],
    {
      master: name,
      now,
      keys: keys.map(({ publicKey }) => publicKey),
      systemKeys,
      users,
      renewed,
      cut: 'unknown' in cut ? null : peels,
      expired: 'unknown' in cut ? null : expired,
      tokens: 'unknown' in cut ? null : tokens,
      servers: report,
    },
  );
  if (users.length === 0)
    output.warn(
      `the users of "${name}" are not known, so they are not revoked: "zester revoke --creds" its master.creds, or its public keys`,
    );
  if (!keys.some(({ kind }) => kind === 'peel-signing'))
    output.warn(
      `"${name}" had a copy of another master's peel signing key: replace it ("zester keys add peel-signing")`,
    );
  if (now)
    output.note(
      `its host also had the operator's signing key ${domain.publicKeys.operatorSigning}: it cannot push without a user of the system account, but replace it ("zester keys add operator-signing")`,
    );
  const isAudited = await auditDone(domain, options, {
    kind: 'master.removed',
    by: 'zester master remove',
    reason,
    detail: { master: name, now, renewed, cut: peels.length, expired: expired.length, tokens: tokens.length },
  });
  if (!isAudited) output.note('not audited: no master has run on these servers yet');
  requireComplete(report, `the account without the master "${name}"`);
}
