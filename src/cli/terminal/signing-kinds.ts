// Words for what each kind of signing key signs.
import type { AccountKeyKind } from '../../trust/paths.js';

/** Describes what each kind of signing key of the account signs. */
export const SIGNED: Readonly<Record<AccountKeyKind, string>> = {
  'peel-signing': 'peels',
  'join-signing': 'join tokens',
};
