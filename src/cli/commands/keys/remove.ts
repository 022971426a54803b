// `zester keys remove`: remove a signing key: the last step of a key rotation.
import type { KeyRemoval, KeyUse } from '../../../trust/keys/key-removal.js';
import { pushedLine } from '../../options/change-options.js';
import { count } from '../../terminal/columns.js';
import type { ChangeContext } from '../../command/context.js';
import { command } from '../../command/declaration.js';
import { argument, flag } from '../../command/option.js';
import { confirm } from '../../terminal/confirm.js';

export default command({
  summary: 'remove a signing key: the last step of a key rotation',
  needs: 'change',
  arguments: { publicKey: argument("the operator's (O…) or the account's (A…); not one in use") },
  options: {
    force: flag('--force', 'even if valid credentials may depend on the key'),
    yes: flag('-y, --yes', 'skip the confirmation'),
  },
  notes: `
Deletes the seed, and permanently cuts off every credential that the key signed. So it first counts the valid
credentials that depend on the key (in the registry, issued from this home, or connected), and refuses if there are any,
unless --force is given. The removal is audited. Removing a signing key of the operator needs the identity seed; the
servers trust the key until they have the new operator JWT.`,
  examples: ['zester keys remove AABC…', 'zester keys remove OABC… --yes'],
  async run({ publicKey, force, yes }, context) {
    if (publicKey.startsWith('O')) await removeOperators(publicKey, yes, context);
    else await removeAccounts(publicKey, { force, yes }, context);
  },
});

async function removeOperators(publicKey: string, yes: boolean, context: ChangeContext): Promise<void> {
  const { io, output, home } = context;
  const { removeOperatorSigningKey } = await import('../../../account/rotate-keys.js');
  await confirm(io, `this removes ${publicKey} from the operator, and deletes its seed`, yes);
  await removeOperatorSigningKey(home, publicKey, { now: io.now });
  output.result([`removed ${publicKey}`], { publicKey, servers: null });
  output.note('next: give the servers the new operator JWT; until then they trust the removed key');
}

async function removeAccounts(
  publicKey: string,
  { force, yes }: { force: boolean; yes: boolean },
  { io, output, openHome, change }: ChangeContext,
): Promise<void> {
  const keys = await import('../../../account/rotate-keys.js');
  const { auditKeyRemoval, judgeKeyRemoval } = await import('../../../fleet-client/key-removals.js');
  const { home, ...rest } = await change();
  const domain = await openHome();
  // fails with its own message, whether or not it has dependents
  keys.refuseInUse(domain, publicKey);
  const removal = await judgeKeyRemoval(domain, [publicKey], rest, { force, now: io.now });
  const use = countedUse(removal, publicKey);
  const what =
    use === undefined
      ? 'everything that it signed'
      : `${count(use.valid, 'valid credential')} (${use.connected} connected)`;
  const depends = await dependsOn(removal, publicKey);
  if (depends !== undefined) output.warn(depends);
  await confirm(io, `this cuts off ${what} and deletes the seed of ${publicKey}`, yes);
  const { requireComplete } = await import('../../../account/push-account.js');
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
    if (!isAudited) output.note('not audited: no master has run on these servers yet');
  }
  if (report !== undefined) requireComplete(report, 'the account without the key');
}

/** undefined: it could not be counted. */
function countedUse({ uses }: KeyRemoval, publicKey: string): KeyUse | undefined {
  const use = uses.get(publicKey);
  return use === undefined || 'unknown' in use ? undefined : use;
}

/** undefined: no dependents. */
async function dependsOn({ uses }: KeyRemoval, publicKey: string): Promise<string | undefined> {
  const { describeUse } = await import('../../../trust/keys/key-removal.js');
  const use = uses.get(publicKey);
  if (use === undefined || ('valid' in use && use.valid === 0)) return undefined;
  return describeUse(publicKey, use);
}
