// Creates the credentials for masters' answers.
import { TrustError } from '../errors.js';
import type { Clock } from '../jwt/time.js';
import type { KeyBundle } from '../nkeys/key-bundle.js';
import { masterAnswersUserJwtOptions } from '../permissions/roles.js';
import type { TrustDomain } from './domain.js';
import type { Finding } from './finding.js';
import { ownCreds, renew } from './own-creds.js';
import { pathExists } from './private-files.js';
import { writeUser } from './create/steps.js';

/** The options of {@link ensureMasterAnswersCreds}. */
export interface MasterAnswersOptions {
  /**
   * The account's identity key, or one of its unscoped signing keys; by default, the identity key in the home. Not used
   * if the home's credentials expire.
   */
  signer?: KeyBundle;
  now?: Clock;
}

/**
 * Creates `creds/master-answers.creds` in a home that predates it: a master's credentials for receiving and answering
 * requests, which may publish only to inboxes. An existing file stays as it is. If the home's credentials expire, the
 * key that renews them signs. The caller must hold the home's lock.
 *
 * @returns `made`, `there`, or `offline`: the account's identity seed is not in the home, and no signer was given
 * @throws FileError; KeyError when the existing seed cannot be used
 */
export async function ensureMasterAnswersCreds(
  domain: TrustDomain,
  { signer, now }: MasterAnswersOptions = {},
): Promise<'made' | 'there' | 'offline'> {
  const path = domain.paths.masterAnswersCreds;
  if (pathExists(path)) return 'there';
  const own = ownCreds(domain).find(({ user }) => user === 'answers');
  if (own !== undefined) {
    await renew(domain, own, now ?? Date.now);
    return 'made';
  }
  const make = (key: KeyBundle) =>
    writeUser(path, key, masterAnswersUserJwtOptions(domain.publicKeys.account, now ? { now } : {}));
  if (signer !== undefined) {
    await make(signer);
    return 'made';
  }
  let account: KeyBundle;
  try {
    account = await domain.accountKey();
  } catch (error) {
    if (error instanceof TrustError && error.code === 'ERR_TRUST_KEY_OFFLINE') return 'offline';
    throw error;
  }
  try {
    await make(account);
    return 'made';
  } finally {
    account.wipe();
  }
}

/** The finding for a home without these credentials. */
export function missingMasterAnswers(path: string): Finding {
  return {
    severity: 'warning',
    check: 'answers',
    subject: path,
    message:
      'is missing: masters of this home answer as their main user, which may also publish to JetStream',
    fix: 'run "zester permissions migrate" (docs/upgrading.md), and restart the masters',
  };
}
