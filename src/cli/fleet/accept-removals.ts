// Lists the losses of an account JWT, and asks whether to accept them.
import { showAccount } from '../../account/check-account.js';
import type { ChangeOptions } from '../../account/change-account.js';
import { judgeKeyRemoval } from '../../fleet-client/key-removals.js';
import { describeUse, type KeyRemoval } from '../../trust/keys/key-removal.js';
import { describeLosses } from '../../trust/account-jwt/merge-account.js';
import { openTrustDomain } from '../../trust/open.js';
import { confirm } from '../terminal/confirm.js';
import type { CliIo } from '../terminal/io.js';
import type { Output } from '../terminal/output.js';

/**
 * Lists the losses of the newest account JWT, counts the dependents of lost signing keys, and asks whether to accept
 * the losses.
 *
 * @throws TrustError `ERR_TRUST_SIGNING_KEY` when a valid credential depends on one of them, without `force`
 */
export async function acceptRemovals(
  home: string,
  at: ChangeOptions & { servers: readonly string[] },
  { force, yes }: { force: boolean; yes: boolean },
  { io, output }: { io: CliIo; output: Output },
): Promise<KeyRemoval> {
  const { lost } = await showAccount(home, at);
  const words = describeLosses(lost);
  for (const line of words) output.warn(`this gives up the ${line}`);
  const domain = await openTrustDomain(home);
  const removal = await judgeKeyRemoval(domain, lost.signingKeys, at, { force, now: io.now });
  for (const [key, use] of removal.uses) {
    if ('unknown' in use || use.valid > 0) output.warn(describeUse(key, use));
  }
  if (words.length > 0)
    await confirm(io, 'this permanently removes what is listed above from the account', yes);
  return removal;
}
