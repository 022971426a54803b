import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { UserClaims } from '../../src/jwt/claims.js';
import { permissionClaims, type PermissionOptions } from '../../src/jwt/permission-options.js';
import { adminUserName } from '../../src/permissions/admin-names.js';
import type { AddedRole } from '../../src/permissions/admin-roles.js';
import {
  expandTemplate,
  LINT_RULES,
  lintPermissions,
  type LintRule,
  type LintSubject,
} from '../../src/permissions/lint.js';
import { type MASTER_KEY_ROLES, type MasterKeyKind } from '../../src/permissions/master-roles.js';
import { ADMIN_NAME, MASTER_ANSWERS_NAME, MASTER_NAME, SYSTEM_NAME } from '../../src/permissions/names.js';
import {
  adminPermissions,
  joinPermissionsTemplate,
  masterAnswersPermissions,
  masterPermissions,
  peelPermissions,
  peelPermissionsTemplate,
} from '../../src/permissions/roles.js';
import type { TemplateRole } from '../../src/permissions/secure-template.js';
import { SYSTEM_ROLE, systemPermissions } from '../../src/permissions/system-role.js';
import { lintSubjectOf } from '../../src/trust/user-permissions.js';

const WEB_01: LintSubject = { name: 'web-01' };

function rulesOf(options: PermissionOptions, subject: LintSubject = WEB_01): LintRule[] {
  return lintPermissions(permissionClaims(options), subject).map(({ rule }) => rule);
}

/** The default grants of a peel, and these subjects. */
function withPublish(...subjects: string[]): PermissionOptions {
  const { publish, ...rest } = peelPermissions('web-01');
  return { ...rest, publish: { ...publish, allow: [...(publish?.allow ?? []), ...subjects] } };
}

function withSubscribe(...subjects: string[]): PermissionOptions {
  const { subscribe, ...rest } = peelPermissions('web-01');
  return { ...rest, subscribe: { ...subscribe, allow: [...(subscribe?.allow ?? []), ...subjects] } };
}

/** What each role is granted, and the name of its user; undefined: a template, whose users have names of their own. */
const GRANTS_OF_ROLES: Readonly<
  Record<
    TemplateRole | (typeof MASTER_KEY_ROLES)[MasterKeyKind] | AddedRole | typeof SYSTEM_ROLE,
    readonly [name: string | undefined, PermissionOptions]
  >
> = {
  peel: [undefined, peelPermissionsTemplate()],
  join: [undefined, joinPermissionsTemplate()],
  'zester-master': [MASTER_NAME, masterPermissions()],
  'zester-master-answers': [MASTER_ANSWERS_NAME, masterAnswersPermissions()],
  'zester-admin': [ADMIN_NAME, adminPermissions()],
  viewer: [adminUserName('a'), adminPermissions({ name: 'a', role: 'viewer' })],
  approver: [adminUserName('a'), adminPermissions({ name: 'a', role: 'approver' })],
  operator: [adminUserName('a'), adminPermissions({ name: 'a', role: 'operator' })],
  [SYSTEM_ROLE]: [SYSTEM_NAME, systemPermissions()],
};

describe('the lint finds nothing wrong with', () => {
  it('the permissions of a peel, in its own JWT and as a template', () => {
    expect(rulesOf(peelPermissions('web-01'))).toEqual([]);
    const filled = expandTemplate(permissionClaims(peelPermissionsTemplate()), 'web-01', 'U');
    expect(filled).toEqual(permissionClaims(peelPermissions('web-01')));
  });

  it.each(Object.entries(GRANTS_OF_ROLES))('the grants of the role %s', (_, [name, permissions]) => {
    const subject = name === undefined ? {} : lintSubjectOf({ name } as UserClaims);
    expect(rulesOf(permissions, subject)).toEqual([]);
  });

  it('a peel that reads its own keys of a bucket, with what consumers need', () => {
    const own = [
      '$JS.API.CONSUMER.CREATE.KV_config.*.$KV.config.web-01.>',
      '$JS.API.DIRECT.GET.KV_config.$KV.config.web-01.>',
      '$JS.FC.KV_config.>',
    ];
    expect(rulesOf(withPublish(...own))).toEqual([]);
  });
});

describe('the lint finds', () => {
  it('missing permissions, and ">"', () => {
    const none = lintPermissions({}, WEB_01).map(({ rule }) => rule);
    expect(none).toEqual(['unrestricted', 'unrestricted']);
    expect(rulesOf({ publish: { allow: ['>'] }, subscribe: { allow: ['zester.cmd.web-01'] } })).toEqual([
      'unrestricted',
    ]);
  });

  it.each([
    ['in a queue group', ['> workers'], [], '> workers'],
    ['beside a narrower wildcard', ['*', '>'], [], '>'],
    ['although single tokens are denied', ['>'], ['*'], '>'],
  ])('everything %s', (_, allow, deny, subject) => {
    const options: PermissionOptions = { ...peelPermissions('web-01'), subscribe: { allow, deny } };
    const found = lintPermissions(permissionClaims(options), WEB_01);
    expect(found).toMatchObject([{ rule: 'unrestricted', grant: 'subscribe', subject }]);
  });

  it('responses, for peels and for other roles', () => {
    const responses = { max: 1, ttl: 1 };
    const { publish = {}, subscribe = {} } = peelPermissions('web-01');
    expect(rulesOf({ publish, subscribe, responses })).toEqual(['answers-anywhere']);
    expect(rulesOf({ ...adminPermissions(), responses }, { name: 'zester-admin', role: 'other' })).toEqual([
      'answers-anywhere',
    ]);
    const denied = { ...publish, deny: ['>'] };
    expect(rulesOf({ publish: denied, subscribe, responses })).toContain('answers-anywhere');
  });

  it.each([
    ['_INBOX.web-01.>', []],
    ['*.cmd.*', []],
    ['zester.cmd.web-01.>', ['zester.cmd.>']],
  ])(
    'beside responses, a subject that is published and subscribed to: %s, with %j denied',
    (subject, deny) => {
      const { publish = {}, subscribe = {} } = withPublish(subject);
      const options = { publish, subscribe, responses: { max: 1, ttl: 1 } };
      const found = (permissions: PermissionOptions) =>
        lintPermissions(permissionClaims(permissions), WEB_01).filter(
          ({ rule }) => rule === 'sends-to-itself',
        );
      expect(found(options)).toMatchObject([{ severity: 'error', subject }]);
      if (deny.length > 0) expect(found({ ...options, publish: { ...publish, deny } })).toEqual([]);
      expect(found({ publish, subscribe })).toEqual([]);
    },
  );

  it('everything as sent to itself, where nothing is granted by name', () => {
    const rules = lintPermissions({ resp: { max: 1, ttl: 1e9 } }, WEB_01).map(({ rule }) => rule);
    expect(rules).toContain('sends-to-itself');
  });

  it.each(['_INBOX.>', '_INBOX.*.>', '_INBOX.*.*', '*.>'])('a shared inbox: %s', (subject) => {
    expect(rulesOf(withSubscribe(subject))).toContain('shared-inbox');
    expect(rulesOf(withSubscribe(`${subject} workers`))).toContain('shared-inbox');
  });

  it.each([
    'zester.admin.>',
    'zester.*.peel.revoke',
    'zester.enroll.>',
    'zester.audit.>',
    'zester.audited.>',
    'zester.job.*.cancel',
    '_INBOX.>',
    '_INBOX.*.>',
    '_INBOX._zester-admin.>',
    '$KV.zester-peels.>',
    '$KV.*.web-01',
    '$KV.zester-peels.web-01',
    '$KV.zester-presence.*',
    '$JS.API.STREAM.CREATE.*',
    '$JS.API.STREAM.PURGE.KV_zester-peels',
    '$JS.API.STREAM.DELETE.zester-audit',
  ])('publishing on subjects of the fleet: %s', (subject) => {
    const findings = lintPermissions(permissionClaims(withPublish(subject)), WEB_01);
    expect(findings).toContainEqual(
      expect.objectContaining({ rule: 'speaks-for-the-fleet', severity: 'error', subject }),
    );
  });

  it.each([
    'zester.admin.>',
    'zester.enroll.*.join',
    'zester.audit.>',
    'zester.job.*.return.*',
    '_INBOX._zester-master.>',
    '$KV.zester-fleet.>',
    '$JS.>',
  ])('subscribing to subjects of the fleet: %s', (subject) => {
    expect(rulesOf(withSubscribe(subject))).toContain('reads-the-fleet');
    expect(rulesOf(withSubscribe(`${subject} workers`))).toContain('reads-the-fleet');
  });

  it('nothing of the fleet in subjects and buckets of the user’s own', () => {
    const own = ['zester.metrics.web-01', 'app.>', '$KV.config.web-01', '$JS.API.STREAM.CREATE.mine'];
    expect(rulesOf(withPublish(...own))).toEqual([]);
    expect(rulesOf(withSubscribe('zester.metrics.*', 'app.>', '$KV.config.>'))).toEqual([]);
  });

  it('no shared inbox if the inboxes of others are denied', () => {
    const options: PermissionOptions = {
      ...peelPermissions('web-01'),
      subscribe: { allow: ['_INBOX.>'], deny: ['_INBOX.>'] },
    };
    expect(rulesOf(options)).not.toContain('shared-inbox');
  });

  it.each(['zester.cmd.>', 'zester.cmd.*', 'zester.*.*', 'zester.auth.>'])(
    'a peel that reads messages for other peels: %s',
    (subject) => {
      expect(rulesOf(withSubscribe(subject))).toContain('reads-other-peels');
      expect(rulesOf(withSubscribe(`${subject} workers`))).toContain('reads-other-peels');
    },
  );

  it.each(['zester.fact.*', 'zester.event.>', 'zester.job.*.return.*', 'zester.cmd.>', 'zester.auth.*.>'])(
    'a peel that publishes as other peels: %s',
    (subject) => {
      expect(rulesOf(withPublish(subject))).toContain('speaks-for-other-peels');
    },
  );

  it.each([
    '$JS.API.>',
    '$JS.API.CONSUMER.CREATE.KV_x',
    '$JS.API.CONSUMER.CREATE.KV_x.>',
    '$JS.API.CONSUMER.CREATE.KV_x.*',
    '$JS.API.CONSUMER.CREATE.KV_x.*.>',
    '$JS.API.CONSUMER.CREATE.KV_x.*.$KV.x.>',
    '$JS.API.CONSUMER.CREATE.*.*.$KV.*.*',
    '$JS.API.CONSUMER.CREATE.>',
    '$JS.API.CONSUMER.DURABLE.CREATE.KV_x.web-01',
    '$JS.API.CONSUMER.>',
  ])('a consumer on a whole stream or bucket: %s', (subject) => {
    expect(rulesOf(withPublish(subject))).toContain('unfiltered-consumer');
  });

  it.each([
    '$JS.API.DIRECT.GET.KV_x',
    '$JS.API.DIRECT.GET.KV_x.>',
    '$JS.API.DIRECT.GET.KV_x.$KV.x.>',
    '$JS.API.DIRECT.GET.KV_x.$KV.x.*',
    '$JS.API.STREAM.MSG.GET.KV_x',
    '$JS.API.>',
  ])('a get of any message: %s', (subject) => {
    expect(rulesOf(withPublish(subject))).toContain('unfiltered-direct-get');
  });

  it('a consumer without its flow control, for a peel and for others', () => {
    const consumer = '$JS.API.CONSUMER.CREATE.KV_x.*.$KV.x.web-01.>';
    expect(rulesOf(withPublish(consumer))).toEqual(['missing-flow-control']);
    expect(rulesOf(withPublish(consumer, '$JS.FC.KV_y.>'))).toEqual(['missing-flow-control']);
    expect(rulesOf(withPublish(consumer), { name: 'reports', role: 'other' })).toEqual([
      'missing-flow-control',
    ]);
  });

  it('requests without an inbox for their answers', () => {
    const options: PermissionOptions = {
      publish: { allow: ['$JS.API.STREAM.INFO.KV_x'] },
      subscribe: { allow: ['zester.cmd.web-01'] },
    };
    expect(rulesOf(options)).toEqual(['missing-inbox']);
  });

  it('subjects that cannot match', () => {
    expect(rulesOf(withSubscribe('zester.cmd*'))).toEqual(['cannot-match']);
    expect(rulesOf(withPublish('fleet.>.x'))).toEqual(['cannot-match']);
    expect(rulesOf(withPublish('zester.fact.{{name()}}'))).toEqual(['cannot-match']);
    expect(rulesOf(withPublish('zester.fact.x-{{name()}}'), {})).toEqual(['cannot-match']);
    expect(rulesOf(withPublish('zester.fact.{{nom()}}'), {})).toEqual(['cannot-match']);
  });

  it('subjects that are both allowed and denied', () => {
    const options: PermissionOptions = {
      ...peelPermissions('web-01'),
      publish: { allow: ['zester.fact.web-01'], deny: ['zester.fact.>'] },
    };
    expect(rulesOf(options)).toEqual(['denied-anyway']);
  });

  it('a name that is a wildcard, and one with dots, in a JWT and through a template', () => {
    const template = permissionClaims(peelPermissionsTemplate());
    for (const name of ['*', '>', 'a.>', 'a.*']) {
      const rules = lintPermissions(expandTemplate(template, name, 'U'), { name }).map(({ rule }) => rule);
      expect(rules, name).toContain('name-is-wildcard');
    }
    const dotted = lintPermissions(expandTemplate(template, 'web.db', 'U'), { name: 'web.db' });
    expect(dotted.map(({ rule }) => rule)).toEqual(['name-has-dots']);
    expect(dotted[0]?.message).toContain('"web"');
  });
});

type Example = readonly [PermissionOptions, LintSubject?];

/**
 * Permissions that break a rule, by the grant that the rule reports, or "user" if it reports the user itself. A string says
 * why the rule ignores that grant. The owner follows, unless it is web-01.
 */
type Examples = Readonly<Record<'publish' | 'subscribe', Example | string>> & { readonly user?: Example };

const responses = { max: 1, ttl: 1 };
const FINDS_PUBLISHING = 'the publish grant is at fault';
const READS_BY_REQUEST = 'streams are read by publishing requests';
const FINDS_THE_NAME = 'the name is at fault';
const EXAMPLES: Readonly<Record<LintRule, Examples>> = {
  unrestricted: { publish: [withPublish('>')], subscribe: [withSubscribe('>')] },
  'answers-anywhere': {
    publish: [{ ...peelPermissions('web-01'), responses }],
    subscribe: FINDS_PUBLISHING,
  },
  'sends-to-itself': {
    publish: [{ ...withPublish('_INBOX.web-01.>'), responses }],
    subscribe: FINDS_PUBLISHING,
  },
  'shared-inbox': {
    publish: "speaks-for-the-fleet finds answers in others' inboxes",
    subscribe: [withSubscribe('_INBOX.>')],
  },
  'reads-other-peels': {
    publish: 'publishing reads nothing',
    subscribe: [withSubscribe('zester.cmd.*')],
  },
  'speaks-for-other-peels': {
    publish: [withPublish('zester.event.>')],
    subscribe: 'subscribing says nothing',
  },
  'speaks-for-the-fleet': {
    publish: [withPublish('zester.admin.*.peel.list')],
    subscribe: 'subscribing says nothing',
  },
  'reads-the-fleet': {
    publish: 'publishing reads nothing',
    subscribe: [withSubscribe('zester.admin.*.peel.list')],
  },
  'unfiltered-consumer': {
    publish: [withPublish('$JS.API.CONSUMER.CREATE.KV_x')],
    subscribe: READS_BY_REQUEST,
  },
  'unfiltered-direct-get': {
    publish: [withPublish('$JS.API.DIRECT.GET.KV_x')],
    subscribe: READS_BY_REQUEST,
  },
  'missing-flow-control': {
    publish: [withPublish('$JS.API.CONSUMER.CREATE.KV_x.*.$KV.x.web-01.>')],
    subscribe: 'a client answers flow control by publishing',
  },
  'missing-inbox': {
    publish: [{ publish: { allow: ['$JS.API.STREAM.INFO.KV_x'] }, subscribe: { allow: ['a'] } }],
    subscribe: 'the request without an inbox is published',
  },
  'cannot-match': {
    publish: [withPublish('fleet.>.x')],
    subscribe: [withSubscribe('zester.cmd*')],
  },
  'denied-anyway': {
    publish: [{ ...peelPermissions('web-01'), publish: { allow: ['a.b'], deny: ['a.>'] } }],
    subscribe: [{ ...peelPermissions('web-01'), subscribe: { allow: ['a.b'], deny: ['a.>'] } }],
  },
  'name-is-wildcard': {
    publish: FINDS_THE_NAME,
    subscribe: FINDS_THE_NAME,
    user: [peelPermissionsTemplate(), { name: '*' }],
  },
  'name-has-dots': {
    publish: FINDS_THE_NAME,
    subscribe: FINDS_THE_NAME,
    user: [withPublish('a.web.db'), { name: 'web.db' }],
  },
};

/** The examples, each with its rule and grant. */
const ROWS = LINT_RULES.flatMap((rule) =>
  (['publish', 'subscribe', 'user'] as const).flatMap((grant) => {
    const example = EXAMPLES[rule][grant];
    if (example === undefined || typeof example === 'string') return [];
    return [{ rule, grant, options: example[0], subject: example[1] ?? WEB_01 }];
  }),
);

/** The subjects that a rule reports. */
function subjectsFound(rule: LintRule, options: PermissionOptions, subject: LintSubject): string[] {
  const found = lintPermissions(permissionClaims(options), subject);
  return found.flatMap((one) => (one.rule === rule ? (one.subject ?? []) : []));
}

/** The examples with a subject at fault, each with that subject. */
const GRANTED_ROWS = ROWS.flatMap(({ grant, ...row }) =>
  grant === 'user'
    ? []
    : subjectsFound(row.rule, row.options, row.subject).map((found) => ({ ...row, grant, found })),
);

/** An example with another subject in place of the one at fault. */
function withInstead(
  { grant, options, found }: (typeof GRANTED_ROWS)[number],
  instead: string,
): PermissionOptions {
  const allow = options[grant]?.allow?.map((one) => (one === found ? instead : one)) ?? [];
  return { ...options, [grant]: { ...options[grant], allow } };
}

/** The examples with a wildcard for the first or second token, unless that is a wildcard already. */
const WIDER_ROWS = GRANTED_ROWS.flatMap((row) =>
  [0, 1].flatMap((at) => {
    const tokens = row.found.split('.');
    return /^[^*>]+$/.test(tokens[at] ?? '') ? [{ ...row, wider: tokens.with(at, '*').join('.') }] : [];
  }),
);

/** The rules that do not report a wider grant. */
const NOT_ABOUT_MORE: readonly LintRule[] = [
  'missing-inbox', // with a wildcard it is no longer plain that requests are meant
  'denied-anyway', // the wider subject is not completely denied
];

/** The rules that find a subject although it is denied. */
const WHATEVER_IS_DENIED: readonly LintRule[] = [
  'answers-anywhere', // the server does not check the deny list either
  'cannot-match', // a subject that is no subject does not work in a deny list either
  'denied-anyway',
  'name-is-wildcard', // any name like that is wrong
  'name-has-dots',
];

describe('each rule', () => {
  it.each(ROWS)('$rule finds what it is about: $grant', ({ rule, grant, options, subject }) => {
    const found = lintPermissions(permissionClaims(options), subject);
    const at = found.filter((one) => one.rule === rule).map((one) => one.grant ?? 'user');
    expect(at).toEqual([grant]);
  });

  it('has an example', () => {
    expect(new Set(ROWS.map(({ rule }) => rule))).toEqual(new Set(LINT_RULES));
  });

  it.each(GRANTED_ROWS.filter(({ grant }) => grant === 'subscribe'))(
    '$rule finds $found in a queue group too',
    (row) => {
      const queue = `${row.found} workers`;
      expect(subjectsFound(row.rule, withInstead(row, queue), row.subject)).toEqual([queue]);
    },
  );

  it.each(GRANTED_ROWS.filter(({ grant }) => grant === 'subscribe'))(
    '$rule finds $found with only a queue group of it denied',
    ({ rule, options, subject, found }) => {
      const deny = [...(options.subscribe?.deny ?? []), `${found} workers`];
      const restricted = { ...options, subscribe: { ...options.subscribe, deny } };
      expect(subjectsFound(rule, restricted, subject)).toContain(found);
    },
  );

  it.each(WIDER_ROWS.filter(({ rule }) => !NOT_ABOUT_MORE.includes(rule)))(
    '$rule finds $wider, which grants $found and more',
    (row) => {
      expect(subjectsFound(row.rule, withInstead(row, row.wider), row.subject)).toContain(row.wider);
    },
  );

  it.each(ROWS.filter(({ rule }) => !WHATEVER_IS_DENIED.includes(rule)))(
    '$rule does not find what is denied: $grant',
    ({ rule, grant, options, subject }) => {
      if (grant === 'user') throw new TypeError('a user has no deny list');
      const exact = subjectsFound(rule, options, subject);
      expect(exact).not.toEqual([]);
      const wider = exact.map((one) => one.replace(/[^.]+$/, '>'));
      for (const deny of [exact, wider]) {
        const restricted = { ...options, [grant]: { ...options[grant], deny } };
        expect(rulesOf(restricted, subject), deny.join(' ')).not.toContain(rule);
      }
    },
  );

  it('is explained in docs/permissions-lint.md, with its severity', async () => {
    const text = await readFile(new URL('../../docs/permissions-lint.md', import.meta.url), 'utf8');
    const explained = [...text.matchAll(/^## (\S+)\n\n(\w+)/gm)].map(([, rule, severity = '']) => [
      rule,
      severity.toLowerCase(),
    ]);
    const severities = ROWS.map(({ rule, options, subject }) => {
      const findings = lintPermissions(permissionClaims(options), subject);
      return [rule, findings.find((one) => one.rule === rule)?.severity];
    });
    expect(Object.fromEntries(explained)).toEqual(Object.fromEntries(severities));
    expect(explained).toHaveLength(LINT_RULES.length);
  });

  it('suggests a fix', () => {
    const findings = lintPermissions(permissionClaims(withSubscribe('_INBOX.>', 'zester.cmd.>')), WEB_01);
    for (const { message, fix, severity } of findings) {
      expect(message).not.toBe('');
      expect(fix).not.toBe('');
      expect(severity).toBe('error');
    }
    expect(findings).toHaveLength(2);
  });
});
