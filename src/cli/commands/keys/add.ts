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
peel-signing: a key with the same template. The account is pushed, and the key signs new peels. Once the credentials that the
old key signed have been renewed, remove it: "zester keys remove".

join-signing: the same for join tokens.

operator-signing: needs the operator's identity seed. Give the servers the new operator JWT (restart one after the other, with
what "zester server config" prints), then "zester keys use", then "zester keys remove" the old one, and the servers again.`,
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
