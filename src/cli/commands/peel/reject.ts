// `zester peel reject`: reject peels, and revoke the credentials they have.
import { command } from '../../command/declaration.js';
import { flag, text, words } from '../../command/option.js';
import { confirm } from '../../terminal/confirm.js';
import { decideOnEach } from '../../fleet/decide-on-each.js';
import { peelDocument } from '../../fleet/peel-document.js';

export default command({
  summary: 'reject peels, and revoke their credentials',
  needs: 'fleet',
  arguments: { peelId: words('peel IDs', { atLeastOne: true }) },
  options: {
    reason: text('--reason <text>', 'recorded in the audit log, and sent to the peel'),
    yes: flag('-y, --yes', 'skip the confirmation'),
  },
  notes: 'A rejected ID can request to join again with a new key, and is then pending.',
  examples: ['zester peel reject web-99', "zester peel reject web-98 web-99 --reason 'not ours' --yes"],
  async run({ peelId: ids, reason, yes }, context) {
    const { io, output } = context;
    const { client } = await context.fleet();
    if (!yes) {
      for (const peelId of ids) {
        const { record, presence } = await client.ask('peel.show', { peelId, events: 0 });
        const { state, fingerprint, connected } = peelDocument(record, presence);
        output.note(`${peelId}: ${state}, key ${fingerprint ?? '(none)'}${connected ? ', connected' : ''}`);
      }
    }
    await confirm(io, `this locks out ${ids.join(', ')}`, yes);
    await decideOnEach(ids, context, {
      done: 'rejected',
      decide: async (peelId) => {
        const { record } = await client.ask('peel.reject', { peelId, ...(reason && { reason }) });
        return peelDocument(record);
      },
    });
  },
});
