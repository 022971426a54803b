// The rules of `zester permissions lint`.
import { SubjectError } from '../errors.js';
import type { Permission, Permissions } from '../jwt/claims.js';
import { isPeelId } from './peel-id.js';
import {
  ADMIN_INBOX_PREFIX,
  BUCKETS,
  bucketSubjects,
  FLEET_STREAMS,
  formerSubjectFor,
  MASTER_INBOX_PREFIX,
  subjectFor,
  subjectsOf,
} from './names.js';
import { subjectCovers, subjectsOverlap, validateSubject } from './subject.js';

/** The rules of {@link lintPermissions}. docs/permissions-lint.md explains each. */
export const LINT_RULES = [
  'unrestricted',
  'answers-anywhere',
  'sends-to-itself',
  'shared-inbox',
  'reads-other-peels',
  'speaks-for-other-peels',
  'speaks-for-the-fleet',
  'reads-the-fleet',
  'unfiltered-consumer',
  'unfiltered-direct-get',
  'missing-flow-control',
  'missing-inbox',
  'cannot-match',
  'denied-anyway',
  'name-is-wildcard',
  'name-has-dots',
] as const;

export type LintRule = (typeof LINT_RULES)[number];

/** A problem with a user's permissions. */
export interface LintFinding {
  rule: LintRule;
  /** `error`: others' data can be read or written; `warning`: something will not work. */
  severity: 'error' | 'warning';
  /** The affected list of grants; undefined: all of them. */
  grant: 'publish' | 'subscribe' | undefined;
  /** The granted subject, if there is one. */
  subject: string | undefined;
  message: string;
  /** How to fix it. */
  fix: string;
}

/** The owner of the permissions. */
export interface LintSubject {
  /** The user's name; undefined: the template of a scoped signing key, before the server fills in names. */
  name?: string | undefined;
  /** A peel must be isolated; a master or an admin exists to see others. `peel` by default. */
  role?: 'peel' | 'other';
}

/** A peel that does not exist: every other peel has its grants, too. */
const STRANGER = 'zester-lint-stranger';

/**
 * Finds grants that let one peel read or write another's data, grants that stall, and subjects that cannot match.
 * Checks the grants only, not the account's streams and exports.
 */
export function lintPermissions(permissions: Permissions, subject: LintSubject = {}): LintFinding[] {
  const grants = { publish: grantOf(permissions.pub), subscribe: grantOf(permissions.sub) };
  return [
    ...lintName(permissions, subject),
    ...lintResponses(permissions, grants),
    ...lintSyntax('publish', grants.publish, subject),
    ...lintSyntax('subscribe', grants.subscribe, subject),
    ...(subject.role === 'other' ? [] : [...lintPeers(grants), ...lintFleet(grants), ...lintReads(grants)]),
    ...lintStalls(grants),
  ];
}

/**
 * A template with the user's values, as the server fills them in: `{{name()}}` and `{{subject()}}`. Source:
 * docs.nats.io, "Scoped Signing Keys". The values of tags and account templates are unknown here, so they stay.
 */
export function expandTemplate(template: Permissions, name: string, publicKey: string): Permissions {
  const fill = (subject: string) =>
    subject.replaceAll('{{name()}}', () => name).replaceAll('{{subject()}}', () => publicKey);
  const filled = (permission: Permission | undefined) =>
    permission && {
      ...(permission.allow && { allow: permission.allow.map(fill) }),
      ...(permission.deny && { deny: permission.deny.map(fill) }),
    };
  const pub = filled(template.pub);
  const sub = filled(template.sub);
  return { ...template, ...(pub && { pub }), ...(sub && { sub }) };
}

interface Grant {
  /** Empty: everything. */
  allow: readonly string[];
  deny: readonly string[];
}

interface Grants {
  publish: Grant;
  subscribe: Grant;
}

function grantOf(permission: Permission | undefined): Grant {
  return { allow: permission?.allow ?? [], deny: permission?.deny ?? [] };
}

/** A subscription grant may name a queue after its subject. */
function withoutQueue(subject: string): string {
  return subject.split(' ', 1)[0] ?? '';
}

function denied(grant: Grant, subject: string): boolean {
  return grant.deny.some((pattern) => subjectCovers(withoutQueue(pattern), subject));
}

/** The pattern that grants a subject: `>` if everything is granted, undefined if nothing is. */
function granting(grant: Grant, subject: string): string | undefined {
  if (denied(grant, subject)) return undefined;
  if (grant.allow.length === 0) return '>';
  return grant.allow.find((pattern) => subjectCovers(withoutQueue(pattern), subject));
}

function lintName(permissions: Permissions, { name }: LintSubject): LintFinding[] {
  // a boolean, since a type guard would leave `never` for names that are not IDs
  if (name === undefined || (isPeelId(name) as boolean)) return [];
  const all = [permissions.pub, permissions.sub].flatMap((permission) => permission?.allow ?? []);
  const madeFrom = name === '' ? undefined : all.find((pattern) => `.${pattern}.`.includes(`.${name}.`));
  if (/(^|\.)[*>](\.|$)/.test(name)) {
    return [
      {
        rule: 'name-is-wildcard',
        severity: 'error',
        grant: undefined,
        subject: madeFrom,
        message: `the name "${name}" is a wildcard: subjects made from it cover every peel`,
        fix: 'revoke this user, and issue a new credential under a valid peel ID',
      },
    ];
  }
  if (!name.includes('.') || madeFrom === undefined) return [];
  return [
    {
      rule: 'name-has-dots',
      severity: 'error',
      grant: undefined,
      subject: madeFrom,
      message: `the name "${name}" is more than one token: the peel "${name.split('.', 1)[0]}" is granted its subjects too`,
      fix: 'issue a new credential under a name without dots',
    },
  ];
}

function lintSyntax(kind: keyof Grants, grant: Grant, { name }: LintSubject): LintFinding[] {
  const findings: LintFinding[] = [];
  for (const subject of [...grant.allow, ...grant.deny]) {
    const why = malformed(kind === 'subscribe' ? withoutQueue(subject) : subject, name === undefined);
    if (why === undefined) continue;
    findings.push({
      rule: 'cannot-match',
      severity: 'warning',
      grant: kind,
      subject,
      message: `does not match what it seems to: ${why}`,
      fix: 'write a subject of whole tokens, or remove it',
    });
  }
  for (const subject of grant.allow) {
    if (malformed(withoutQueue(subject), true) !== undefined || !denied(grant, withoutQueue(subject)))
      continue;
    findings.push({
      rule: 'denied-anyway',
      severity: 'warning',
      grant: kind,
      subject,
      message: 'is allowed, but all of it is also denied, and deny wins',
      fix: 'remove one of the two',
    });
  }
  return findings;
}

function malformed(subject: string, templates: boolean): string | undefined {
  try {
    validateSubject(subject, { templates });
    return undefined;
  } catch (error) {
    if (!(error instanceof SubjectError)) throw error;
    return error.message.slice(
      error.message.lastIndexOf(' is not a subject: ') + ' is not a subject: '.length,
    );
  }
}

/**
 * `responses` lets a user publish to the reply subject of every message that it receives, whatever the deny list
 * says. A user that can also send to itself needs no accomplice (docs/nats-facts.md, 32).
 */
function lintResponses({ resp }: Permissions, { publish, subscribe }: Grants): LintFinding[] {
  if (resp === undefined) return [];
  const fix =
    'remove "responses"; peels answer commands with answerCommand(), on a subject that they are granted';
  const findings: LintFinding[] = [
    {
      rule: 'answers-anywhere',
      severity: 'error',
      grant: 'publish',
      subject: undefined,
      message:
        'with "responses", anyone who can send it a message chooses a subject that it may then publish to',
      fix,
    },
  ];
  const heard = notDenied(subscribe);
  for (const subject of notDenied(publish)) {
    if (!heard.some((other) => subjectsOverlap(subject, other))) continue;
    findings.push({
      rule: 'sends-to-itself',
      severity: 'error',
      grant: 'publish',
      subject,
      message:
        'it may also subscribe to this: by sending itself a message, it can publish anything through "responses"',
      fix,
    });
  }
  return findings;
}

/** The patterns that grant something. */
function notDenied(grant: Grant): string[] {
  const patterns = grant.allow.length === 0 ? ['>'] : grant.allow.map(withoutQueue);
  return patterns.filter((pattern) => !denied(grant, pattern));
}

/** The grants of a stranger. */
function lintPeers({ publish, subscribe }: Grants): LintFinding[] {
  const findings: LintFinding[] = [];
  for (const [grant, kind] of [
    [publish, 'publish'],
    [subscribe, 'subscribe'],
  ] as const) {
    if (granting(grant, STRANGER) !== '>') continue;
    findings.push({
      rule: 'unrestricted',
      severity: 'error',
      grant: kind,
      subject: grant.allow.length === 0 ? undefined : '>',
      message: `may ${kind} ${kind === 'publish' ? 'on' : 'to'} everything in the account`,
      fix: 'grant the subjects that are needed',
    });
  }
  const inbox =
    granting(subscribe, `_INBOX.${STRANGER}.reply.1`) ?? granting(subscribe, `_INBOX.${STRANGER}.1`);
  if (inbox !== undefined && inbox !== '>') {
    findings.push({
      rule: 'shared-inbox',
      severity: 'error',
      grant: 'subscribe',
      subject: inbox,
      message: 'the inboxes of others: one stolen credential reads every reply in the account',
      fix: 'grant _INBOX.{{name()}}.>, and give the client that inbox prefix',
    });
  }
  const others = [
    ['reads-other-peels', 'subscribe', subscribe, READ_BY_PEELS, 'reads messages for other peels'],
    ['speaks-for-other-peels', 'publish', publish, SAID_BY_PEELS, 'can publish as other peels'],
  ] as const;
  for (const [rule, kind, grant, subjects, message] of others) {
    const fix = "use {{name()}} or the peel's ID in place of the wildcard";
    for (const subject of grantedOf(grant, subjects))
      findings.push({ rule, severity: 'error', grant: kind, subject, message, fix });
  }
  return findings;
}

/** The patterns that grant one of these; `>` is a separate finding. */
function grantedOf(grant: Grant, subjects: readonly string[]): Set<string> {
  const patterns = new Set(subjects.flatMap((subject) => granting(grant, subject) ?? []));
  patterns.delete('>');
  return patterns;
}

/** Grants that belong to masters, admins and the fleet's own state. */
function lintFleet({ publish, subscribe }: Grants): LintFinding[] {
  const base = { severity: 'error', fix: 'remove it: no peel needs it' } as const;
  const said = [...grantedOf(publish, SAID_IN_THE_FLEET), ...overlapping(publish, OF_THE_FLEET)];
  const read = [...grantedOf(subscribe, READ_IN_THE_FLEET), ...overlapping(subscribe, OF_THE_FLEET)];
  return [
    ...[...new Set(said)].map((subject): LintFinding => ({
      ...base,
      rule: 'speaks-for-the-fleet',
      grant: 'publish',
      subject,
      message:
        "can publish as a master, an admin or a join token, answer in others' inboxes, or write the fleet's state",
    })),
    ...[...new Set(read)]
      // a shared inbox is a separate finding
      .filter((subject) => !subjectCovers(withoutQueue(subject), `_INBOX.${STRANGER}.reply.1`))
      .map((subject): LintFinding => ({
        ...base,
        rule: 'reads-the-fleet',
        grant: 'subscribe',
        subject,
        message: "reads messages or state of masters and admins, or other peels' answers",
      })),
  ];
}

/** The patterns that grant any of these; `>` is a separate finding. */
function overlapping(grant: Grant, spaces: readonly string[]): string[] {
  const left = spaces.filter((space) => !denied(grant, space));
  return grant.allow.filter(
    (pattern) =>
      pattern !== '>' &&
      !denied(grant, withoutQueue(pattern)) &&
      left.some((space) => subjectsOverlap(withoutQueue(pattern), space)),
  );
}

const CHANGES_OF_STREAMS = ['CREATE', 'UPDATE', 'DELETE', 'PURGE', 'RESTORE'] as const;
/** The subjects of masters, admins and their state: no peel may have any of them, not even for its own record. */
const OF_THE_FLEET = [
  ...(['admin', 'audit', 'audited'] as const).map(subjectsOf),
  `${MASTER_INBOX_PREFIX}.>`,
  `${ADMIN_INBOX_PREFIX}.>`,
  ...BUCKETS.map(bucketSubjects),
  ...CHANGES_OF_STREAMS.flatMap((change) =>
    [...FLEET_STREAMS.keys()].map((stream) => `$JS.API.STREAM.${change}.${stream}`),
  ),
];
const SAID_IN_THE_FLEET = [
  subjectFor.enroll(STRANGER, 'join'),
  formerSubjectFor.cancel.replace('*', '1'),
  `_INBOX.${STRANGER}.1`,
  `_INBOX.${STRANGER}.1.2`,
];
const READ_IN_THE_FLEET = [subjectFor.enroll(STRANGER, 'join'), subjectFor.reply(STRANGER, '1')];

const READ_BY_PEELS = [
  subjectFor.command(STRANGER),
  `${subjectFor.command(STRANGER)}.run`,
  subjectFor.auth(STRANGER, 'renew'),
];
const SAID_BY_PEELS = [
  subjectFor.event(STRANGER, 'x'),
  formerSubjectFor.fact(STRANGER),
  formerSubjectFor.ack(STRANGER).replace('*', '1'),
  subjectFor.reply(STRANGER, '1'),
  subjectFor.auth(STRANGER, 'renew'),
  subjectFor.command(STRANGER),
];

const CONSUMER_CREATE = ['$JS', 'API', 'CONSUMER', 'CREATE'];
const CONSUMER_DURABLE = ['$JS', 'API', 'CONSUMER', 'DURABLE', 'CREATE'];
const DIRECT_GET = ['$JS', 'API', 'DIRECT', 'GET'];
const MESSAGE_GET = ['$JS', 'API', 'STREAM', 'MSG', 'GET'];

/** Reads of a stream or a bucket, which subscriptions do not restrict (docs/nats-facts.md, 19). */
function lintReads({ publish }: Grants): LintFinding[] {
  return publish.allow.flatMap((subject): LintFinding[] => {
    if (subject === '>') return [];
    const base = { severity: 'error', grant: 'publish', subject } as const;
    const consumer = below(subject, CONSUMER_CREATE);
    const direct = below(subject, DIRECT_GET);
    const unfilteredConsumer =
      below(subject, CONSUMER_DURABLE) !== undefined || (consumer !== undefined && readsAll(consumer, 2));
    const unfilteredGet =
      below(subject, MESSAGE_GET) !== undefined || (direct !== undefined && readsAll(direct, 1));
    return [
      ...(unfilteredConsumer && grantedAtAll(publish, subject)
        ? [
            {
              ...base,
              rule: 'unfiltered-consumer',
              message: 'a consumer created with it delivers the whole stream or bucket to its inbox',
              fix: 'grant the filtered form: $JS.API.CONSUMER.CREATE.<stream>.*.<the subjects of this peel>',
            } as const,
          ]
        : []),
      ...(unfilteredGet && grantedAtAll(publish, subject)
        ? [
            {
              ...base,
              rule: 'unfiltered-direct-get',
              message: 'reads any message of the stream or bucket',
              fix: 'grant the form with the key: $JS.API.DIRECT.GET.<stream>.<the subjects of this peel>',
            } as const,
          ]
        : []),
    ];
  });
}

function grantedAtAll(grant: Grant, subject: string): boolean {
  return !denied(grant, subject);
}

/**
 * The tokens of a granted subject after a prefix; none if `>` covers the prefix early.
 *
 * @returns undefined when it grants nothing below the prefix
 */
function below(subject: string, prefix: readonly string[]): string[] | undefined {
  const tokens = subject.split('.');
  for (const [i, wanted] of prefix.entries()) {
    const token = tokens[i];
    if (token === '>') return ['>'];
    if (token !== wanted && token !== '*') return undefined;
  }
  return tokens.length > prefix.length ? tokens.slice(prefix.length) : undefined;
}

/** Whether the tokens after the prefix (a stream, `fixed - 1` more, then a filter) read more than one peel's filter. */
function readsAll(tokens: readonly string[], fixed: number): boolean {
  const filter = tokens.slice(fixed);
  // without a filter, or with a `>` in its place
  if (filter.length === 0 || tokens.slice(0, fixed).includes('>')) return true;
  const [stream = ''] = tokens;
  if (filter[0] === '>') return true;
  const bucket = /^KV_(.+)$/.exec(stream)?.[1] ?? (stream === '*' ? '*' : undefined);
  if (bucket === undefined || filter[0] !== '$KV') return false;
  // a bucket's subjects are $KV.<bucket>.<key>: a wildcard where the key begins is every key
  return filter[1] === '>' || filter[2] === '>' || filter[2] === '*' || filter[2] === undefined;
}

/** Grants that stall because another grant is missing (docs/nats-facts.md, 20). */
function lintStalls({ publish, subscribe }: Grants): LintFinding[] {
  const findings: LintFinding[] = [];
  for (const subject of publish.allow) {
    const consumer = below(subject, CONSUMER_CREATE) ?? below(subject, CONSUMER_DURABLE);
    if (consumer === undefined || subject === '>') continue;
    const [first = '*'] = consumer;
    const stream = first === '*' || first === '>' ? STRANGER : first;
    if (granting(publish, `$JS.FC.${stream}.consumer.x`) !== undefined) continue;
    findings.push({
      rule: 'missing-flow-control',
      severity: 'warning',
      grant: 'publish',
      subject,
      message: 'ordered and push consumers answer the server on $JS.FC, which is not granted: they stall',
      fix: `grant publishing on $JS.FC.${first === '>' ? '' : `${first}.`}>`,
    });
  }
  const asks = publish.allow.find((subject) => subject.startsWith('$JS.API.') || subject.startsWith('$SRV.'));
  const hears = subscribe.allow.length === 0 || subscribe.allow.some((p) => /^(_INBOX\.|>$|\*\.)/.test(p));
  if (asks !== undefined && !hears) {
    findings.push({
      rule: 'missing-inbox',
      severity: 'warning',
      grant: 'publish',
      subject: asks,
      message: 'sends requests, but has no inbox for the answers',
      fix: 'grant subscribing to _INBOX.{{name()}}.>, and give the client that inbox prefix',
    });
  }
  return findings;
}
