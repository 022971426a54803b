/** Checked by `npm run typecheck`; nothing here runs. */
import { expectTypeOf } from 'vitest';
import {
  CredsError,
  FleetError,
  isZesterError,
  JwtChainError,
  KeyError,
  PeelIdError,
  ZesterError,
  type CredsErrorCode,
  type ErrorCode,
  type FleetErrorCode,
  type KeyErrorCode,
} from 'zester';

declare const caught: unknown;

// a code is one of the literals of its class
if (caught instanceof CredsError) expectTypeOf(caught.code).toEqualTypeOf<CredsErrorCode>();
if (caught instanceof FleetError) expectTypeOf(caught.code).toEqualTypeOf<FleetErrorCode>();
if (caught instanceof KeyError) expectTypeOf(caught.code).toEqualTypeOf<KeyErrorCode>();
if (caught instanceof PeelIdError) expectTypeOf(caught.code).toEqualTypeOf<'ERR_PEEL_ID'>();
if (caught instanceof JwtChainError) {
  expectTypeOf(caught.code).extract<'ERR_CHAIN_OPERATOR_EXPIRED'>().not.toBeNever();
}
if (caught instanceof ZesterError) expectTypeOf(caught.code).toEqualTypeOf<ErrorCode>();
if (isZesterError(caught)) {
  expectTypeOf(caught).toEqualTypeOf<ZesterError>();
  expectTypeOf(caught.code).toEqualTypeOf<ErrorCode>();
}
expectTypeOf<string>().not.toExtend<ErrorCode>();
expectTypeOf<ErrorCode>().not.toBeAny();

// a switch on the code of any error is checked
if (caught instanceof ZesterError) {
  switch (caught.code) {
    case 'ERR_FILE_NOT_FOUND':
    case 'ERR_PEEL_ID':
      expectTypeOf(caught.code).toEqualTypeOf<'ERR_FILE_NOT_FOUND' | 'ERR_PEEL_ID'>();
      break;
    // @ts-expect-error there is no such code
    case 'ERR_FILE_NOT_FUOND':
      break;
    default:
      expectTypeOf(caught.code).toEqualTypeOf<Exclude<ErrorCode, 'ERR_FILE_NOT_FOUND' | 'ERR_PEEL_ID'>>();
  }
}

// no union of codes has widened to string
expectTypeOf<string>().not.toExtend<CredsErrorCode>();
expectTypeOf<string>().not.toExtend<FleetErrorCode>();
expectTypeOf<CredsError>().toExtend<ZesterError>();

// a switch narrows, and an unknown code does not compile
export function switches(error: KeyError): string {
  switch (error.code) {
    case 'ERR_KEY_ROLE':
      expectTypeOf(error.code).toEqualTypeOf<'ERR_KEY_ROLE'>();
      return 'another role';
    // @ts-expect-error there is no such code
    case 'ERR_KEY_ROLL':
      return 'misspelled';
    default:
      expectTypeOf(error.code).toEqualTypeOf<Exclude<KeyErrorCode, 'ERR_KEY_ROLE'>>();
      return 'something else';
  }
}
