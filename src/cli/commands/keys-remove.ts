import type { Command } from 'commander';
import {
  changeOptions,
  pushedLine,
  withChangeOptions,
  type AccountChangeOptions,
} from '../change-options.js';
import type { KeyRemoval, KeyUse } from '../../trust/key-removal.js';
import { confirm } from '../confirm.js';
import { homeOf } from '../home-options.js';
import type { CliIo } from '../io.js';
import { Output, type GlobalOptions } from '../output.js';

interface Options extends GlobalOptions, AccountChangeOptions {
  force?: boolean;
  yes?: boolean;
}

/** `zester keys remove`: the second half of a rotation. */
export function registerKeysRemove(parent: Command, io: CliIo): void {
  withChangeOptions(parent.command('remove'))
    .description('take a signing key away, and delete its seed: the second half of a rotation')
    .argument(
      '<publicKey>',
      "the operator's signing key (O…), or the peels' or the join tokens' (A…); not one in use",
    )
    .option('--force', 'also when valid credentials depend on it, or that cannot be counted')
    .option('-y, --yes', 'do not ask')
    .addHelpText(
      'after',
      `
With a signing key of peels or of join tokens, whoever it signed is cut off at once, for good. So it counts the valid
credentials that depend on the key, in the registry, from this home, and connected, and refuses while there are any, unless
--force is given. It is in the audit. With an operator's (its identity seed is needed), the
servers trust it until they have the new operator JWT.

Examples:
  $ zester keys remove AABC…
  $ zester keys remove OABC… --yes`,
    )
    .action(async (publicKey: string, _options, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      const output = new Output(io, options);
      const keys = await import('../../nats-server/rotate-keys.js');
      if (publicKey.startsWith('O')) {
        await confirm(
          io,
          `this takes ${publicKey} away from the operator, and deletes its seed`,
          options.yes,
        );
        await keys.removeOperatorSigningKey(homeOf(options, io), publicKey, { now: io.now });
        output.result([`removed ${publicKey}`], { publicKey, servers: null });
        output.note(
          'next: give the servers the new operator JWT; until then they trust the key that was removed',
        );
        return;
      }
      const { home, ...rest } = await changeOptions(options, io, output);
      const { openTrustDomain } = await import('../../trust/open.js');
      const { auditKeyRemoval, judgeKeyRemoval } = await import('../../fleet/key-removals.js');
      const domain = await openTrustDomain(home);
      // with its own words, whatever depends on it
      keys.refuseInUse(domain, publicKey);
      const force = options.force === true;
      const removal = await judgeKeyRemoval(domain, [publicKey], rest, { force, now: io.now });
      const use = countedUse(removal, publicKey);
      const what =
        use === undefined
          ? 'everything that it signed'
          : `${use.valid} valid ${use.valid === 1 ? 'credential' : 'credentials'} (${use.connected} connected)`;
      const depends = await dependsOn(removal, publicKey);
      if (depends !== undefined) output.warn(depends);
      await confirm(io, `this cuts off ${what} and deletes the seed of ${publicKey}`, options.yes);
      const { requireComplete } = await import('../../nats-server/push-account.js');
      const { report } = await keys.removeAccountSigningKey(home, publicKey, removal, rest);
      output.result([`removed ${publicKey}; ${pushedLine(report)}`], {
        publicKey,
        valid: use?.valid ?? null,
        connected: use?.connected ?? null,
        servers: report ?? null,
      });
      const { servers } = rest;
      if (servers !== false && report !== undefined) {
        const isAudited = await auditKeyRemoval(domain, removal, { ...rest, servers }, 'zester keys remove');
        if (!isAudited) output.note('it is in no audit: no master has run on these servers yet');
      }
      if (report !== undefined) requireComplete(report, 'the account without the key');
    });
}

/** undefined: it could not be counted. */
function countedUse({ uses }: KeyRemoval, publicKey: string): KeyUse | undefined {
  const use = uses.get(publicKey);
  return use === undefined || 'unknown' in use ? undefined : use;
}

/** undefined: nothing does. */
async function dependsOn({ uses }: KeyRemoval, publicKey: string): Promise<string | undefined> {
  const { useWords } = await import('../../trust/key-removal.js');
  const use = uses.get(publicKey);
  if (use === undefined || ('valid' in use && use.valid === 0)) return undefined;
  return useWords(publicKey, use);
}
