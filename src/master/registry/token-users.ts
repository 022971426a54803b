// The last users of a join token, in a form that stays small.
import { sha256Key } from '../../jwt/hash.js';
import type { JoinToken } from '../../protocol/records/join-token.js';

/** A peel that uses a token, and its key. */
export interface TokenUser {
  peelId: string;
  publicKey: string;
}

/** The last users of a token. */
type Users = Pick<JoinToken, 'usedBy' | 'usedBefore'>;

/** How many of the last users are listed. Few, because the record is rewritten for nearly every use. */
const LISTED_USERS = 16;
/** How many users are known in all, so that a retry is not counted again. The others have only a mark. */
const KNOWN_USERS = 200;

/** Enough that nobody can find another user with the same mark. */
const MARK_BYTES = 12;
/** In base64url. */
const MARK_LENGTH = 16;

/** Whether a user is one of the last of a token. */
export function hasUser({ usedBy, usedBefore = '' }: Users, user: TokenUser): boolean {
  return usedBy.some((one) => isSame(one, user)) || markAt(usedBefore, markOf(user)) >= 0;
}

/** The users after another one. */
export function withUser({ usedBy, usedBefore = '' }: Users, { peelId, publicKey }: TokenUser): Users {
  const users = [...usedBy, { peelId, publicKey }];
  // more than one if an older version has written the record: it lists all
  const before = users.slice(0, -LISTED_USERS);
  if (before.length === 0) return { usedBy: users };
  const marks = usedBefore + before.map(markOf).join('');
  return {
    usedBy: users.slice(-LISTED_USERS),
    usedBefore: marks.slice(-(KNOWN_USERS - LISTED_USERS) * MARK_LENGTH),
  };
}

/** The users without one of them. */
export function withoutUser({ usedBy, usedBefore }: Users, user: TokenUser): Users {
  const others = usedBy.filter((one) => !isSame(one, user));
  const at = markAt(usedBefore ?? '', markOf(user));
  if (usedBefore === undefined || at < 0) return { usedBy: others };
  return { usedBy: others, usedBefore: usedBefore.slice(0, at) + usedBefore.slice(at + MARK_LENGTH) };
}

function isSame(one: TokenUser, other: TokenUser): boolean {
  return one.peelId === other.peelId && one.publicKey === other.publicKey;
}

function markOf({ peelId, publicKey }: TokenUser): string {
  return Buffer.from(sha256Key(`${peelId} ${publicKey}`), 'latin1')
    .subarray(0, MARK_BYTES)
    .toString('base64url');
}

/** @returns -1 if it is not among them */
function markAt(marks: string, mark: string): number {
  for (let at = 0; at < marks.length; at += MARK_LENGTH) if (marks.startsWith(mark, at)) return at;
  return -1;
}
