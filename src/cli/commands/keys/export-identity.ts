// `zester keys export-identity`: move the identity seeds out of the home, to keep offline.
import { command } from '../../command/declaration.js';
import { argument, flag } from '../../command/option.js';
import { confirm } from '../../terminal/confirm.js';
import { table } from '../../terminal/output.js';

export default command({
  summary: 'move the identity seeds out of the home, to keep them offline',
  needs: 'home',
  arguments: { dir: argument('destination; created (0700) if missing') },
  options: { yes: flag('-y, --yes', 'skip the confirmation') },
  notes: `
These are the seeds of the operator and the account. Masters, peels and most commands do not need them. The operator's is
needed to add and remove its signing keys: put it back into keys/ while the command runs. The account's is needed to add
admins, set the audit retention, migrate permissions, and for "zester keys add master-signing" and "zester creds renew
--admin": pass it with --account-seed.`,
  examples: ['zester keys export-identity /media/safe/zester'],
  async run({ dir, yes }, { io, output, home }) {
    await confirm(io, `this moves the identity seeds to ${dir}`, yes);
    const { exportIdentity } = await import('../../../trust/keys/export-identity.js');
    const exported = await exportIdentity(home, dir);
    output.result(
      table(exported.map(({ role, publicKey, to }) => [role, `${output.key(publicKey)}  ${to}`] as const)),
      { exported },
    );
    output.note(
      "make a second copy and keep both offline: without them, you cannot replace the operator's signing keys or add admins",
    );
  },
});
