// The recovery credential of a peel, with which it may only request recovery.
import type { UserClaims } from '../jwt/claims.js';
import type { UserJwtOptions } from '../jwt/user.js';
import { validatePublicKey } from '../nkeys/validate.js';
import { isPeelId, validatePeelId } from './peel-id.js';

const RECOVERY_PREFIX = '_zester-recover-';
const COUNT_TAG = /^recoveries:(\d{1,9})$/;

/**
 * The user name of a peel's recovery credential, distinct from those of peels and join tokens.
 *
 * @throws PeelIdError
 */
export function recoveryName(peelId: string): string {
  return `${RECOVERY_PREFIX}${validatePeelId(peelId)}`;
}

/** The peel ID in the name of a recovery credential; undefined: not such a name. */
export function peelIdOfRecoveryName(name: string): string | undefined {
  if (!name.startsWith(RECOVERY_PREFIX)) return undefined;
  const peelId = name.slice(RECOVERY_PREFIX.length);
  return isPeelId(peelId) ? peelId : undefined;
}

/** The inbox prefix of a peel's recovery user. @throws PeelIdError */
export function recoveryInboxPrefix(peelId: string): string {
  return `_INBOX.${recoveryName(peelId)}`;
}

/**
 * The user JWT options of a recovery credential. The scoped signing key for join tokens signs it, so no home needs
 * another key: that template only lets a user publish below `zester.enroll.<its name>` and read its own inbox.
 *
 * @param count the number of the peel's recoveries so far
 * @throws PeelIdError, KeyError
 */
export function recoveryUserJwtOptions(
  peelId: string,
  accountPublicKey: string,
  { count, ...validity }: Pick<UserJwtOptions, 'expiry' | 'now'> & { count: number },
): UserJwtOptions {
  validatePublicKey(accountPublicKey, 'account');
  return {
    ...validity,
    name: recoveryName(peelId),
    issuerAccount: accountPublicKey,
    scoped: true,
    tags: [`recoveries:${count}`],
  };
}

/** The number of the peel's recoveries when this credential was issued. */
export function recoveriesOf({ nats }: UserClaims): number {
  for (const tag of nats.tags ?? []) {
    const match = COUNT_TAG.exec(tag);
    if (match !== null) return Number(match[1]);
  }
  return 0;
}
