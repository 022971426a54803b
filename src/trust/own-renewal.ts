// The setting for the renewal of a home's own credentials.
import type { KeyBundle } from '../nkeys/key-bundle.js';
import type { MasterKeyKind } from '../permissions/master-roles.js';
import { endorse } from './keys/endorsements.js';
import type { OwnRenewal } from './settings.js';

/** The public keys (`A…`) that sign a home's own credentials. A home without an admin has no key for admins. */
export type OwnKeys = Record<Exclude<MasterKeyKind, 'admin-signing'> | 'system-signing', string> &
  Partial<Record<'admin-signing', string>>;

/**
 * The entry in `zester.json` for the keys that sign a home's own credentials. The account's identity key endorses the
 * key that signs masters: peels then trust it, and the identity can go offline.
 *
 * @param options.lifetime the lifetime of the credentials, in seconds
 */
export function ownRenewal(
  keys: OwnKeys,
  { identity, account, lifetime }: { identity: KeyBundle; account: string; lifetime: number },
): OwnRenewal {
  const admin = keys['admin-signing'];
  return {
    masterSigningKey: keys['master-signing'],
    answersSigningKey: keys['answers-signing'],
    systemSigningKey: keys['system-signing'],
    ...(admin !== undefined && { adminSigningKey: admin }),
    endorsements: endorse(identity, account, keys['master-signing']),
    lifetime,
  };
}
