// Removes a master: revokes its users and removes its signing keys, without affecting other masters.
import {
  changeAccount,
  changeSystemAccount,
  systemAccountOf,
  withConnectedHome,
  withOpenHome,
  type ChangeOptions,
  type Connected,
  type OpenHome,
} from '../account/change-account.js';
import { revocationBan, signingKeyBan } from '../account/ban.js';
import { lockOut } from '../account/lock-out.js';
import { joinReports } from '../account/join-reports.js';
import { withFailed, type PushReport } from '../account/push-account.js';
import { TrustError } from '../errors.js';
import type { AccountClaims } from '../jwt/claims.js';
import { PERMANENT } from '../jwt/revoke-up-to.js';
import { mergeRevocations } from '../jwt/revocations.js';
import { nowSeconds } from '../jwt/time.js';
import type { KeyRemoval } from '../trust/keys/key-removal.js';
import { readRoster } from './read-roster.js';
import type { RosterEntry } from './roster.js';
import { excerpt } from '../text/excerpt.js';
import { withoutKeys } from './without-keys.js';

/** The options for removing a master. */
export type RemoveMasterOptions = ChangeOptions & {
  servers: readonly string[];
  /** Users (`U…`) to keep, such as the admin that removes it; none by default. */
  keepUsers?: readonly string[];
  /** Whether to keep the key that renews its admin's credentials; false by default. */
  keepAdmin?: boolean;
};

/**
 * Finds a master by name, as the servers know it. Changes nothing.
 *
 * @throws TrustError `ERR_TRUST_MASTER` when there is none, or it is this home's own; NatsServerError
 */
export function masterToRemove(
  home: string,
  name: string,
  options: RemoveMasterOptions,
): Promise<RosterEntry> {
  return withConnectedHome(home, options, (open) => find(open, name));
}

/**
 * Locks out a master's users: revokes them permanently, removes its keys from the system account, and cuts its
 * connections. Credentials that it signed stay valid, so that other masters can renew them.
 *
 * @returns the servers that confirmed, and have none of them connected
 * @throws as {@link masterToRemove}
 */
export function endMaster(home: string, name: string, options: RemoveMasterOptions): Promise<PushReport> {
  return withOpenHome(home, 'zester master remove', options, async (open) => {
    const master = await find(open, name);
    const ofUsers = master.keys.filter(({ kind }) => kind === 'master-signing' || kind === 'answers-signing');
    return end(
      open,
      master,
      ofUsers.map(({ publicKey }) => publicKey),
      options,
    );
  });
}

/**
 * Removes a master completely: as {@link endMaster}, and removes its signing keys from the account. Connections that
 * depend on them are cut.
 *
 * @param removal the permission
 * @returns the servers that confirmed, and have no dependent user connected
 * @throws as {@link masterToRemove}; TrustError `ERR_TRUST_SIGNING_KEY` for a key that was not judged
 */
export function removeMaster(
  home: string,
  name: string,
  removal: KeyRemoval,
  options: RemoveMasterOptions,
): Promise<PushReport> {
  return withOpenHome(home, 'zester master remove', options, async (open) => {
    const master = await find(open, name);
    const { keepAdmin = false } = options;
    const gone = master.keys.filter(({ kind }) => !(keepAdmin && kind === 'admin-signing'));
    const keys = gone.map(({ publicKey }) => publicKey);
    removal.require(home, keys);
    return end(open, master, keys, options);
  });
}

async function find(open: OpenHome, name: string): Promise<RosterEntry> {
  const { home, masterName } = open.domain;
  if (name === masterName)
    throw new TrustError(
      'ERR_TRUST_MASTER',
      home,
      `"${name}" is the master of this home: run this in another master's home`,
    );
  const roster = await readRoster(open);
  const master = roster.find((entry) => entry.name === name);
  if (master !== undefined) return master;
  const names = roster.map((entry) => entry.name).join(', ');
  throw new TrustError(
    'ERR_TRUST_MASTER',
    home,
    `there is no master "${excerpt(name)}": there is ${names}; see "zester master list"`,
  );
}

async function end(
  open: OpenHome,
  { users: all, systemKeys }: RosterEntry,
  signingKeys: readonly string[],
  { now, keepUsers = [] }: RemoveMasterOptions,
): Promise<PushReport> {
  const { domain, connected } = open;
  const users = all.filter((user) => !keepUsers.includes(user));
  const at = nowSeconds(now);
  const revocations = Object.fromEntries(users.map((user) => [user, PERMANENT]));
  const without = (keys: readonly string[]) => (claims: AccountClaims) =>
    withoutKeys(withRevoked(claims, revocations), keys, at);
  // its own system account user first: with it, the master could push the removed keys again
  const ofSystem = await changeSystemAccount(open, without(systemKeys), now);
  const ofAccount = await changeAccount(open, without(signingKeys), { now });
  const system = { ...systemAccountOf(domain), accountJwt: ofSystem.jwt };
  return joinReports(
    await withoutUsers(connected, system, { users, keys: systemKeys }, ofSystem),
    await withoutUsers(connected, domain, { users, keys: signingKeys }, ofAccount),
  );
}

function withRevoked(claims: AccountClaims, revocations: Readonly<Record<string, number>>): AccountClaims {
  const had = claims.nats.revocations ?? {};
  const missing = Object.entries(revocations).filter(([key, upTo]) => (had[key] ?? -1) < upTo);
  return missing.length === 0 ? claims : mergeRevocations(claims, Object.fromEntries(missing));
}

/** The report of a push, once no locked-out user is connected. */
async function withoutUsers(
  connected: Connected | undefined,
  account: Parameters<typeof lockOut>[1],
  { users, keys }: { users: readonly string[]; keys: readonly string[] },
  { jwt, report }: { jwt: string; report: PushReport | undefined },
): Promise<PushReport> {
  if (connected === undefined || report === undefined)
    throw new TypeError('servers: give at least one to push to');
  const bans = [
    ...(users.length === 0 ? [] : [revocationBan(new Map(users.map((user) => [user, PERMANENT])))]),
    ...(keys.length === 0 ? [] : [signingKeyBan(keys)]),
  ];
  let left = report;
  for (const ban of bans) {
    const found = await lockOut(connected, account, ban, { jwt, confirmed: report.confirmed });
    left = withFailed(left, [...found.lacking, ...found.occupied]);
  }
  return left;
}
