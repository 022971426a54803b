/** Checked by `npm run typecheck`; nothing here runs. */
import { expectTypeOf } from 'vitest';
import type { createUserJwt } from 'zester';
import {
  decodeAccountJwt,
  decodeOperatorJwt,
  decodeUserJwt,
  generateCurveKey,
  generateKeyBundle,
  isPeelId,
  loadKeyBundle,
  peelPermissions,
  peelUserJwtOptions,
  publicKeyFromSeed,
  validatePeelId,
  type AccountClaims,
  type CurveKey,
  type KeyBundle,
  type OperatorClaims,
  type PermissionOptions,
  type Role,
  type UserClaims,
  type UserJwtOptions,
} from 'zester';

// keys
expectTypeOf<Role>().toEqualTypeOf<'operator' | 'account' | 'user'>();
expectTypeOf(generateKeyBundle).parameters.toEqualTypeOf<[role: Role]>();
expectTypeOf(loadKeyBundle).parameter(1).toEqualTypeOf<Uint8Array | string>();
expectTypeOf(generateCurveKey).returns.toEqualTypeOf<CurveKey>();
expectTypeOf(publicKeyFromSeed).returns.toBeString();
expectTypeOf<KeyBundle>().toHaveProperty('seed').toEqualTypeOf<Uint8Array>();
// a curve key signs nothing
expectTypeOf<CurveKey>().not.toExtend<KeyBundle>();
// @ts-expect-error an admin is a user, not a role of keys
void (() => generateKeyBundle('admin'));

// JWTs: each kind decodes to its own claims
expectTypeOf(decodeOperatorJwt).returns.toEqualTypeOf<OperatorClaims>();
expectTypeOf(decodeAccountJwt).returns.toEqualTypeOf<AccountClaims>();
expectTypeOf(decodeUserJwt).returns.toEqualTypeOf<UserClaims>();
expectTypeOf<Parameters<typeof createUserJwt>>().toEqualTypeOf<
  [user: KeyBundle, signer: KeyBundle, options: UserJwtOptions]
>();
expectTypeOf<UserClaims['exp']>().toEqualTypeOf<number | undefined>();

// undefined is the same as omitted
expectTypeOf<{ name: string }>().toExtend<UserJwtOptions>();
expectTypeOf<{ name: string; permissions: undefined }>().toExtend<UserJwtOptions>();
expectTypeOf<{ name: string; issuerAccount: undefined }>().toExtend<UserJwtOptions>();

// permissions
expectTypeOf(peelPermissions).returns.toEqualTypeOf<PermissionOptions>();
expectTypeOf(peelUserJwtOptions).returns.toEqualTypeOf<UserJwtOptions>();
expectTypeOf<{ publish: { allow: readonly ['a'] } }>().toExtend<PermissionOptions>();
// @ts-expect-error the names of the claims are not those of the options
export const claims: PermissionOptions = { pub: { allow: ['a'] } };

// an ID is narrowed from untrusted input
declare const sent: unknown;
if (isPeelId(sent)) expectTypeOf(sent).toBeString();
expectTypeOf(validatePeelId).returns.toBeString();
