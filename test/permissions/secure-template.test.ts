import { describe, expect, it } from 'vitest';
import type { UserPermissionLimits } from '../../src/jwt/claims.js';
import { roleTemplate, secureTemplate } from '../../src/permissions/secure-template.js';

/** The peels' template of versions before "Unreleased". */
const FORMER: UserPermissionLimits = {
  pub: {
    allow: [
      'zester.event.{{name()}}.>',
      'zester.fact.{{name()}}',
      'zester.job.*.ack.{{name()}}',
      'zester.job.*.return.{{name()}}',
      'zester.auth.{{name()}}.>',
      '_INBOX.{{name()}}.>',
    ],
  },
  sub: {
    allow: ['zester.cmd.{{name()}}', 'zester.cmd.{{name()}}.>', 'zester.job.*.cancel', '_INBOX.{{name()}}.>'],
  },
  resp: { max: 1, ttl: 300e9 },
  subs: -1,
  data: -1,
  payload: -1,
};

describe('the template of a role', () => {
  it.each(['peel', 'join'] as const)(
    'of %s has permissions, limits and connection types, and no responses',
    (role) => {
      const template = roleTemplate(role);
      expect(template.resp).toBeUndefined();
      expect(template.pub?.allow?.length).toBeGreaterThan(0);
      expect(template.sub?.allow?.length).toBeGreaterThan(0);
      expect(template.payload).toBeGreaterThan(0);
      expect(template.subs).toBeGreaterThan(0);
      expect(template.allowed_connection_types).toEqual(['STANDARD', 'WEBSOCKET']);
    },
  );
});

describe('securing a template', () => {
  it('returns a secure one as the same object', () => {
    for (const role of ['peel', 'join'] as const) {
      const template = roleTemplate(role);
      expect(secureTemplate(role, template)).toBe(template);
    }
  });

  it('makes the former default safe, and leaves the subjects that nothing used', () => {
    const before = structuredClone(FORMER);
    const left = (FORMER.pub?.allow ?? []).filter((subject) => !subject.startsWith('_INBOX.'));
    expect(secureTemplate('peel', FORMER)).toEqual({
      ...roleTemplate('peel'),
      pub: { allow: left },
      sub: FORMER.sub,
    });
    expect(FORMER).toEqual(before);
    const join = { ...roleTemplate('join') };
    delete join.allowed_connection_types;
    expect(secureTemplate('join', join)).toEqual(roleTemplate('join'));
  });

  it('keeps added grants, denials and limits', () => {
    const own: UserPermissionLimits = {
      ...FORMER,
      pub: {
        allow: [...(FORMER.pub?.allow ?? []), 'metrics.{{name()}}', '_INBOX.shared.>'],
        deny: ['metrics.x'],
      },
      sub: { allow: [...(FORMER.sub?.allow ?? []), 'news.>'] },
      payload: 512 * 1024,
      subs: 7,
      src: ['10.0.0.0/8'],
    };
    const secured = secureTemplate('peel', own);
    expect(secured).toMatchObject({
      pub: { deny: ['metrics.x'] },
      sub: own.sub,
      payload: 512 * 1024,
      subs: 7,
      src: ['10.0.0.0/8'],
    });
    expect(secured.pub?.allow).toEqual(
      own.pub?.allow?.filter((subject) => subject !== '_INBOX.{{name()}}.>'),
    );
    expect(secureTemplate('peel', secured)).toBe(secured);
  });

  it('never leaves an empty list, which would allow everything', () => {
    const only = { ...FORMER, pub: { allow: ['_INBOX.{{name()}}.>'] } };
    expect(secureTemplate('peel', only).pub).toEqual(roleTemplate('peel').pub);
  });

  it.each([
    [undefined, ['STANDARD', 'WEBSOCKET']],
    [[], ['STANDARD', 'WEBSOCKET']],
    [['LEAFNODE'], ['STANDARD', 'WEBSOCKET']],
    [['STANDARD', 'LEAFNODE', 'leafnode_ws'], ['STANDARD']],
    [['MQTT', 'LEAFNODE'], ['MQTT']],
  ])('of the connection types %j leaves %j', (types, left) => {
    const template = { ...roleTemplate('peel'), ...(types && { allowed_connection_types: types }) };
    if (types === undefined) delete template.allowed_connection_types;
    expect(secureTemplate('peel', template).allowed_connection_types).toEqual(left);
  });
});
