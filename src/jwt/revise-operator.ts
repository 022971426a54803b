// reviseOperatorJwt: re-signs an operator JWT with changes.
import { bag, checkOptions, listOf, text, type Entries } from '../options/check-options.js';
import type { KeyBundle } from '../nkeys/key-bundle.js';
import { validatePublicKey } from '../nkeys/validate.js';
import type { OperatorClaims } from './claims.js';
import { decodeOperatorJwt } from './decode.js';
import { OPERATOR_ENTRIES, operatorClaims } from './operator.js';
import { jwtOptionsError } from './options-error.js';
import { resign } from './resign.js';
import {
  isReplacement,
  refuseSeeds,
  REVISION_ENTRIES,
  withRevision,
  type ListRevision,
  type Revision,
} from './revise.js';
import { wrongSigner } from './signer.js';
import * as v from 'valibot';

/** Changes to an operator JWT. Everything else is kept, including claims that Zester does not know. */
export interface OperatorRevision extends Revision {
  /** All signing keys (`O…`), or those to add and remove. */
  signingKeys?: ListRevision<string> | undefined;
  strictSigningKeyUsage?: boolean | undefined;
  systemAccount?: string | undefined;
  accountServerUrl?: string | undefined;
  operatorServiceUrls?: readonly string[] | undefined;
}

const keyLists = { add: listOf(text), remove: listOf(text) };
const OPERATOR_REVISION = bag({
  ...OPERATOR_ENTRIES,
  ...REVISION_ENTRIES,
  signingKeys: v.lazy((input): v.GenericSchema => (Array.isArray(input) ? listOf(text) : bag(keyLists))),
} satisfies Entries<OperatorRevision>);

/**
 * Re-signs an operator JWT with changed claims; every other claim keeps its text. Servers have the operator JWT in
 * their configuration, and load the new one on a reload.
 *
 * @param operator the operator's identity key
 * @throws KeyError `ERR_KEY_ROLE` for another key; JwtError `ERR_JWT_OPTIONS`, and as `decodeOperatorJwt`
 * @example
 * import { createOperatorJwt, generateKeyBundle, reviseOperatorJwt } from 'zester';
 *
 * const operator = generateKeyBundle('operator');
 * const operatorJwt = createOperatorJwt(operator, { name: 'example.com' });
 * const signingKey = generateKeyBundle('operator');
 * const revised = reviseOperatorJwt(operatorJwt, operator, {
 *   signingKeys: { add: [signingKey.publicKey] },
 * });
 */
export function reviseOperatorJwt(jwt: string, operator: KeyBundle, revision: OperatorRevision): string {
  checkOptions('reviseOperatorJwt', revision, OPERATOR_REVISION, jwtOptionsError);
  refuseSeeds(revision);
  const claims = decodeOperatorJwt(jwt);
  if (operator.publicKey !== claims.sub)
    throw wrongSigner('operator JWT', operator, `the operator ${claims.sub}`);
  return resign(jwt, claims, operator, (before) => revised(before, revision), revision.now);
}

function revised(claims: OperatorClaims, revision: OperatorRevision): OperatorClaims {
  const next = withRevision(claims, revision);
  const { signingKeys } = revision;
  return {
    ...next,
    nats: {
      ...next.nats,
      ...operatorClaims(revision),
      ...(signingKeys !== undefined && {
        signing_keys: revisedKeys(claims.nats.signing_keys ?? [], signingKeys),
      }),
      ...(revision.strictSigningKeyUsage === false && {
        strict_signing_key_usage: undefined as unknown as boolean,
      }),
    },
  };
}

function revisedKeys(before: readonly string[], revision: ListRevision<string>): string[] {
  const { add = [], remove = [] } = isReplacement(revision) ? { add: revision, remove: before } : revision;
  for (const key of [...add, ...remove]) validatePublicKey(key, 'operator');
  return [...new Set([...before.filter((key) => !remove.includes(key)), ...add])];
}
