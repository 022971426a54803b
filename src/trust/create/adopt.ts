// Validates an operator and account that are adopted from another tool.
import { signingKeyId } from '../../jwt/signing-key-ids.js';
import type { CredsFile } from '../../creds/creds-file.js';
import { TrustError, ZesterError } from '../../errors.js';
import { validateJwtChain } from '../../jwt/chain.js';
import type { AccountClaims, OperatorClaims, ScopedSigningKeyClaim } from '../../jwt/claims.js';
import { decodeAccountJwt, decodeOperatorJwt } from '../../jwt/decode.js';
import type { Clock } from '../../jwt/time.js';
import type { KeyBundle } from '../../nkeys/key-bundle.js';
import { JOIN_ROLE } from '../../permissions/roles.js';

/**
 * An existing trust domain, created by nsc or another tool, or the parts of it to adopt. Missing parts are created,
 * except the operator and the system account.
 */
export interface AdoptedTrust {
  operatorJwt: string;
  /** Signs accounts: a signing key of the operator, or its identity key if it has none. */
  operatorSigner: KeyBundle;
  /** The operator's identity; absent: it stays offline. */
  operator?: KeyBundle;
  systemAccountJwt: string;
  /** Credentials of a user of the system account, or a key of that account to create one with. */
  system: { creds: CredsFile } | { signer: KeyBundle };
  /** The fleet's account; absent: a new one. */
  accountJwt?: string;
  /**
   * Signs the master and the admin: the account's identity, or an unscoped signing key. An identity is stored in the
   * home; a signing key is used once. Required with `accountJwt`; without it, the identity of the new account.
   */
  accountSigner?: KeyBundle;
  /** The scoped signing key of peels; absent: a new one, which is added to the account. */
  peelSigner?: KeyBundle;
  /** The scoped signing key of join tokens; absent: a new one, which is added to the account. */
  joinSigner?: KeyBundle;
}

/**
 * Checks that the parts of an adopted trust domain match each other.
 *
 * @param home the home, for the errors
 * @throws TrustError `ERR_TRUST_ADOPT`, which says which part does not match and what to give
 */
export function checkAdopted(home: string, adopted: AdoptedTrust, now?: Clock): void {
  const refuse = (why: string, cause?: unknown): never => {
    throw new TrustError('ERR_TRUST_ADOPT', home, `cannot adopt this trust domain: ${why}`, { cause });
  };
  const usable = <T>(what: string, check: () => T): T => {
    try {
      return check();
    } catch (cause) {
      if (!(cause instanceof ZesterError)) throw cause;
      return refuse(`${what} cannot be used (${cause.message})`, cause);
    }
  };
  const operator = usable('the operator JWT', () => decodeOperatorJwt(adopted.operatorJwt));
  checkOperator(operator, adopted, refuse);

  const system = usable('the JWT of the system account', () => decodeAccountJwt(adopted.systemAccountJwt));
  if (system.sub !== operator.nats.system_account) {
    refuse(
      `the operator's system account is ${operator.nats.system_account}, but the given JWT is that of ${system.sub}`,
    );
  }
  checkIssuer('the system account', system, operator, refuse);
  if ('creds' in adopted.system) {
    const { creds } = adopted.system;
    usable('the credentials of the system account', () =>
      validateJwtChain(adopted.operatorJwt, adopted.systemAccountJwt, creds.jwt, { ...(now && { now }) }),
    );
  } else if (unscopedKeyOf(system, adopted.system.signer.publicKey) === undefined) {
    refuse(`${adopted.system.signer.publicKey} is not a key of the system account ${system.sub}`);
  } else if (
    operator.nats.strict_signing_key_usage === true &&
    adopted.system.signer.publicKey === system.sub
  ) {
    refuse("the operator allows only signing keys: give a signing key's seed for the system account");
  }
  checkAccount(operator, adopted, usable, refuse);
}

type Refuse = (why: string) => never;
type Usable = <T>(what: string, check: () => T) => T;

function checkOperator(operator: OperatorClaims, adopted: AdoptedTrust, refuse: Refuse): void {
  const {
    signing_keys: signers = [],
    strict_signing_key_usage: strict,
    system_account: system,
  } = operator.nats;
  const signer = adopted.operatorSigner.publicKey;
  if (operator.iss !== operator.sub)
    refuse(`the operator JWT of ${operator.sub} is not signed by the operator itself`);
  if ((system ?? '') === '') {
    refuse(
      'the operator JWT has no system account, so nothing could be pushed: add one with the tool that created it ' +
        '(nsc edit operator --system-account SYS)',
    );
  }
  if (!signers.includes(signer) && (signer !== operator.sub || strict === true)) {
    const wanted = signers.length > 0 ? `one of ${signers.join(', ')}` : operator.sub;
    refuse(`${signer} does not sign for the operator ${operator.sub}: give the seed of ${wanted}`);
  }
  if (adopted.operator !== undefined && adopted.operator.publicKey !== operator.sub) {
    refuse(
      `${adopted.operator.publicKey} is the identity key of another operator: the JWT is that of ${operator.sub}`,
    );
  }
}

function checkAccount(operator: OperatorClaims, adopted: AdoptedTrust, usable: Usable, refuse: Refuse): void {
  const { accountJwt, accountSigner, peelSigner, joinSigner } = adopted;
  const strict = operator.nats.strict_signing_key_usage === true;
  if (peelSigner !== undefined && peelSigner.publicKey === joinSigner?.publicKey) {
    refuse(`${peelSigner.publicKey} cannot sign both peels and join tokens: give two keys, or omit one`);
  }
  if (accountJwt === undefined) {
    if (strict) {
      refuse(
        'the operator allows only signing keys: first create the account with a signing key, then give its JWT and the ' +
          "signing key's seed",
      );
    }
    return;
  }
  const account = usable('the account JWT', () => decodeAccountJwt(accountJwt));
  checkIssuer('the account', account, operator, refuse);
  if (account.sub === operator.nats.system_account) {
    refuse('the account is the system account: a fleet needs its own');
  }
  if (accountSigner === undefined) {
    return refuse(
      'with an account JWT, also give the seed of the account or of one of its unscoped signing keys',
    );
  }
  if (unscopedKeyOf(account, accountSigner.publicKey) === undefined) {
    refuse(
      `${accountSigner.publicKey} is neither the account ${account.sub} nor one of its unscoped signing keys`,
    );
  }
  if (strict && accountSigner.publicKey === account.sub) {
    refuse(
      "the operator allows only signing keys: give the seed of one of the account's signing keys, not the account's own",
    );
  }
  for (const [what, signer] of [
    ['peels', peelSigner],
    ['join tokens', joinSigner],
  ] as const) {
    const key = signer && signingKeyOf(account, signer.publicKey);
    if (signer !== undefined && (typeof key === 'string' || signer.publicKey === account.sub)) {
      refuse(`${signer.publicKey} signs for the account without a scope: ${what} need a scoped signing key`);
    }
    if (typeof key !== 'object') continue;
    // roles distinguish a join token's credential from a peel's
    if ((key.role === JOIN_ROLE) !== (signer === joinSigner)) {
      refuse(
        `${key.key} has the role "${key.role ?? ''}" in the account JWT: only the signing key of join tokens has ` +
          `the role "${JOIN_ROLE}"`,
      );
    }
  }
}

function checkIssuer(what: string, account: AccountClaims, operator: OperatorClaims, refuse: Refuse): void {
  const strict = operator.nats.strict_signing_key_usage === true;
  if ((operator.nats.signing_keys ?? []).includes(account.iss)) return;
  if (account.iss === operator.sub && !strict) return;
  refuse(
    `${what} ${account.sub} is signed by ${account.iss}, which is not a key of the operator ${operator.sub}`,
  );
}

/** The signing key of an account with this public key; undefined: none. */
export function signingKeyOf(
  account: AccountClaims,
  publicKey: string,
): string | ScopedSigningKeyClaim | undefined {
  return (account.nats.signing_keys ?? []).find((key) => signingKeyId(key) === publicKey);
}

/** Returns the public key if it may sign users with their own permissions for the account. */
function unscopedKeyOf(account: AccountClaims, publicKey: string): string | undefined {
  if (publicKey === account.sub) return publicKey;
  const key = signingKeyOf(account, publicKey);
  return typeof key === 'string' ? key : undefined;
}
