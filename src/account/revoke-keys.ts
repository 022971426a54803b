// Revokes many user keys with one push of the account JWT.
import type { AccountClaims } from '../jwt/claims.js';
import { nowSeconds, type Clock } from '../jwt/time.js';
import { revokeUpTo } from '../jwt/revoke-up-to.js';
import { mergeRevocations } from '../jwt/revocations.js';
import { revocationBan, type Ban, type Revocations } from './ban.js';
import { changeAccount, type AccountChange, type OpenAccount, type OpenHome } from './change-account.js';
import { lockOut } from './lock-out.js';
import { isComplete, withFailed, type PushReport } from './push-account.js';

/** How often a revocation is extended because its key reconnected with a JWT that has a later issue time. */
const ROUNDS = 3;

/** The additions of {@link revokeWith} to a change. */
export interface Revoked {
  /** The time that each key is revoked up to: at least the requested one. */
  upTo: Revocations;
  /** Whether every server has the revocations, even if revoked users are still connected. */
  inForce: boolean;
  /** The public keys of revoked users that are still connected. */
  left: ReadonlySet<string>;
}

/** The result of {@link revokeKeys}. */
export type RevokedKeys = AccountChange & Revoked;

/**
 * Revokes keys of a home's account on every server: see {@link revokeWith}.
 *
 * @param options.also further changes of the account, made if there is something new to push
 * @throws as `changeAccount`
 */
export async function revokeKeys(
  open: OpenHome,
  revocations: Revocations,
  options: { now?: Clock | undefined; also?: (claims: AccountClaims) => AccountClaims } = {},
): Promise<RevokedKeys> {
  const { now, also = (claims: AccountClaims) => claims } = options;
  return revokeWith(open, revocations, now, (withAll, ban) =>
    changeAccount(
      open,
      (claims) => {
        const changed = withAll(claims);
        return changed === claims ? claims : also(changed);
      },
      { now, ban },
    ),
  );
}

/**
 * Revokes keys on every server: pushes the account JWT, then kicks remaining connections. A server counts as confirmed
 * only if its account JWT has the revocations and no revoked user is connected.
 *
 * @param revocations public keys, or `*`, with the time to revoke up to, in seconds since 1970. None: checks nothing
 * @param change signs and pushes a change of the claims
 * @returns which servers confirmed: see `requireComplete`
 */
export async function revokeWith<Change extends { jwt: string; report: PushReport | undefined }>(
  { domain, connected }: Pick<OpenAccount, 'domain' | 'connected'>,
  revocations: Revocations,
  now: Clock | undefined,
  change: (withAll: (claims: AccountClaims) => AccountClaims, ban: Ban | undefined) => Promise<Change>,
): Promise<Change & Revoked> {
  let upTo: Revocations = revocations;
  for (let round = 1; ; round += 1) {
    const wanted = upTo;
    const ban = wanted.size === 0 ? undefined : revocationBan(wanted);
    const changed = await change((claims) => withAll(claims, wanted), ban);
    const { report } = changed;
    if (connected === undefined || report === undefined || ban === undefined) {
      return { ...changed, upTo, inForce: report !== undefined && isComplete(report), left: new Set() };
    }
    const pushed = { jwt: changed.jwt, confirmed: report.confirmed };
    const { lacking, occupied, left, ahead } = await lockOut(connected, domain, ban, pushed);
    if (ahead.size === 0 || round === ROUNDS) {
      return {
        ...changed,
        upTo,
        inForce: isComplete(report) && lacking.length === 0,
        left: new Set([...left, ...ahead.keys()]),
        report: withFailed(report, [...lacking, ...occupied, ...returning(ahead, report)]),
      };
    }
    upTo = extended(wanted, ahead, nowSeconds(now));
  }
}

function extended(
  upTo: Revocations,
  ahead: ReadonlyMap<string, number | undefined>,
  now: number,
): Revocations {
  const all = new Map(upTo);
  for (const [key, issuedAt] of ahead) {
    const later = revokeUpTo(now, { issuedAt: [issuedAt], complete: true });
    all.set(key, Math.max(all.get(key) ?? 0, later));
  }
  return all;
}

/** Returns the same object if it has them all. */
function withAll(claims: AccountClaims, revocations: Revocations): AccountClaims {
  const had = claims.nats.revocations ?? {};
  const missing = [...revocations].filter(([key, upTo]) => (had[key] ?? -1) < upTo);
  return missing.length === 0 ? claims : mergeRevocations(claims, Object.fromEntries(missing));
}

function returning(ahead: ReadonlyMap<string, unknown>, { confirmed }: PushReport): PushReport['failed'] {
  return [...ahead.keys()].flatMap((key) =>
    confirmed.map((server) => ({
      server,
      problem: `${key} keeps reconnecting with newer JWTs: replace the signing key that signs them`,
    })),
  );
}
