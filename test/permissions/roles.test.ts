import { describe, expect, it } from 'vitest';
import {
  adminPermissions,
  adminUserJwtOptions,
  createUserJwt,
  decodeUserJwt,
  generateKeyBundle,
  masterPermissions,
  masterUserJwtOptions,
  peelInboxPrefix,
  peelPermissions,
  peelPermissionsTemplate,
  peelUserJwtOptions,
  subjectCovers,
  validateSubject,
  type PermissionOptions,
} from '../../src/index.js';
import { isPeelId } from '../../src/permissions/peel-id.js';
import { ADMIN_INBOX_PREFIX, MASTER_INBOX_PREFIX } from '../../src/permissions/names.js';
import {
  joinInboxPrefix,
  joinName,
  joinPermissionsTemplate,
  joinUserJwtOptions,
  tokenIdOfName,
} from '../../src/permissions/roles.js';
import type { RolePermissions } from '../../src/permissions/role-permissions.js';
import { refusal } from '../support/refusal.js';

const account = generateKeyBundle('account');
const user = generateKeyBundle('user');

function may(permissions: PermissionOptions, what: 'publish' | 'subscribe', subject: string): boolean {
  return permissions[what]?.allow?.some((allowed) => subjectCovers(allowed, subject)) ?? true;
}

describe('a peel', () => {
  const web01 = peelPermissions('web-01');

  it('may publish as itself, and subscribe to messages addressed to it', () => {
    expect(web01).toEqual({
      publish: {
        allow: ['zester.event.web-01.>', 'zester.job.*.return.web-01', 'zester.auth.web-01.>'],
      },
      subscribe: {
        allow: ['zester.cmd.web-01', 'zester.cmd.web-01.>', '_INBOX.web-01.>'],
      },
    });
  });

  it.each([
    'zester.event.web-02.x',
    'zester.event.web-01',
    'zester.event.>',
    'zester.fact.web-01',
    'zester.job.7.ack.web-01',
    'zester.job.7.return.web-02',
    'zester.job.7.cancel',
    'zester.auth.web-02.renew',
    'zester.cmd.web-01',
    'zester.cmd.web-02',
    'zester.admin.x',
    'zester.enroll.x',
    '_INBOX.web-01.x',
    '_INBOX.web-02.x',
    '_INBOX.web-0.x',
    `${MASTER_INBOX_PREFIX}.x`,
    `${ADMIN_INBOX_PREFIX}.x`,
    '$SYS.REQ.x',
    '$JS.API.INFO',
    '$KV.zester-peels.web-01',
    '>',
  ])('may not publish %s', (subject) => {
    expect(may(web01, 'publish', subject)).toBe(false);
  });

  it.each([
    'zester.cmd.web-02',
    'zester.cmd.web-02.x',
    'zester.cmd.*',
    'zester.cmd.>',
    'zester.event.>',
    'zester.fact.*',
    'zester.job.>',
    'zester.job.*.cancel',
    'zester.job.*.return.web-01',
    'zester.auth.>',
    'zester.admin.>',
    'zester.enroll.>',
    '_INBOX.>',
    '_INBOX.web-02.>',
    `${MASTER_INBOX_PREFIX}.>`,
    '$SYS.>',
    '$JS.>',
    '>',
    '*',
  ])('may not subscribe to %s', (subject) => {
    expect(may(web01, 'subscribe', subject)).toBe(false);
  });

  it('has the same subjects by a template, with the name in the place of the id', () => {
    const template = JSON.stringify(peelPermissionsTemplate());
    expect(JSON.parse(template.replaceAll('{{name()}}', 'web-01'))).toEqual(web01);
  });

  it('has inboxes that masters and admins do not share', () => {
    expect(peelInboxPrefix('web-01')).toBe('_INBOX.web-01');
    for (const prefix of [MASTER_INBOX_PREFIX, ADMIN_INBOX_PREFIX]) {
      expect(prefix).toMatch(/^_INBOX\._/);
      validateSubject(prefix, { wildcards: false });
    }
  });
});

describe('a join token', () => {
  const token = 'Ab12Cd34';

  it('may request to join under its own name and read the answers, and nothing else', () => {
    const filled = JSON.stringify(joinPermissionsTemplate()).replaceAll('{{name()}}', joinName(token));
    expect(JSON.parse(filled)).toEqual({
      publish: { allow: ['zester.enroll._zester-join-Ab12Cd34.>'] },
      subscribe: { allow: ['_INBOX._zester-join-Ab12Cd34.>'] },
    });
    expect(joinInboxPrefix(token)).toBe('_INBOX._zester-join-Ab12Cd34');
    for (const subject of joinPermissionsTemplate().publish?.allow ?? [])
      validateSubject(subject, { templates: true });
  });

  it('has a name that is not a peel ID and contains its token ID', () => {
    expect(isPeelId(joinName(token))).toBe(false);
    expect(tokenIdOfName(joinName(token))).toBe(token);
    for (const name of [
      'web-01',
      token,
      '_zester-join-',
      '_zester-join-a.b.c.d.e',
      `x${joinName(token)}`,
      '',
    ])
      expect(tokenIdOfName(name), name).toBeUndefined();
  });

  it.each(['', 'short12', 'x'.repeat(41), 'with-dash', 'with.dots', '*', '>', 'abcdefgh\n', 'ünïcödes'])(
    'has no id such as %j',
    async (id) => {
      await refusal('ERR_JWT_OPTIONS', () => joinName(id));
      await refusal('ERR_JWT_OPTIONS', () => joinUserJwtOptions(id, account.publicKey));
      expect(tokenIdOfName(`_zester-join-${id}`)).toBeUndefined();
    },
  );

  it('has a JWT that carries no permissions, but its account and its end', () => {
    const signer = generateKeyBundle('account');
    const options = joinUserJwtOptions(token, account.publicKey, { expiry: 900, now: () => 1_000_000 });
    const claims = decodeUserJwt(createUserJwt(user, signer, options));
    expect(claims).toMatchObject({ name: joinName(token), iss: signer.publicKey, iat: 1000, exp: 1900 });
    expect(claims.nats).toEqual({ type: 'user', version: 2, issuer_account: account.publicKey });
  });
});

describe('every subject of a role', () => {
  it.each([
    ['peel', peelPermissions('web-01'), false],
    ['peel template', peelPermissionsTemplate(), true],
    ['master', masterPermissions(), false],
    ['admin', adminPermissions(), false],
  ])('%s is a valid one', (_, permissions, templates) => {
    const subjects = [...(permissions.publish?.allow ?? []), ...(permissions.subscribe?.allow ?? [])];
    expect(subjects.length).toBeGreaterThan(2);
    for (const subject of subjects) validateSubject(subject, { templates });
  });
});

describe('the permissions of a master and an admin', () => {
  it('includes commanding a peel and hearing it', () => {
    for (const permissions of [masterPermissions(), adminPermissions()]) {
      expect(may(permissions, 'publish', 'zester.cmd.web-01')).toBe(true);
      expect(may(permissions, 'subscribe', 'zester.event.web-01.x')).toBe(true);
      expect(may(permissions, 'subscribe', 'zester.job.7.return.web-01')).toBe(true);
    }
  });

  it('does not include the system, nor the inboxes of others', () => {
    for (const permissions of [masterPermissions(), adminPermissions()]) {
      expect(may(permissions, 'publish', '$SYS.REQ.CLAIMS.UPDATE')).toBe(false);
      expect(may(permissions, 'subscribe', '$SYS.>')).toBe(false);
      expect(may(permissions, 'subscribe', '_INBOX.>')).toBe(false);
      expect(may(permissions, 'subscribe', '_INBOX.web-01.>')).toBe(false);
    }
    expect(may(adminPermissions(), 'publish', '$JS.API.STREAM.DELETE.x')).toBe(false);
    expect(may(adminPermissions(), 'subscribe', 'zester.admin.>')).toBe(false);
  });
});

describe('the grants that a master may keep', () => {
  it.each(['zester-peels', 'zester-fleet', 'zester-challenges', 'zester-presence'])(
    'is the bucket %s, which no admin writes',
    (bucket) => {
      expect(may(masterPermissions(), 'publish', `$KV.${bucket}.web-01`)).toBe(true);
      expect(may(adminPermissions(), 'publish', `$KV.${bucket}.web-01`)).toBe(false);
      expect(may(peelPermissions('web-01'), 'publish', `$KV.${bucket}.web-01`)).toBe(false);
    },
  );

  it('is the audit, which an admin may read but not write', () => {
    expect(may(masterPermissions(), 'publish', 'zester.audit.peel.web-01')).toBe(true);
    expect(may(adminPermissions(), 'subscribe', 'zester.audit.>')).toBe(true);
    expect(may(adminPermissions(), 'publish', 'zester.audit.peel.web-01')).toBe(false);
    expect(may(peelPermissions('web-01'), 'subscribe', 'zester.audit.>')).toBe(false);
  });
});

describe('the options of a user JWT', () => {
  it('of a peel carry its id as the name and its subjects', () => {
    const jwt = createUserJwt(
      user,
      account,
      peelUserJwtOptions('web-01', account.publicKey, { expiry: 60, tags: ['t'] }),
    );
    const claims = decodeUserJwt(jwt);
    expect(claims.name).toBe('web-01');
    expect(claims.nats.pub?.allow).toEqual(peelPermissions('web-01').publish?.allow);
    expect(claims.nats.sub?.allow).toEqual(peelPermissions('web-01').subscribe?.allow);
    expect(claims.nats.resp).toBeUndefined();
    expect(claims.nats).toMatchObject({
      payload: 128 * 1024,
      subs: 256,
      data: -1,
      allowed_connection_types: ['STANDARD', 'WEBSOCKET'],
    });
    expect(claims.nats.tags).toEqual(['t']);
    expect(claims.exp).toBe(claims.iat + 60);
  });

  it('of a scoped peel carry none, but its account', () => {
    const signer = generateKeyBundle('account');
    const jwt = createUserJwt(
      user,
      signer,
      peelUserJwtOptions('web-01', account.publicKey, { scoped: true }),
    );
    expect(decodeUserJwt(jwt).nats).toEqual({ type: 'user', version: 2, issuer_account: account.publicKey });
  });

  it('have more permissions than the role, or others in their place', () => {
    const role = peelPermissions('web-01');
    const with_ = (permissions: RolePermissions) =>
      peelUserJwtOptions('web-01', account.publicKey, { permissions }).permissions;
    const more = { publish: { allow: ['more'], deny: ['less'] } };
    expect(with_({ extend: more })).toEqual({
      ...role,
      publish: { allow: [...(role.publish?.allow ?? []), 'more'], deny: ['less'] },
    });
    expect(with_({ extend: [more, more, { subscribe: { allow: ['extra'] } }] })).toEqual({
      publish: { allow: [...(role.publish?.allow ?? []), 'more'], deny: ['less'] },
      subscribe: { allow: [...(role.subscribe?.allow ?? []), 'extra'] },
    });
    expect(with_({ extend: {} })).toEqual(role);
    expect(with_({ extend: [] })).toEqual(role);
    expect(with_({ replace: more })).toEqual(more);
  });

  it('are refused with an empty or missing list, which would allow everything', async () => {
    const all: PermissionOptions[] = [{}, { publish: { allow: [] } }, { publish: { allow: ['a'] } }];
    for (const replace of all) {
      const options = peelUserJwtOptions('web-01', account.publicKey, { permissions: { replace } });
      await refusal('ERR_JWT_OPTIONS', () => createUserJwt(user, account, options));
    }
  });

  it.each([
    [{}],
    [{ extend: {}, replace: {} }],
    [{ extends: {} }],
    [{ publish: { allow: ['a'] } }],
    [{ extend: { pub: { allow: ['a'] } } }],
    [{ extend: 'a' }],
    [{ extend: [null] }],
    [{ replace: [] }],
    [null],
  ])('are refused with permissions that are neither more nor others: %j', async (given) => {
    const permissions = given as unknown as RolePermissions;
    await refusal('ERR_JWT_OPTIONS', () => peelUserJwtOptions('web-01', account.publicKey, { permissions }));
  });

  it.each([
    [null],
    [[]],
    ['zester.>'],
    [0],
    [{ pub: { allow: ['a'] } }],
    [{ Publish: { allow: ['a'] } }],
    [{ publish: ['a'] }],
    [{ publish: { allowed: ['a'] } }],
    [{ responses: { max: 1, expires: 1 } }],
  ])('are refused with malformed permissions: %j', async (given) => {
    const permissions = given as unknown as PermissionOptions;
    const role = { permissions: { replace: permissions } };
    await refusal('ERR_JWT_OPTIONS', () => peelUserJwtOptions('web-01', account.publicKey, role));
    await refusal('ERR_JWT_OPTIONS', () => createUserJwt(user, account, { name: 'web-01', permissions }));
  });

  it('of a longest id still fit a CONNECT line', () => {
    const jwt = createUserJwt(user, account, peelUserJwtOptions('x'.repeat(128), account.publicKey));
    expect(decodeUserJwt(jwt).name).toHaveLength(128);
  });

  it('of a master and an admin carry their names', () => {
    expect(masterUserJwtOptions(account.publicKey)).toMatchObject({
      name: 'zester-master',
      permissions: masterPermissions(),
    });
    expect(adminUserJwtOptions(account.publicKey)).toMatchObject({
      name: 'zester-admin',
      permissions: adminPermissions(),
    });
  });

  it("need an account's public key", async () => {
    await refusal('ERR_KEY_ROLE', () => peelUserJwtOptions('web-01', user.publicKey));
    await refusal(
      'ERR_KEY_IS_A_SEED',
      () => masterUserJwtOptions(Buffer.from(account.seed).toString()),
      account.seed,
    );
    await refusal('ERR_KEY_ENCODING', () => adminUserJwtOptions(''));
  });
});
