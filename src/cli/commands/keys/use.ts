// `zester keys use`: sign with another signing key from now on.
import { pushedLine } from '../../options/change-options.js';
import { command } from '../../command/declaration.js';
import { argument } from '../../command/option.js';
import { SIGNED } from '../../terminal/signing-kinds.js';

export default command({
  summary: 'switch to another signing key',
  needs: 'change',
  arguments: { publicKey: argument("the operator's (O…), or the account's for peels or join tokens (A…)") },
  notes: `
With a signing key of the operator, both accounts are re-signed and pushed. The command fails while a server is down or
does not know the key.`,
  examples: ['zester keys use OABC…'],
  async run({ publicKey }, { output, home: path, change }) {
    const keys = await import('../../../account/rotate-keys.js');
    if (!publicKey.startsWith('O')) {
      const kind = await keys.useAccountSigningKey(path, publicKey);
      output.result([`new ${SIGNED[kind]} are signed by ${publicKey}`], { publicKey, servers: null });
      return;
    }
    const { home, ...rest } = await change();
    const { requireComplete } = await import('../../../account/push-account.js');
    const { report } = await keys.useOperatorSigningKey(home, publicKey, rest);
    output.result([`the accounts are signed by ${publicKey}; ${pushedLine(report)}`], {
      publicKey,
      servers: report ?? null,
    });
    if (report !== undefined) requireComplete(report, 'the account');
  },
});
