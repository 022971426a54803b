// `zester keys add`: add a signing key: the first step of a key rotation.
import type { SigningKeyKind } from '../../../trust/paths.js';
import { pushedLine } from '../../options/change-options.js';
import { command } from '../../command/declaration.js';
import { choiceArgument } from '../../command/option.js';
import { SIGNED } from '../../terminal/signing-kinds.js';

const KINDS: readonly SigningKeyKind[] = ['peel-signing', 'join-signing', 'operator-signing'];

export default command({
  summary: 'add a signing key: the first step of a key rotation',
  needs: 'change',
  arguments: { kind: choiceArgument('which', KINDS) },
  notes: `
peel-signing: adds a key with the same template, pushes the account, and signs new peels with the key. Once the credentials
that the old key signed are renewed, remove it with "zester keys remove".

join-signing: the same for join tokens.

operator-signing: needs the operator's identity seed. Give the servers the new operator JWT (restart them one by one with the
output of "zester server config"), run "zester keys use", then "zester keys remove" for the old key, and update the servers
again.`,
  examples: ['zester keys add peel-signing', 'zester keys add operator-signing'],
  async run({ kind }, { io, output, home: path, change }) {
    const keys = await import('../../../account/rotate-keys.js');
    if (kind === 'operator-signing') {
      const publicKey = await keys.addOperatorSigningKey(path, { now: io.now });
      output.result([publicKey], { kind, publicKey, inUse: false, servers: null });
      output.note(`next: give the servers the new operator JWT, then "zester keys use ${publicKey}"`);
      return;
    }
    const { home, ...rest } = await change();
    const { requireComplete } = await import('../../../account/push-account.js');
    const { publicKey, inUse, report } = await keys.addAccountSigningKey(home, kind, rest);
    const use = inUse ? `it signs new ${SIGNED[kind]}` : 'not yet in use';
    output.result([publicKey, `${pushedLine(report)}; ${use}`], {
      kind,
      publicKey,
      inUse,
      servers: report ?? null,
    });
    if (report !== undefined) requireComplete(report, 'the new signing key');
  },
});
