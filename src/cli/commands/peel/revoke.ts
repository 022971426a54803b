// `zester peel revoke`: revoke a peel on every server, and cut its connections.
import { UsageError } from '../../../errors.js';
import { selectorOption } from '../../options/label-options.js';
import { command } from '../../command/declaration.js';
import { flag, optionalArgument, text } from '../../command/option.js';
import { confirm } from '../../terminal/confirm.js';
import { peelDocument } from '../../fleet/peel-document.js';
import { table } from '../../terminal/output.js';

export default command({
  summary: 'revoke a peel on every server, and cut its connections',
  needs: 'fleet',
  arguments: { peelId: optionalArgument('peel ID') },
  options: {
    selector: selectorOption('revoke every peel with these labels, e.g. env=lab,tier!=db'),
    key: text('--key <key>', "only this one of the peel's keys (U…)"),
    reason: text('--reason <text>', 'recorded in the audit log, and sent to the peel'),
    yes: flag('-y, --yes', 'skip the confirmation'),
  },
  notes: `
Exit code 0: every server has confirmed. Exit code 4: a server has not confirmed yet; the decision stands, and the
masters keep retrying. A revoked ID can return only with a new key, accepted again. If no master is running, use "zester
revoke".`,
  examples: [
    "zester peel revoke web-01 --reason 'stolen laptop'",
    'zester peel revoke web-01 --key UA… --yes',
    "zester peel revoke -l env=lab --reason 'lab closed'",
  ],
  async run({ peelId, selector, key, reason, yes }, context) {
    if ((peelId === undefined) === (selector === undefined))
      throw new UsageError('pass either a peel ID or labels (-l)');
    if (selector !== undefined && key !== undefined) throw new UsageError('--key needs the ID of a peel');
    const { io, output, fleet } = context;
    if (peelId === undefined) {
      const { revokeSelected } = await import('../../fleet/revoke-selected.js');
      return revokeSelected(await fleet(), { labels: selector }, { reason, yes }, context);
    }
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
