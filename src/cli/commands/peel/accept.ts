// `zester peel accept`: accept pending peels.
import { UsageError } from '../../../errors.js';
import { command } from '../../command/declaration.js';
import { text, words } from '../../command/option.js';
import { decideOnEach } from '../../fleet/decide-on-each.js';
import { peelDocument } from '../../fleet/peel-document.js';
import { labelsOption } from '../../options/label-options.js';

export default command({
  summary: 'accept pending peels',
  needs: 'fleet',
  arguments: { peelId: words('peel IDs', { atLeastOne: true }) },
  options: {
    fingerprint: text('--fingerprint <text>', 'accept only a key with this fingerprint (one ID)'),
    label: labelsOption('label for the peels, e.g. env=prod; repeatable'),
    reason: text('--reason <text>', 'recorded in the audit log'),
  },
  notes: `
"zester peel list --state pending" shows the fingerprints of pending peels, and a joining peel shows its own. Compare
them: another host could have requested the same ID.`,
  examples: [
    'zester peel accept web-01 --fingerprint 5b1f-09aa-3cd2-8841-77e0',
    "zester peel accept web-01 web-02 --label env=prod --label rack=7 --reason 'new rack'",
  ],
  async run({ peelId: ids, fingerprint: wanted, label: labels, reason }, context) {
    if (wanted !== undefined && ids.length > 1) throw new UsageError('--fingerprint needs exactly one ID');
    await decideOnEach(ids, context, {
      done: 'accepted',
      decide: async (peelId) => {
        const { peels } = (await context.fleet()).fleet;
        return peelDocument(await peels.accept(peelId, { fingerprint: wanted, reason, labels }));
      },
    });
  },
});
