import { describe, expect, it } from 'vitest';
import { permissionClaims, type PermissionOptions } from '../../src/jwt/permission-options.js';
import { lintPermissions } from '../../src/permissions/lint.js';
import {
  consumerRead,
  kvRead,
  kvWrite,
  objectStoreRead,
  objectStoreWrite,
  streamPublish,
  streamRead,
} from '../../src/permissions/presets.js';
import { extendPermissions } from '../../src/permissions/role-permissions.js';
import { peelPermissionsTemplate } from '../../src/permissions/roles.js';
import { refusal } from '../support/refusal.js';

const loose = <T>(value: unknown) => value as T;

describe('a preset', () => {
  it.each<[string, PermissionOptions]>([
    ['kvRead', kvRead({ bucket: 'config', keys: ['{{name()}}.>', '{{name()}}'] })],
    ['kvRead without watch', kvRead({ bucket: 'config', keys: '{{name()}}.>', watch: false })],
    ['kvWrite', kvWrite({ bucket: 'config', keys: '{{name()}}.>' })],
    ['streamRead', streamRead({ stream: 'ORDERS', subjects: 'orders.{{name()}}.>' })],
    ['streamPublish', streamPublish({ subjects: ['orders.{{name()}}.>'] })],
  ])('of own keys and subjects passes the lint in the template of peels: %s', (_name, preset) => {
    const permissions = permissionClaims(extendPermissions(peelPermissionsTemplate(), preset));
    expect(lintPermissions(permissions)).toEqual([]);
  });

  it.each<[string, PermissionOptions]>([
    ['a bucket', kvRead({ bucket: 'config', keys: '>' })],
    ['an object store', objectStoreRead({ bucket: 'firmware' })],
  ])('of the whole of %s is reported by the lint', (_name, preset) => {
    const permissions = permissionClaims(extendPermissions(peelPermissionsTemplate(), preset));
    expect(lintPermissions(permissions).map(({ severity }) => severity)).toContain('error');
  });

  it('grants neither deleting nor changing a stream, nor messages of other consumers', () => {
    const all = extendPermissions(
      kvRead({ bucket: 'b', keys: 'k' }),
      kvWrite({ bucket: 'b', keys: 'k' }),
      streamRead({ stream: 'S', subjects: 's' }),
      consumerRead({ stream: 'S', consumer: 'c', createWith: 's' }),
      objectStoreRead({ bucket: 'o' }),
      objectStoreWrite({ bucket: 'o' }),
    );
    const allowed = all.publish?.allow ?? [];
    expect(
      allowed.filter((subject) => /DELETE|UPDATE|STREAM\.CREATE|MSG\.NEXT\..*\*|API\.>/.test(subject)),
    ).toEqual([]);
    expect(allowed.filter((subject) => subject.includes('PURGE'))).toEqual(['$JS.API.STREAM.PURGE.OBJ_o']);
    expect(new Set(allowed).size).toBe(allowed.length);
  });

  it.each<[string, () => unknown]>([
    ['a bucket of the fleet', () => kvRead({ bucket: 'zester-peels', keys: 'web-01' })],
    ['a bucket of the fleet, to write', () => kvWrite({ bucket: 'zester-fleet', keys: '>' })],
    [
      'a stream of the fleet',
      () => streamRead({ stream: 'zester-audit', subjects: 'zester.audit.web-01.>' }),
    ],
    ['the stream of a bucket of the fleet', () => streamRead({ stream: 'KV_zester-peels', subjects: 'a' })],
    ['a consumer of it', () => consumerRead({ stream: 'zester-audit', consumer: 'c' })],
    ['every bucket', () => kvRead({ bucket: '*', keys: 'web-01' })],
    ['every stream', () => consumerRead({ stream: '>', consumer: 'c' })],
    ['every consumer', () => consumerRead({ stream: 'S', consumer: '*' })],
    ['every store', () => objectStoreRead({ bucket: 'a.*' })],
    ['no keys', () => kvRead({ bucket: 'b', keys: [] })],
    ['no bucket', () => kvRead(loose({ keys: 'a' }))],
    ['a misspelled option', () => kvRead(loose({ bucket: 'b', key: 'a' }))],
    ['a bucket that is no text', () => kvWrite(loose({ bucket: 1, keys: 'a' }))],
    ['no subjects', () => streamPublish({ subjects: [] })],
  ])('is refused for %s', async (_what, make) => {
    await refusal('ERR_JWT_OPTIONS', make);
  });

  it.each(['', 'a..b', 'a b', '>.a', 'a.*b', 'a.'])('is refused for the invalid key %j', async (keys) => {
    await refusal('ERR_SUBJECT', () => kvRead({ bucket: 'b', keys }));
  });
});

describe('permissions with more', () => {
  it('allow all that any allows, and deny all that any denies, each once', () => {
    const one = { publish: { allow: ['a'], deny: ['b'] }, subscribe: { allow: ['c'] } };
    const other = {
      publish: { allow: ['a', 'd'] },
      subscribe: { deny: ['e'] },
      responses: { max: 1, ttl: 1 },
    };
    expect(extendPermissions(one, other)).toEqual({
      publish: { allow: ['a', 'd'], deny: ['b'] },
      subscribe: { allow: ['c'], deny: ['e'] },
      responses: { max: 1, ttl: 1 },
    });
    expect(extendPermissions(one)).toEqual(one);
  });

  it('still allow everything that is not denied, where they did', () => {
    expect(extendPermissions({ publish: { deny: ['a'] } }, { publish: { allow: ['b'] } })).toEqual({
      publish: { deny: ['a'] },
    });
  });
});
