// `zester master install`: create the home of an invited master.
import { argument, requiredText, text } from '../../command/option.js';
import { command } from '../../command/declaration.js';

export default command({
  summary: 'create the home of a second master from an invitation',
  needs: 'home',
  arguments: { file: argument('the invitation') },
  options: {
    identity: requiredText('-i, --identity <file>', 'the age identity file (AGE-SECRET-KEY-…)'),
    operator: text('--operator <key>', 'refuse an invitation from any other operator (O…)'),
  },
  notes: `
Checks the whole invitation, then writes the home. Refuses a non-empty directory, and overwrites nothing. Needs no
server. Afterwards, start the master and delete the invitation.`,
  examples: [
    'zester master install host-b.age -i key.txt',
    ['zester master --servers tls://n1.acme:4222 --policy auto-trusted', 'then'],
  ],
  async run({ file, identity, operator }, { io, output, home }) {
    const { readIdentities } = await import('../../../backup/age-identities.js');
    const { installInvite } = await import('../../../masters/install-invite.js');
    const identities = await readIdentities(identity);
    const installed = await installInvite(file, home, { identities, operator, now: io.now });
    const { name, account } = installed;
    output.result(
      [
        `${home}: the home of the master "${name}"`,
        `operator "${installed.operator.name}" (${installed.operator.publicKey}), account "${account.name}"`,
      ],
      installed,
    );
    output.note(`delete ${file} and the identity: anyone with both can act as this master`);
  },
});
