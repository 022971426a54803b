// `zester keys export-identity`: move the identity seeds out of the home, to keep offline.
import { command } from '../../command/declaration.js';
import { argument, flag } from '../../command/option.js';
import { confirm } from '../../terminal/confirm.js';
import { table } from '../../terminal/output.js';

export default command({
  summary: 'move the identity seeds out of the home, to keep offline',
  needs: 'home',
  arguments: { dir: argument('where they go; created (0700) if missing') },
  options: { yes: flag('-y, --yes', 'do not ask') },
  notes: `
They are the operator's and the account's. Everything works without them but "zester init", adding and removing signing keys of
the operator, and signing master and admin credentials again. For those, put them back into keys/ for as long as the command
runs.`,
  examples: ['zester keys export-identity /media/safe/zester'],
  async run({ dir, yes }, { io, output, home }) {
    await confirm(io, `this moves the identity seeds to ${dir}`, yes);
    const { exportIdentity } = await import('../../../trust/keys/export-identity.js');
    const exported = await exportIdentity(home, dir);
    output.result(
      table(exported.map(({ role, publicKey, to }) => [role, `${output.key(publicKey)}  ${to}`] as const)),
      { exported },
    );
    output.note('make a second copy, and keep both offline: without them the trust domain cannot be renewed');
  },
});
