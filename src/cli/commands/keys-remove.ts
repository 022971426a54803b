import type { SystemConnectionOptions } from '../../nats-server/system-connection.js';
import type { Command } from 'commander';
import {
  changeOptions,
  pushedLine,
  withChangeOptions,
  type AccountChangeOptions,
} from '../change-options.js';
import type { KeyUse } from '../../fleet/key-use.js';
import type { TrustDomain } from '../../trust/domain.js';
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
      const domain = await openTrustDomain(home);
      const use = await countUse(
        domain,
        publicKey,
        rest.servers === false ? false : { ...rest, servers: rest.servers },
        options,
        io,
      );
      const who = use === undefined ? 'whoever it signed' : `${use.valid} valid, ${use.connected} connected`;
      if (use === undefined) output.warn(`what depends on ${publicKey} is not known`);
      else if (use.valid > 0) output.warn(dependsOn(publicKey, use));
      await confirm(io, `this cuts off ${who}, and deletes the seed of ${publicKey}`, options.yes);
      const { requireComplete } = await import('../../nats-server/push-account.js');
      const { report } = await keys.removeAccountSigningKey(home, publicKey, rest);
      output.result([`removed ${publicKey}; ${pushedLine(report)}`], {
        publicKey,
        valid: use?.valid ?? null,
        connected: use?.connected ?? null,
        servers: report ?? null,
      });
      if (rest.servers !== false && (report?.confirmed.length ?? 0) > 0) {
        const { auditKeyRemoved } = await import('../fleet/from-home.js');
        const detail = { forced: options.force === true, ...(use && { ...use }) };
        const isAudited = await auditKeyRemoved(
          domain,
          { ...rest, servers: rest.servers },
          publicKey,
          detail,
        );
        if (!isAudited) output.note('it is in no audit: no master has run on these servers yet');
      }
      if (report !== undefined) requireComplete(report, 'the account without the key');
    });
}

type ConnectionChoice = Pick<SystemConnectionOptions, 'servers' | 'tls' | 'requireTls'>;

/**
 * Counts what depends on a signing key.
 *
 * @returns undefined: it cannot be counted, and --force was given
 * @throws TrustError `ERR_TRUST_SIGNING_KEY` when something does, or it cannot be counted
 */
async function countUse(
  domain: TrustDomain,
  publicKey: string,
  at: ConnectionChoice | false,
  options: Options,
  io: CliIo,
): Promise<KeyUse | undefined> {
  const { knownCredentials, useOfKey } = await import('../fleet/from-home.js');
  const { TrustError } = await import('../../errors.js');
  const refuse = (why: string, cause?: unknown) =>
    new TrustError('ERR_TRUST_SIGNING_KEY', domain.home, why, { cause });
  let use: KeyUse | undefined;
  try {
    if (at === false) throw new Error('with --no-push no server is asked');
    const known = await knownCredentials(domain, at, options.systemCreds);
    use = await useOfKey(domain, publicKey, known, io.now());
  } catch (cause) {
    if (options.force === true) return undefined;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw refuse(
      `what depends on ${publicKey} cannot be counted (${why}): nothing was removed; --force removes it all the same`,
      cause,
    );
  }
  const count = use ?? { valid: 0, connected: 0 };
  // one in use, or none, is refused with its own words
  const { peelSigning, joinSigning } = domain.publicKeys;
  if (count.valid === 0 || options.force === true || publicKey === peelSigning || publicKey === joinSigning) {
    return count;
  }
  throw refuse(
    `${dependsOn(publicKey, count)}: renew them first ("zester peel rotate --all", then wait for the old ones to expire); ` +
      'nothing was removed; --force cuts them off',
  );
}

function dependsOn(publicKey: string, { valid, connected }: KeyUse): string {
  return (
    `${valid} valid ${valid === 1 ? 'credential depends' : 'credentials depend'} on ${publicKey}, ` +
    `${connected} of them connected`
  );
}
