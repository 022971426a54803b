// The key roles, and their prefixes.

/** The roles of a key in the NATS trust hierarchy. */
export const ROLES = ['operator', 'account', 'user'] as const;

/** The role of a key, which the first letter of its text shows. */
export type Role = (typeof ROLES)[number];

/** The roles, and curve (X25519) keys, which cannot sign. */
export type KeyKind = Role | 'curve';

/** Prefix bytes of the nkeys encoding: the upper five bits are the first base32 letter of the text. */
export const PREFIX_SEED = 18 << 3; // S
export const PREFIX_OF_KIND: Readonly<Record<KeyKind, number>> = {
  operator: 14 << 3, // O
  account: 0, // A
  user: 20 << 3, // U
  curve: 23 << 3, // X
};

/** All prefixes of nkeys, so that an error can name the kind of the given key. */
const NAME_OF_PREFIX = new Map<number, string>([
  [14 << 3, 'operator'],
  [0, 'account'],
  [20 << 3, 'user'],
  [23 << 3, 'curve'],
  [13 << 3, 'server'],
  [2 << 3, 'cluster'],
]);

/** The name of the kind for a prefix byte; undefined if nkeys has no such prefix. */
export function kindOfPrefix(prefix: number): string | undefined {
  return NAME_OF_PREFIX.get(prefix);
}

/** Whether `value` is one of {@link ROLES}. */
export function isRole(value: string): value is Role {
  return (ROLES as readonly string[]).includes(value);
}

/** "an operator", "an account", "a user": for messages. */
export function withArticle(kind: string): string {
  return /^[aeio]/.test(kind) ? `an ${kind}` : `a ${kind}`;
}
