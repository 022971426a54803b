import type { NatsConnection } from '@nats-io/transport-node';
import { TrustError } from '../errors.js';
import { loadCredsFile } from '../creds/parse.js';
import { writeCredsFile } from '../creds/generate.js';
import { accountOf } from '../jwt/account-of.js';
import { isRevoked } from '../jwt/chain.js';
import { nowSeconds, type Clock } from '../jwt/time.js';
import { createUserJwt } from '../jwt/user.js';
import { generateKeyBundle } from '../nkeys/key-bundle.js';
import { validatePeelId } from '../permissions/peel-id.js';
import {
  adminUserJwtOptions,
  masterAnswersUserJwtOptions,
  masterUserJwtOptions,
} from '../permissions/roles.js';
import type { TrustDomain } from '../trust/domain.js';
import { readIssued } from '../trust/issued.js';
import { isThere } from '../trust/private-files.js';
import {
  checkRevocable,
  EVERYONE,
  revocationsOf,
  withoutRevocations,
  withRevocations,
  type Revocation,
} from '../trust/revocations.js';
import {
  changeAccount,
  newestClaims,
  withConnectedHome,
  withOpenHome,
  type AccountChange,
  type ChangeOptions,
} from './change-account.js';
import { connectedUsers } from './connected-users.js';

/** What is to be revoked. */
export type RevokeTarget =
  /**
   * Every credential of this peel that was issued from this home, and every one that a peel of this name is connected
   * with now.
   */
  | { peelId: string }
  /** One user's public key (`U…`). */
  | { publicKey: string }
  /** The user of a `.creds` file, whose seed is not used. */
  | { credsPath: string }
  /**
   * Everything that the account issued up to a time, in milliseconds since 1970. The home's own master and admin get new
   * credentials first, if theirs are older.
   */
  | { issuedBefore: number };

/** How {@link revoke} goes about it. */
export interface RevokeOptions extends ChangeOptions {
  /**
   * With `issuedBefore`: go on when the master and the admin of this home would be locked out and cannot be given new
   * credentials, because the account's identity seed is offline.
   */
  includeMaster?: boolean;
}

/** What {@link revoke} did. */
export interface RevokeResult extends AccountChange {
  /** The public keys, or `*`. */
  revoked: string[];
  /** Seconds since 1970: what was issued up to then is revoked. */
  upTo: number;
  /** The `.creds` files that were replaced because the revocation holds for them too. */
  reissued: string[];
}

/**
 * Revokes credentials: signs the account JWT anew and pushes it to every server. Their live connections are cut, and
 * they cannot connect again. A credential that is issued later, to a new key or after the time, is not touched.
 *
 * @returns which servers confirmed: see `requireComplete`
 * @throws TrustError `ERR_TRUST_NOTHING_TO_REVOKE`, `ERR_TRUST_REVOKES_MASTER`; PeelIdError; as `changeAccount`
 */
export async function revoke(
  home: string,
  target: RevokeTarget,
  options: RevokeOptions,
): Promise<RevokeResult> {
  if ('peelId' in target) validatePeelId(target.peelId);
  return withOpenHome(home, 'zester revoke', options, async (open) => {
    const { domain, connected } = open;
    const { now } = options;
    const upTo = 'issuedBefore' in target ? Math.floor(target.issuedBefore / 1000) : nowSeconds(now);
    const keys = await keysOf(domain, connected?.nc, target);
    const reissued = 'issuedBefore' in target ? await keepMasters(domain, upTo, options) : [];
    const change = await changeAccount(open, (claims) => withRevocations(claims, keys, upTo), { now });
    return { ...change, revoked: keys, upTo, reissued };
  });
}

async function keysOf(
  domain: TrustDomain,
  nc: NatsConnection | undefined,
  target: RevokeTarget,
): Promise<string[]> {
  if ('issuedBefore' in target) return [EVERYONE];
  if ('publicKey' in target) {
    checkRevocable(domain.home, target.publicKey);
    return [target.publicKey];
  }
  if ('credsPath' in target) return [await keyOfFile(domain, target.credsPath)];
  const { peelId } = target;
  const issued = (await readIssued(domain.paths.issued)).filter((entry) => entry.peelId === peelId);
  const live =
    nc === undefined
      ? []
      : (await connectedUsers(nc, domain.publicKeys.account)).users.filter(({ name }) => name === peelId);
  const keys = [...new Set([...issued, ...live].map(({ publicKey }) => publicKey))];
  if (keys.length === 0) {
    throw new TrustError(
      'ERR_TRUST_NOTHING_TO_REVOKE',
      domain.home,
      `no key of the peel "${peelId}" is known: none was issued from ${domain.home}, and no peel of that name is ` +
        'connected; give --creds FILE, --key U…, or --issued-before TIME',
    );
  }
  return keys;
}

async function keyOfFile(domain: TrustDomain, path: string): Promise<string> {
  const creds = await loadCredsFile(path);
  creds.wipe();
  const account = accountOf(creds.claims);
  if (account !== domain.publicKeys.account) {
    throw new TrustError(
      'ERR_TRUST_NOTHING_TO_REVOKE',
      path,
      `${path} is of the account ${account}, and this home's is ${domain.publicKeys.account}: it is another home's to revoke`,
    );
  }
  return creds.publicKey;
}

/** @returns the files that were replaced */
async function keepMasters(domain: TrustDomain, upTo: number, options: RevokeOptions): Promise<string[]> {
  const { paths, publicKeys } = domain;
  const old = [];
  for (const [path, userOptions] of [
    [paths.masterCreds, masterUserJwtOptions],
    [paths.masterAnswersCreds, masterAnswersUserJwtOptions],
    [paths.adminCreds, adminUserJwtOptions],
  ] as const) {
    if (!(await isThere(path))) continue;
    const creds = await loadCredsFile(path);
    creds.wipe();
    if (isRevoked({ [EVERYONE]: upTo }, creds.publicKey, creds.claims.iat)) old.push({ path, userOptions });
  }
  if (old.length === 0 || options.includeMaster === true) return [];
  const now = nowAfter(upTo, options.now);
  if (now === undefined || !(await isThere(paths.accountSeed))) {
    const why =
      now === undefined
        ? 'the time is not in the past, so that new ones would be revoked too'
        : `the account's identity seed, which would sign new ones, is not at ${paths.accountSeed}`;
    throw new TrustError(
      'ERR_TRUST_REVOKES_MASTER',
      domain.home,
      `this would lock out ${old.map(({ path }) => path).join(' and ')}, issued before that time: ${why}; ` +
        'give an earlier time, put the seed back, or say --include-master',
    );
  }
  const account = await domain.accountKey();
  try {
    for (const { path, userOptions } of old) {
      const user = generateKeyBundle('user');
      const seed = user.seed;
      await writeCredsFile(
        path,
        createUserJwt(user, account, userOptions(publicKeys.account, { now })),
        seed,
      );
      seed.fill(0);
      user.wipe();
    }
  } finally {
    account.wipe();
  }
  return old.map(({ path }) => path);
}

/** The clock, if what is issued by it is later than a time. */
function nowAfter(upTo: number, now: Clock = Date.now): Clock | undefined {
  return nowSeconds(now) > upTo ? now : undefined;
}

/**
 * The revocations, as the newest of home and servers have them; nothing is changed.
 *
 * @throws as `changeAccount`
 */
export async function listRevocations(home: string, options: ChangeOptions): Promise<Revocation[]> {
  return withConnectedHome(home, options, async (open) => {
    const claims = await newestClaims(open);
    return revocationsOf(claims, await readIssued(open.domain.paths.issued));
  });
}

/** Which revocations {@link clearRevocations} takes away. */
export type ClearTarget =
  { all: true } | { publicKeys: readonly string[] } | { peelId: string } | { before: number };

/**
 * Takes revocations away, and pushes: what they held for may connect again, unless it has expired.
 *
 * @returns also those that are gone
 * @throws TrustError `ERR_TRUST_NOTHING_TO_REVOKE` when there is none of them; as `changeAccount`
 */
export async function clearRevocations(
  home: string,
  target: ClearTarget,
  options: ChangeOptions,
): Promise<AccountChange & { cleared: Revocation[] }> {
  return withOpenHome(home, 'zester revocations clear', options, async (open) => {
    const issued = await readIssued(open.domain.paths.issued);
    const cleared: Revocation[] = [];
    const change = await changeAccount(
      open,
      (claims) => {
        const gone = revocationsOf(claims, issued).filter((revocation) => isMeant(revocation, target));
        cleared.push(...gone);
        if (gone.length === 0) {
          throw new TrustError(
            'ERR_TRUST_NOTHING_TO_REVOKE',
            home,
            'there is no such revocation: "zester revocations list" shows what there is',
          );
        }
        const keys = new Set(gone.map(({ publicKey }) => publicKey));
        return withoutRevocations(claims, (key) => keys.has(key));
      },
      { now: options.now },
    );
    return { ...change, cleared };
  });
}

function isMeant({ publicKey, upTo, peelId }: Revocation, target: ClearTarget): boolean {
  if ('all' in target) return true;
  if ('publicKeys' in target) return target.publicKeys.includes(publicKey);
  if ('peelId' in target) return peelId === target.peelId;
  return upTo < target.before / 1000;
}
