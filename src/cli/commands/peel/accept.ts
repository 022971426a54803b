// `zester peel accept`: accept pending peels.
import { FleetError, UsageError } from '../../../errors.js';
import { command } from '../../command/declaration.js';
import { text, words } from '../../command/option.js';
import { decideOnEach } from '../../fleet/decide-on-each.js';
import { peelDocument } from '../../fleet/peel-document.js';

export default command({
  summary: 'accept pending peels',
  needs: 'fleet',
  arguments: { peelId: words('their IDs', { atLeastOne: true }) },
  options: {
    fingerprint: text('--fingerprint <text>', 'accept only a key with this fingerprint (one ID)'),
    reason: text('--reason <text>', 'recorded with the decision'),
  },
  notes: `
"zester peel list --state pending" shows the fingerprints of pending peels, and a joining peel shows its own. Compare them:
another host could have requested the same ID.`,
  examples: [
    'zester peel accept web-01 --fingerprint 5b1f-09aa-3cd2-8841-77e0',
    "zester peel accept web-01 web-02 --reason 'rack 7'",
  ],
  async run({ peelId: ids, fingerprint: wanted, reason }, { output, fleet }) {
    if (wanted !== undefined && ids.length > 1) throw new UsageError('--fingerprint needs exactly one ID');
    await decideOnEach(ids, output, 'accepted', async (peelId) => {
      const { client } = await fleet();
      if (wanted !== undefined) {
        const { record } = await client.ask('peel.show', { peelId, events: 0 });
        const { fingerprint } = peelDocument(record);
        if (fingerprint !== wanted.trim().toLowerCase()) {
          throw new FleetError(
            'ERR_FLEET_PROOF',
            `the key of "${peelId}" has the fingerprint ${fingerprint ?? '(none)'}, which does not match: it was not accepted`,
            { peelId },
          );
        }
      }
      const { record } = await client.ask('peel.accept', { peelId, ...(reason && { reason }) });
      return record;
    });
  },
});
