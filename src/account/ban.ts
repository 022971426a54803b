// Describes the users that an account JWT locks out: revoked keys, or all users of a removed signing key.
import { ZesterError } from '../errors.js';
import { isRevoked } from '../jwt/chain.js';
import type { AccountClaims } from '../jwt/claims.js';
import { decodeUserJwt, userIssuedAtAsServersReadIt, userIssuerOf } from '../jwt/decode.js';
import { LATEST_SECONDS } from '../jwt/latest-seconds.js';
import { EVERYONE } from '../jwt/revocations.js';
import { signingKeyIds } from '../jwt/signing-key-ids.js';
import { keyOfUser, type ConnectedUser } from '../system-account/connected-users.js';

/** Public keys, or `*`, each with the time that it is revoked up to: seconds since 1970. */
export type Revocations = ReadonlyMap<string, number>;

/** Above this number of users, all connections are listed once instead of queried per user. */
export const MANY_USERS = 32;

/** The users that an account JWT locks out. */
export interface Ban {
  /** The only users (`U…`) that it can affect; undefined: any user. */
  users: readonly string[] | undefined;
  /** Whether it applies to a user. `ahead`: it names the user's key, but the JWT has a later issue time. */
  holdsFor(user: ConnectedUser): 'yes' | 'ahead' | 'no';
  /** Whether an account JWT contains it. */
  isIn(claims: AccountClaims): boolean;
  /** Whether revocations, by key and in seconds since 1970, contain it; undefined: it does not consist of revocations. */
  isAmong?: (revocations: Readonly<Record<string, number>>) => boolean;
  /** Its name in messages, such as `the revocation`. */
  description: string;
}

/** The ban of revoked keys. @param revocations not empty */
export function revocationBan(revocations: Revocations): Ban {
  const holding = Object.fromEntries(revocations);
  const isAmong = (all: Readonly<Record<string, number>>) =>
    [...revocations].every(([key, upTo]) => isRevoked(all, key, upTo));
  return {
    users: revocations.has(EVERYONE) ? undefined : [...revocations.keys()],
    holdsFor: (user) => {
      const key = keyOfUser(user);
      if (isCovered(holding, key, issuedAtOf(user))) return 'yes';
      return revocations.has(key) ? 'ahead' : 'no';
    },
    isIn: ({ nats }) => isAmong(nats.revocations ?? {}),
    isAmong,
    description: 'the revocation',
  };
}

/** The ban of all users that removed signing keys (`A…`) signed. */
export function signingKeyBan(publicKeys: readonly string[]): Ban {
  const removed = new Set(publicKeys);
  return {
    users: undefined,
    holdsFor: ({ jwt }) =>
      removed.has((jwt === undefined ? undefined : userIssuerOf(jwt)) ?? '') ? 'yes' : 'no',
    isIn: (claims) => !signingKeyIds(claims).some((key) => removed.has(key)),
    description: 'the removal of the signing key',
  };
}

/**
 * The issue time of a connected user's JWT, in seconds since 1970; undefined if it cannot be read. A JWT that we refuse
 * and a server accepts may have an issue time so late that only a revocation up to that time covers it.
 */
export function issuedAtOf({ jwt }: Pick<ConnectedUser, 'jwt'>): number | undefined {
  if (jwt === undefined) return undefined;
  try {
    return decodeUserJwt(jwt).iat;
  } catch (error) {
    if (!(error instanceof ZesterError)) throw error;
    const issuedAt = userIssuedAtAsServersReadIt(jwt);
    return issuedAt === LATEST_SECONDS ? issuedAt : undefined;
  }
}

/** Whether the revocations apply to a JWT; to one that cannot be read, only an unbounded revocation does. */
function isCovered(
  revocations: Readonly<Record<string, number>>,
  publicKey: string,
  issuedAt: number | undefined,
): boolean {
  return isRevoked(revocations, publicKey, issuedAt ?? Number.MAX_SAFE_INTEGER);
}
