// createOperatorJwt: signs operator JWTs.
import type { KeyBundle } from '../nkeys/key-bundle.js';
import { validatePublicKey } from '../nkeys/validate.js';
import { anything, bag, checkOptions, flag, listOf, text, type Entries } from '../options/check-options.js';
import type { OperatorNats } from './claims.js';
import { insteadOfClaims } from './decoded-claims.js';
import { encodeJwt } from './encode.js';
import { jwtOptionsError } from './options-error.js';
import { checkAccountServerUrl, checkServiceUrl } from './operator-urls.js';
import { wrongSigner } from './signer.js';
import { tagClaims } from './tags.js';
import { timeClaims, VALIDITY_ENTRIES, type ValidityOptions } from './validity.js';

/** The options of an operator JWT. */
export interface OperatorJwtOptions extends ValidityOptions {
  name: string;
  /** Public keys (`O…`) that may sign accounts, in addition to the operator's own. */
  signingKeys?: readonly string[] | undefined;
  /** Accounts must be signed by a signing key, not by the operator's identity key. */
  strictSigningKeyUsage?: boolean | undefined;
  /** The public key of the system account. */
  systemAccount?: string | undefined;
  /** Where tools such as nsc push and pull account JWTs. */
  accountServerUrl?: string | undefined;
  /** The URLs of the operator's servers, for tools. */
  operatorServiceUrls?: readonly string[] | undefined;
  /** Lower-cased and deduplicated. */
  tags?: readonly string[] | undefined;
}

/** @internal The options that both creating and revising an operator accept. */
export const OPERATOR_ENTRIES = {
  ...VALIDITY_ENTRIES,
  name: text,
  strictSigningKeyUsage: flag,
  systemAccount: text,
  accountServerUrl: text,
  operatorServiceUrls: listOf(text),
  tags: anything,
};

const OPERATOR_JWT = bag(
  { ...OPERATOR_ENTRIES, signingKeys: listOf(text) } satisfies Entries<OperatorJwtOptions>,
  {
    required: ['name'],
    instead: insteadOfClaims('reviseOperatorJwt()'),
  },
);

/**
 * Creates an operator JWT, signed by the operator itself.
 *
 * @throws KeyError when a key has the wrong role; JwtError `ERR_JWT_OPTIONS`
 * @example
 * import { createOperatorJwt, generateKeyBundle } from 'zester';
 *
 * const operator = generateKeyBundle('operator');
 * const signingKey = generateKeyBundle('operator');
 * const systemAccount = generateKeyBundle('account');
 * const operatorJwt = createOperatorJwt(operator, {
 *   name: 'example.com',
 *   signingKeys: [signingKey.publicKey],
 *   systemAccount: systemAccount.publicKey,
 * });
 */
export function createOperatorJwt(operator: KeyBundle, options: OperatorJwtOptions): string {
  if (operator.role !== 'operator') throw wrongSigner('operator JWT', operator, 'operator');
  checkOptions('createOperatorJwt', options, OPERATOR_JWT, jwtOptionsError);
  const { signingKeys } = options;
  for (const key of signingKeys ?? []) validatePublicKey(key, 'operator');
  return encodeJwt(
    {
      ...timeClaims(options),
      sub: operator.publicKey,
      name: options.name,
      nats: {
        ...(signingKeys?.length && { signing_keys: [...signingKeys] }),
        ...operatorClaims(options),
        type: 'operator',
        version: 2,
      },
    },
    operator,
  );
}

type Named = {
  [Key in Exclude<keyof OperatorJwtOptions, 'name' | 'signingKeys' | keyof ValidityOptions>]?:
    | OperatorJwtOptions[Key]
    | undefined;
};

/** @internal The given options as claims. @throws KeyError, JwtError `ERR_JWT_OPTIONS` */
export function operatorClaims(options: Named): Partial<OperatorNats> {
  const { strictSigningKeyUsage, systemAccount, accountServerUrl, operatorServiceUrls, tags } = options;
  if (systemAccount !== undefined) validatePublicKey(systemAccount, 'account');
  if (accountServerUrl !== undefined) checkAccountServerUrl(accountServerUrl);
  operatorServiceUrls?.forEach(checkServiceUrl);
  return {
    ...(accountServerUrl !== undefined && { account_server_url: accountServerUrl }),
    ...(operatorServiceUrls && { operator_service_urls: [...operatorServiceUrls] }),
    ...(systemAccount !== undefined && { system_account: systemAccount }),
    ...(strictSigningKeyUsage === true && { strict_signing_key_usage: true }),
    ...(tags && { tags: tagClaims(tags) }),
  };
}
