import { Argument, type Command } from 'commander';
import {
  changeOptions,
  pushedLine,
  withChangeOptions,
  type AccountChangeOptions,
} from '../change-options.js';
import { homeOf } from '../home-options.js';
import type { CliIo } from '../io.js';
import { Output, type GlobalOptions } from '../output.js';
import { SIGNED } from '../signing-kinds.js';
import type { SigningKeyKind } from '../../trust/paths.js';

type Options = GlobalOptions & AccountChangeOptions;

const KINDS: readonly SigningKeyKind[] = ['peel-signing', 'join-signing', 'operator-signing'];

/** `zester keys add`: the first half of a rotation. */
export function registerKeysAdd(parent: Command, io: CliIo): void {
  withChangeOptions(parent.command('add'))
    .description('add a signing key beside the one in use: the first half of a rotation')
    .addArgument(new Argument('<kind>', 'which').choices(KINDS))
    .addHelpText(
      'after',
      `
peel-signing: a key with the same template; the account is pushed, and new peels are signed by it. When the credentials
that the old one signed have been replaced, "zester keys remove" the old one: what it signed ends then.
join-signing: the same for join tokens, which may ask to join and nothing else; the first one, in a home made before there
were join tokens.
operator-signing: needs the operator's identity seed. Give the servers the new operator JWT (restart one after the other,
with what "zester server config" prints), then "zester keys use", then "zester keys remove" the old one, and again.

Examples:
  $ zester keys add peel-signing
  $ zester keys add operator-signing`,
    )
    .action(async (kind: SigningKeyKind, _options, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      const output = new Output(io, options);
      const keys = await import('../../nats-server/rotate-keys.js');
      if (kind === 'operator-signing') {
        const publicKey = await keys.addOperatorSigningKey(homeOf(options, io), { now: io.now });
        output.result([publicKey], { kind, publicKey, inUse: false, servers: null });
        output.note(`next: give the servers the new operator JWT, then "zester keys use ${publicKey}"`);
        return;
      }
      const { home, ...rest } = await changeOptions(options, io, output);
      const { requireComplete } = await import('../../nats-server/push-account.js');
      const { publicKey, inUse, report } = await keys.addAccountSigningKey(home, kind, rest);
      output.result(
        [
          publicKey,
          `${pushedLine(report)}; ${inUse ? `new ${SIGNED[kind]} are signed by it` : 'not yet in use'}`,
        ],
        { kind, publicKey, inUse, servers: report ?? null },
      );
      if (report !== undefined) requireComplete(report, 'the new signing key');
    });
}
