// Opens a home, and checks that it is complete and private.
import { allInOrder } from '../async/all-in-order.js';
import { loadJwtFile } from '../creds/load-jwt-file.js';
import { TrustError, ZesterError } from '../errors.js';
import type { AccountClaims } from '../jwt/claims.js';
import { decodeAccountJwt, decodeOperatorJwt } from '../jwt/decode.js';
import { trustPaths, type TrustPaths } from './paths.js';
import { checkPrivateDirectory, pathExists } from './private-files.js';
import { readSettings, type TrustSettings } from './settings.js';
import { signingSeedPath } from './keys/signing-seed.js';
import { TrustDomain, type TrustJwts } from './domain.js';

/**
 * Opens the trust domain in a home, and checks that it is complete, private to its owner, and that its JWTs match its
 * keys. The seeds of the operator and of the account may be offline.
 *
 * @throws TrustError
 */
export async function openTrustDomain(home: string): Promise<TrustDomain> {
  const paths = trustPaths(home);
  const exists = checkPrivateDirectory(paths.home);
  if (!exists || !pathExists(paths.settings)) {
    const isIncomplete = exists && (pathExists(paths.operatorSeed) || pathExists(paths.operatorSigningSeed));
    throw isIncomplete
      ? new TrustError(
          'ERR_TRUST_INCOMPLETE',
          paths.home,
          `the trust domain in ${paths.home} is incomplete: run the same "zester init" again`,
        )
      : new TrustError(
          'ERR_TRUST_NOT_FOUND',
          paths.home,
          `no trust domain in ${paths.home}: create one with "zester init", or pass its --home`,
        );
  }
  for (const directory of [paths.jwtDirectory, paths.keysDirectory, paths.credsDirectory]) {
    checkPrivateDirectory(directory);
  }
  const settings = await readSettings(paths.settings);
  refuseMissing(paths, settings);
  const [operatorJwt, systemAccountJwt, accountJwt] = await allInOrder([
    loadJwtFile(paths.operatorJwt),
    loadJwtFile(paths.systemAccountJwt),
    loadJwtFile(paths.accountJwt),
  ]);
  const jwts = { operatorJwt, systemAccountJwt, accountJwt };
  const accountClaims = checkJwts(paths, settings, jwts);
  return new TrustDomain(paths, settings, { ...jwts, accountClaims });
}

function refuseMissing(paths: TrustPaths, settings: TrustSettings): void {
  const needed = [
    paths.operatorJwt,
    paths.systemAccountJwt,
    paths.accountJwt,
    signingSeedPath(paths, 'operator-signing', settings.operator.signingKey),
    signingSeedPath(paths, 'peel-signing', settings.account.peelSigningKey),
    paths.masterCreds,
    // the home of an invited master has no admin's credentials
    ...(settings.master === undefined ? [paths.adminCreds] : []),
    paths.systemCreds,
  ];
  const missing = needed.filter((path) => !pathExists(path));
  if (missing.length > 0) throw damaged(paths.home, `missing: ${missing.join(', ')}`);
}

/**
 * Checks that a home's JWTs match its settings. Less strict than `validateJwtChain`: with an expired account, an
 * operator must still be able to open the home, to renew it.
 *
 * @returns the account's claims
 * @throws TrustError `ERR_TRUST_DAMAGED`
 */
export function checkJwts(paths: TrustPaths, settings: TrustSettings, jwts: TrustJwts): AccountClaims {
  const operator = decoded(paths, paths.operatorJwt, () => decodeOperatorJwt(jwts.operatorJwt));
  const { signing_keys: signers = [], system_account: systemAccount } = operator.nats;
  if (operator.sub !== settings.operator.publicKey || operator.iss !== operator.sub) {
    throw damaged(
      paths.home,
      `${paths.operatorJwt} is not the JWT of the operator ${settings.operator.publicKey}`,
    );
  }
  if (systemAccount !== settings.systemAccount.publicKey) {
    throw damaged(paths.home, `${paths.operatorJwt} has a different system account than zester.json`);
  }
  const check = (path: string, jwt: string, { publicKey }: { publicKey: string }) => {
    const account = decoded(paths, path, () => decodeAccountJwt(jwt));
    if (account.sub !== publicKey)
      throw damaged(paths.home, `${path} is not the JWT of the account ${publicKey}`);
    if (account.iss !== operator.sub && !signers.includes(account.iss)) {
      throw damaged(paths.home, `${path} is signed by ${account.iss}, which is not a key of this operator`);
    }
    return account;
  };
  check(paths.systemAccountJwt, jwts.systemAccountJwt, settings.systemAccount);
  return check(paths.accountJwt, jwts.accountJwt, settings.account);
}

function decoded<T>(paths: TrustPaths, path: string, decode: () => T): T {
  try {
    return decode();
  } catch (cause) {
    if (!(cause instanceof ZesterError)) throw cause;
    throw damaged(paths.home, `${path} cannot be used (${cause.message})`, cause);
  }
}

/** The error for a damaged home. */
export function damaged(home: string, what: string, cause?: unknown): TrustError {
  return new TrustError(
    'ERR_TRUST_DAMAGED',
    home,
    `the trust domain in ${home} is damaged: ${what}; restore it from a backup`,
    { cause },
  );
}
