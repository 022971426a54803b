// Creates a trust domain, or completes an interrupted one.
import { planConnection } from '../../connection/connect-plan.js';
import { splitServerUrls } from '../../connection/server-urls.js';
import { TrustError } from '../../errors.js';
import { decodeAccountJwt, decodeOperatorJwt } from '../../jwt/decode.js';
import type { Clock } from '../../jwt/time.js';
import {
  anything,
  bag,
  callback,
  checkOptions,
  flag,
  number,
  text,
  type Entries,
} from '../../options/check-options.js';
import { OWN_CREDENTIALS_LIFETIME_SECONDS } from '../../timing.js';
import { checkAdopted, type AdoptedTrust } from './adopt.js';
import type { TrustDomain } from '../domain.js';
import { withHomeLock } from '../lock.js';
import { ensureMasterAnswersCreds } from '../master-answers.js';
import { damaged, openTrustDomain } from '../open.js';
import { trustPaths, type TrustPaths } from '../paths.js';
import { ensurePrivateDirectory, pathExists } from '../private-files.js';
import { stepsOf, type Step } from './steps.js';
import type { TlsFiles } from '../tls-settings.js';

/** The options of a new trust domain. */
export interface CreateTrustDomainOptions {
  /** `zester` by default. Not with `adopt`. */
  operatorName?: string;
  /** `fleet` by default. Not with an adopted account. */
  accountName?: string;
  /** The URLs of the fleet's servers, for commands that connect; a string may be a comma-separated list. */
  servers?: string | readonly string[];
  /** The TLS files for those connections, and whether to refuse servers without TLS. */
  tls?: TlsFiles;
  requireTls?: boolean;
  /**
   * The lifetime of the credentials of master, admin and system, in seconds; they renew themselves while in use. 90
   * days by default. 0 = they never expire, for fleets with peels of older versions, which do not know the renewing
   * keys. Not with `adopt`: the servers must have the keys first, see `addMasterKeys`.
   */
  credsLifetime?: number;
  /** Adopts an existing operator, and other existing parts. */
  adopt?: AdoptedTrust;
  now?: Clock;
  /** Called for each step, with its file and whether it was created or already existed. */
  onStep?: (step: { path: string; made: boolean }) => void;
}

const CREATE = bag({
  operatorName: text,
  accountName: text,
  servers: anything,
  tls: anything,
  requireTls: flag,
  credsLifetime: number,
  adopt: anything,
  now: callback,
  onStep: callback,
} satisfies Entries<CreateTrustDomainOptions>);

/** The same options, with normalized URLs. */
type CheckedOptions = CreateTrustDomainOptions & { servers?: readonly string[] };

const DEFAULT_OPERATOR_NAME = 'zester';
const DEFAULT_ACCOUNT_NAME = 'fleet';

/**
 * Creates the trust domain of a fleet in a home: an operator and its signing key, a system account, an account with
 * JetStream and the scoped signing keys `peel` and `join`, and the credentials of a master, an admin and the system
 * account, with the keys that renew them. An existing home stays as it is. The next run with the same options completes
 * an interrupted one.
 *
 * @throws TrustError when the home is exposed, damaged, locked, or another domain's, or when the adopted parts do not
 *   match (`ERR_TRUST_ADOPT`), `ERR_TRUST_OPTIONS` for unknown options; FileError; ConnectError when no connection is
 *   possible with `servers`, `tls` and `requireTls`
 */
export async function createTrustDomain(
  home: string,
  given: CreateTrustDomainOptions = {},
): Promise<TrustDomain> {
  const optionsError = (message: string) => new TrustError('ERR_TRUST_OPTIONS', home, message);
  checkOptions('createTrustDomain', given, CREATE, optionsError);
  const { credsLifetime: lifetime = 0 } = given;
  if (!Number.isSafeInteger(lifetime) || lifetime < 0)
    throw optionsError(
      `credsLifetime is ${lifetime}: give whole seconds, or 0 for credentials that never expire`,
    );
  const paths = trustPaths(home);
  const options = connectable(given);
  if (options.adopt !== undefined) {
    refuseNames(paths, options);
    refuseLifetime(paths, lifetime);
    checkAdopted(paths.home, options.adopt, options.now);
  }
  await ensurePrivateDirectory(paths.home);
  // a complete home is only read, without a lock, since it may be on a read-only disk
  if (pathExists(paths.settings) && pathExists(paths.masterAnswersCreds)) return existing(paths, options);
  return withHomeLock(paths.home, 'zester init', async () => {
    if (pathExists(paths.settings)) return completed(paths, options);
    for (const directory of [paths.keysDirectory, paths.jwtDirectory, paths.credsDirectory]) {
      await ensurePrivateDirectory(directory);
    }
    const steps = stepsFor(paths, options);
    const done = stepsDone(paths, steps, options);
    for (const [i, { path, make }] of steps.entries()) {
      const made = i >= done;
      if (made) await make();
      options.onStep?.({ path, made });
    }
    return checked(await openTrustDomain(home), options);
  });
}

function stepsFor(paths: TrustPaths, options: CheckedOptions): Step[] {
  const isNew = options.adopt === undefined;
  return stepsOf(paths, {
    ...options,
    operatorName: options.operatorName ?? DEFAULT_OPERATOR_NAME,
    accountName: options.accountName ?? DEFAULT_ACCOUNT_NAME,
    credsLifetime: options.credsLifetime ?? (isNew ? OWN_CREDENTIALS_LIFETIME_SECONDS : 0),
  });
}

async function existing(paths: TrustPaths, options: CheckedOptions): Promise<TrustDomain> {
  const domain = checked(await openTrustDomain(paths.home), options);
  report(paths, options, domain, []);
  return domain;
}

/** Adds a file that this version needs to a home of an older version, if the home has the key to sign it. */
async function completed(paths: TrustPaths, options: CheckedOptions): Promise<TrustDomain> {
  const domain = checked(await openTrustDomain(paths.home), options);
  const { adopt, now } = options;
  const outcome = await ensureMasterAnswersCreds(domain, {
    ...(adopt?.accountSigner !== undefined && { signer: adopt.accountSigner }),
    ...(now !== undefined && { now }),
  });
  report(paths, options, domain, outcome === 'made' ? [paths.masterAnswersCreds] : []);
  return domain;
}

function report(
  paths: TrustPaths,
  options: CheckedOptions,
  domain: TrustDomain,
  made: readonly string[],
): void {
  const { renewal } = domain.settings;
  for (const { path } of stepsFor(paths, { ...options, credsLifetime: renewal?.lifetime ?? 0 })) {
    // a home that predates join tokens has no key for them, which "zester keys add join-signing" creates
    if (path === paths.joinSigningSeed && domain.publicKeys.joinSigning === undefined) continue;
    // the home of an invited master has no admin
    if (path === paths.adminSigningSeed && renewal?.adminSigningKey === undefined) continue;
    options.onStep?.({ path, made: made.includes(path) });
  }
}

/**
 * The number of steps that an interrupted run completed. Steps run in order, so a file after a missing one means that
 * files were removed; new keys for old JWTs would only hide that.
 *
 * @throws TrustError `ERR_TRUST_DAMAGED`
 */
function stepsDone(paths: TrustPaths, steps: readonly Step[], { adopt }: CreateTrustDomainOptions): number {
  const exists = steps.map(({ path }) => pathExists(path));
  const last = exists.lastIndexOf(true);
  const missing = steps.filter((_, i) => i < last && exists[i] === false).map(({ path }) => path);
  if (missing.length > 0) {
    const hint =
      adopt === undefined ? '; if it was started with other options, pass the same options again' : '';
    throw damaged(paths.home, `missing: ${missing.join(', ')}${hint}`);
  }
  return last + 1;
}

/** The running servers do not have the system account's new key, which would sign the user that pushes it. */
function refuseLifetime(paths: TrustPaths, lifetime: number): void {
  if (lifetime === 0) return;
  throw new TrustError(
    'ERR_TRUST_ADOPT',
    paths.home,
    'the credentials of an adopted trust domain do not expire at first: omit the lifetime, and run "zester keys add ' +
      'master-signing" once the servers have the account',
  );
}

function refuseNames(
  paths: TrustPaths,
  { operatorName, accountName, adopt }: CreateTrustDomainOptions,
): void {
  const named =
    operatorName !== undefined
      ? 'operator'
      : accountName !== undefined && adopt?.accountJwt
        ? 'account'
        : undefined;
  if (named === undefined) return;
  throw new TrustError(
    'ERR_TRUST_ADOPT',
    paths.home,
    `an adopted ${named} already has a name in its JWT: omit the name`,
  );
}

/** @throws TrustError if the existing domain is not the requested one */
function checked(domain: TrustDomain, options: CheckedOptions): TrustDomain {
  for (const [what, wanted, is] of [
    ['operator', options.operatorName, domain.names.operator],
    ['account', options.accountName, domain.names.account],
  ] as const) {
    if (wanted === undefined || wanted === is) continue;
    throw new TrustError(
      'ERR_TRUST_NAMES',
      domain.home,
      `the trust domain in ${domain.home} has the ${what} "${is}", not "${wanted}": omit the name, or choose another --home`,
    );
  }
  const { adopt } = options;
  if (adopt === undefined) return domain;
  const wanted = [
    ['operator', decodeOperatorJwt(adopt.operatorJwt).sub, domain.publicKeys.operator],
    [
      'account',
      adopt.accountJwt === undefined ? domain.publicKeys.account : decodeAccountJwt(adopt.accountJwt).sub,
      domain.publicKeys.account,
    ],
  ] as const;
  for (const [what, publicKey, is] of wanted) {
    if (publicKey === is) continue;
    throw new TrustError(
      'ERR_TRUST_ADOPT',
      domain.home,
      `the trust domain in ${domain.home} has the ${what} ${is}, not ${publicKey}: choose another --home`,
    );
  }
  return domain;
}

/** Normalizes the URLs. Refuses settings that no command could connect with, before they are stored in a home. */
function connectable(given: CreateTrustDomainOptions): CheckedOptions {
  const { servers, ...options } = given;
  const { tls, requireTls } = options;
  const isNamed = splitServerUrls(servers ?? []).length > 0;
  const { urls } = planConnection({ servers: isNamed ? servers : undefined, tls, requireTls });
  return isNamed ? { ...options, servers: urls } : options;
}
