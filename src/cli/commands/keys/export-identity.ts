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
These are the seeds of the operator and the account. Everything works without them except "zester init", adding and
removing signing keys of the operator, and re-signing master and admin credentials. For these, put the seeds back into
keys/ while the command runs.`,
  examples: ['zester keys export-identity /media/safe/zester'],
  async run({ dir, yes }, { io, output, home }) {
    await confirm(io, `this moves the identity seeds to ${dir}`, yes);
    const { exportIdentity } = await import('../../../trust/keys/export-identity.js');
    const exported = await exportIdentity(home, dir);
    output.result(
      table(exported.map(({ role, publicKey, to }) => [role, `${output.key(publicKey)}  ${to}`] as const)),
      { exported },
    );
    output.note('make a second copy and keep both offline: without them the trust domain cannot be renewed');
  },
});
