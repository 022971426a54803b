import { describe, expect, it } from 'vitest';
import { adminOfUserName, adminUserName, isAdminName } from '../../src/permissions/admin-names.js';
import {
  ADDED_ROLES,
  ADMIN_ROLES,
  ADMIN_VERBS,
  mayRequest,
  mayReject,
  roleOfTags,
  roleTag,
  verbsOf,
} from '../../src/permissions/admin-roles.js';
import { adminCallerOf, adminInboxPrefix, adminSubject } from '../../src/permissions/names.js';
import { isPeelId } from '../../src/permissions/peel-id.js';
import { adminPermissions, adminUserJwtOptions } from '../../src/permissions/roles.js';
import { generateKeyBundle } from '../../src/nkeys/key-bundle.js';

describe('the table of roles', () => {
  it('gives each role the requests of the previous one, and the owner everything', () => {
    const all = ADMIN_ROLES.map((role) => new Set(verbsOf(role)));
    for (const [i, verbs] of all.entries())
      for (const verb of all[i - 1] ?? []) expect(verbs).toContain(verb);
    expect(verbsOf('owner')).toEqual(Object.keys(ADMIN_VERBS));
  });

  it('lets a viewer change nothing', () => {
    expect(verbsOf('viewer').filter((verb) => ADMIN_VERBS[verb].writes)).toEqual([]);
    expect(mayRequest('viewer', 'peel.accept')).toBe(false);
  });

  it('lets only an operator reject a peel that was accepted', () => {
    expect(mayReject('approver', 'pending')).toBe(true);
    for (const state of ['accepted', 'active']) {
      expect(mayReject('approver', state)).toBe(false);
      expect(mayReject('operator', state)).toBe(true);
    }
  });
});

describe('the role in the tags of a JWT', () => {
  it('is read back', () => {
    for (const role of ADDED_ROLES) expect(roleOfTags(['x', roleTag(role)])).toBe(role);
  });

  it.each([
    [undefined],
    [[]],
    [['zester-role:owner']],
    [['zester-role:root']],
    [['zester-role:']],
    [['role:viewer']],
    [['zester-role:viewer', 'zester-role:operator']],
  ])('is none in %j', (tags) => {
    expect(roleOfTags(tags)).toBeUndefined();
  });
});

describe('the name of an admin', () => {
  it('gives a user that is no peel, and is read back', () => {
    const user = adminUserName('night-shift');
    expect(isPeelId(user)).toBe(false);
    expect(adminOfUserName(user)).toBe('night-shift');
  });

  it.each(['', 'A', 'a.b', 'a b', '*', '>', '-a', 'a-', 'a'.repeat(41), 'a\n', 'ä', '{{name()}}'])(
    'is not %j',
    (name) => {
      expect(isAdminName(name)).toBe(false);
      expect(() => adminUserName(name)).toThrow(/not a name/);
      expect(adminOfUserName(`_zester-admin-${name}`)).toBeUndefined();
    },
  );

  it('is in its subjects and its inbox, and the owner keeps the old ones', () => {
    const user = adminUserName('ann');
    expect(adminSubject('peel.list', user)).toBe('zester.admin._zester-admin-ann.peel.list');
    expect(adminCallerOf('zester.admin._zester-admin-ann.peel.list')).toEqual({
      caller: user,
      verb: 'peel.list',
    });
    expect(adminInboxPrefix(user)).toBe('_INBOX._zester-admin-ann');
    for (const owner of ['zester-admin', 'inventory', undefined]) {
      expect(adminSubject('peel.list', owner)).toBe('zester.admin.peel.list');
      expect(adminInboxPrefix(owner)).toBe('_INBOX._zester-admin');
    }
    expect(adminCallerOf('zester.admin.peel.list')).toEqual({ caller: 'zester-admin', verb: 'peel.list' });
    // a malformed name is not a name: it is the owner's subject, and no request
    expect(adminCallerOf('zester.admin._zester-admin-.peel.list').caller).toBe('zester-admin');
  });
});

describe('the JWT of an admin with a role', () => {
  const { publicKey } = generateKeyBundle('account');

  it('names every subject of its own: none has a wildcard that covers another admin', () => {
    for (const role of ADDED_ROLES) {
      const { publish, subscribe } = adminPermissions({ name: 'ann', role });
      const admins = (publish?.allow ?? []).filter((subject) => subject.startsWith('zester.admin.'));
      expect(admins).toEqual(verbsOf(role).map((verb) => adminSubject(verb, adminUserName('ann'))));
      const inboxes = (subscribe?.allow ?? []).filter((subject) => subject.startsWith('_INBOX'));
      expect(inboxes).toEqual(['_INBOX._zester-admin-ann.>']);
    }
  });

  it.each([
    ['the role of the owner', { admin: { name: 'ann', role: 'owner' } }],
    ['an unknown role', { admin: { name: 'ann', role: 'root' } }],
    ['a name with a wildcard', { admin: { name: '*', role: 'viewer' } }],
    ['a signing key of admins', { admin: { name: 'ann', role: 'viewer' }, scoped: true }],
  ])('is refused with %s', (_what, options) => {
    expect(() => adminUserJwtOptions(publicKey, options as never)).toThrow(
      expect.objectContaining({ code: 'ERR_JWT_OPTIONS' }) as Error,
    );
  });
});
