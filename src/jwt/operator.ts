import type { KeyBundle } from '../nkeys/key-bundle.js';
import { validatePublicKey } from '../nkeys/validate.js';
import { encodeJwt } from './encode.js';
import { wrongSigner } from './signer.js';
import { timeClaims, type ValidityOptions } from './time.js';

/** What an operator JWT says. */
export interface OperatorJwtOptions extends ValidityOptions {
  name: string;
  /** Public keys (`O…`) that may sign accounts beside the operator's own. */
  signingKeys?: readonly string[];
  /** Accounts must be signed by a signing key; the operator's identity key is then not enough. */
  strictSigningKeyUsage?: boolean;
  /** The public key of the system account. */
  systemAccount?: string;
  accountServerUrl?: string;
  operatorServiceUrls?: readonly string[];
  tags?: readonly string[];
}

/**
 * Makes an operator JWT, signed by the operator itself.
 *
 * @throws KeyError when a key is not of its role; JwtError `ERR_JWT_OPTIONS`
 */
export function createOperatorJwt(operator: KeyBundle, options: OperatorJwtOptions): string {
  if (operator.role !== 'operator') throw wrongSigner('operator JWT', operator, 'operator');
  for (const key of options.signingKeys ?? []) validatePublicKey(key, 'operator');
  if (options.systemAccount !== undefined) validatePublicKey(options.systemAccount, 'account');
  const { signingKeys, strictSigningKeyUsage, systemAccount, accountServerUrl, operatorServiceUrls, tags } =
    options;
  return encodeJwt(
    {
      ...timeClaims(options),
      sub: operator.publicKey,
      name: options.name,
      nats: {
        ...(signingKeys?.length && { signing_keys: [...signingKeys] }),
        ...(accountServerUrl !== undefined && { account_server_url: accountServerUrl }),
        ...(operatorServiceUrls && { operator_service_urls: [...operatorServiceUrls] }),
        ...(systemAccount !== undefined && { system_account: systemAccount }),
        ...(strictSigningKeyUsage === true && { strict_signing_key_usage: true }),
        ...(tags && { tags: [...tags] }),
        type: 'operator',
        version: 2,
      },
    },
    operator,
  );
}
