import { describe, expect, it } from 'vitest';
import { inboxPrefixFor } from '../../src/connection/inbox-prefix.js';
import type { UserClaims } from '../../src/jwt/claims.js';
import { ADMIN_INBOX_PREFIX, MASTER_INBOX_PREFIX } from '../../src/permissions/names.js';
import { adminPermissions, masterPermissions } from '../../src/permissions/roles.js';

function claims(allow?: string[]): Pick<UserClaims, 'nats'> {
  return { nats: { ...(allow && { sub: { allow } }) } } as Pick<UserClaims, 'nats'>;
}

describe('the prefix of inboxes', () => {
  it("is an admin's with an admin's credentials, regardless of the user name", () => {
    const allow = adminPermissions().subscribe?.allow;
    expect(inboxPrefixFor(claims(allow as string[]), MASTER_INBOX_PREFIX)).toBe(ADMIN_INBOX_PREFIX);
  });

  it("is the master's with a master's credentials", () => {
    const allow = masterPermissions().subscribe?.allow;
    expect(inboxPrefixFor(claims(allow as string[]), MASTER_INBOX_PREFIX)).toBe(MASTER_INBOX_PREFIX);
  });

  it('is unchanged if the JWT allows it, is silent, or allows no inbox at all', () => {
    for (const allow of [undefined, [], ['>'], ['_INBOX.>'], ['zester.event.>'], ['_INBOX.*.>', '_INBOX.a']])
      expect(inboxPrefixFor(claims(allow), MASTER_INBOX_PREFIX)).toBe(MASTER_INBOX_PREFIX);
  });
});
