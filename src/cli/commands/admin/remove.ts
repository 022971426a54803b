// `zester admin remove`: revoke an admin on every server.
import { command } from '../../command/declaration.js';
import { argument, flag, text } from '../../command/option.js';
import { pushedLine } from '../../options/change-options.js';
import { confirm } from '../../terminal/confirm.js';

export default command({
  summary: 'revoke an admin on every server',
  needs: 'system',
  arguments: { name: argument('the admin\'s name as in "zester admin list", or its public key (U…)') },
  options: {
    reason: text('--reason <text>', 'recorded in the audit log'),
    yes: flag('-y, --yes', 'skip the confirmation'),
  },
  notes: `
Cuts the admin's connections; masters refuse its requests. Its past decisions stay. Exit code 0: every server has the
revocation. Otherwise 4, and the output names the servers: run the command again.`,
  examples: ['zester admin remove alice', "zester admin remove alice --yes --reason 'left the team'"],
  async run({ name, reason, yes }, { io, output, system, openHome }) {
    const { home, ...options } = await system();
    await confirm(io, `this locks out the admin "${name}"`, yes);
    const { removeAdmin } = await import('../../../admins/remove-admin.js');
    const { auditRemoved } = await import('../../../admins/audit-admin.js');
    const { requireComplete } = await import('../../../account/push-account.js');
    const { admin, report } = await removeAdmin(home, name, { ...options, now: io.now });
    output.result([`removed the admin "${admin.name}" (${admin.role}): ${pushedLine(report)}`], {
      name: admin.name,
      role: admin.role,
      publicKey: admin.publicKey,
      servers: report ?? null,
    });
    const by = 'zester admin remove';
    const isAudited = await auditRemoved(await openHome(), options, { admin, by, reason });
    if (!isAudited) output.note('not audited: no master has run on these servers yet');
    if (report !== undefined) requireComplete(report, `the revocation of the admin "${admin.name}"`);
  },
});
