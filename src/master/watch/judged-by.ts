// Names the keys that a connection is judged by, so that a verdict lasts only as long as they stay the same.
import { createHash } from 'node:crypto';
import type { AccountClaims } from '../../jwt/claims.js';

/** The parts of a trust domain that decide whether a chain is valid, revocations aside. */
export interface JudgingKeys {
  operatorJwt: string;
  account: AccountClaims;
  /** The key that signs peels. */
  peelSigningKey: string;
}

/** A short name of these keys: it changes when one of them does. @example judgedBy(known); // 'q0kL…' */
export function judgedBy({ operatorJwt, account, peelSigningKey }: JudgingKeys): string {
  const signingKeys = (account.nats.signing_keys ?? []).map((key) =>
    typeof key === 'string' ? key : [key.key, key.role],
  );
  const keys = JSON.stringify([operatorJwt, account.iss, account.sub, peelSigningKey, signingKeys]);
  return createHash('sha256').update(keys).digest('base64url');
}
