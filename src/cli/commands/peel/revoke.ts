// `zester peel revoke`: revoke a peel on every server, and cut its connections.
import { command } from '../../command/declaration.js';
import { argument, flag, text } from '../../command/option.js';
import { confirm } from '../../terminal/confirm.js';
import { peelDocument } from '../../fleet/peel-document.js';
import { table } from '../../terminal/output.js';

export default command({
  summary: 'revoke a peel on every server, and cut its connections',
  needs: 'fleet',
  arguments: { peelId: argument('its ID') },
  options: {
    key: text('--key <key>', 'only this key of it (U…)'),
    reason: text('--reason <text>', 'recorded with the decision, and sent to the peel'),
    yes: flag('-y, --yes', 'do not ask'),
  },
  notes: `
Exit code 0: every server has confirmed. Exit code 4: a server has not confirmed yet; the decision stands, and the masters keep
trying. A revoked ID comes back only with a new key that is accepted again. If no master is running, use "zester revoke".`,
  examples: [
    "zester peel revoke web-01 --reason 'stolen laptop'",
    'zester peel revoke web-01 --key UA… --yes',
  ],
  async run({ peelId, key, reason, yes }, { io, output, fleet }) {
    (await import('../../../permissions/peel-id.js')).validatePeelId(peelId);
    const { client } = await fleet();
    await confirm(io, `this locks out ${key === undefined ? peelId : `the key ${key} of ${peelId}`}`, yes);
    const { record, revoked } = await client.ask('peel.revoke', {
      peelId,
      ...(reason !== undefined && { reason }),
      ...(key !== undefined && { publicKey: key }),
    });
    output.result(
      [
        key === undefined ? `revoked ${peelId}` : `revoked a key of ${peelId}`,
        ...table([
          ['state', record.state],
          [
            'keys',
            revoked.length === 0 ? 'it had no key that could connect' : revoked.map((one) => output.key(one)),
          ],
        ]),
      ],
      { ...peelDocument(record), revoked },
    );
  },
});
