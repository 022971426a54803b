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
import { subjectCovers, validateSubject } from './subject.js';
import { subjectsOverlap } from './subjects-overlap.js';

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

/** A problem in a user's permissions. */
export interface LintFinding {
  rule: LintRule;
  /** `error`: exposes the data of others; `warning`: something will not work. */
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
  /** Peels must be isolated from each other; masters and admins access others by design. `peel` by default. */
  role?: 'peel' | 'other';
}

/** The ID of a fictional other peel, which must not be reachable. */
const STRANGER = 'zester-lint-stranger';

/**
 * Finds grants that let one peel read or write another's data, grants that stall, and subjects that cannot match.
 * Checks only the grants, not the account's streams and exports.
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
 * Fills in `{{name()}}` and `{{subject()}}` in a template, as the server does. Source: docs.nats.io, "Scoped Signing
 * Keys". Tag and account templates stay, since their values are unknown here.
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

/** Removes the queue name that may follow the subject of a subscription grant. */
function withoutQueue(subject: string): string {
  return subject.split(' ', 1)[0] ?? '';
}

/** Whether a pattern grants everything, if only within a queue group. */
function isEverything(pattern: string): boolean {
  return withoutQueue(pattern) === '>';
}

/** Whether nothing of a subject is granted. Denying a queue group leaves the rest (docs/nats-facts.md, 41). */
function denied(grant: Grant, subject: string): boolean {
  return grant.deny.some((pattern) => subjectCovers(pattern, subject));
}

/** The pattern that grants a subject; `>` without an allow list; undefined: not granted. */
function granting(grant: Grant, subject: string): string | undefined {
  if (denied(grant, subject)) return undefined;
  if (grant.allow.length === 0) return '>';
  return grant.allow.find((pattern) => subjectCovers(withoutQueue(pattern), subject));
}

function lintName(permissions: Permissions, { name }: LintSubject): LintFinding[] {
  // cast to boolean, since the type guard would narrow other names to `never`
  if (name === undefined || (isPeelId(name) as boolean)) return [];
  const all = [permissions.pub, permissions.sub].flatMap((permission) => permission?.allow ?? []);
  const derived = name === '' ? undefined : all.find((pattern) => `.${pattern}.`.includes(`.${name}.`));
  if (/(^|\.)[*>](\.|$)/.test(name)) {
    return [
      {
        rule: 'name-is-wildcard',
        severity: 'error',
        grant: undefined,
        subject: derived,
        message: `the name "${name}" is a wildcard: subjects with it cover every peel`,
        fix: 'revoke this user, and issue a new credential under a valid peel ID',
      },
    ];
  }
  if (!name.includes('.') || derived === undefined) return [];
  return [
    {
      rule: 'name-has-dots',
      severity: 'error',
      grant: undefined,
      subject: derived,
      message: `the name "${name}" is more than one token: its subjects are also granted to the peel "${name.split('.', 1)[0]}"`,
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
      message: `cannot match as intended: ${why}`,
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
      message: 'is allowed, but also completely denied, and deny wins',
      fix: 'remove the allow or the deny',
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
 * `responses` lets a user publish to the reply subject of every message that it receives, regardless of the deny list.
 * A user that can also send to itself needs no accomplice (docs/nats-facts.md, 32).
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
        'with "responses", the sender of a message chooses a subject that the user may then publish to',
      fix,
    },
  ];
  const subscribed = notDenied(subscribe);
  for (const subject of notDenied(publish)) {
    if (!subscribed.some((other) => subjectsOverlap(subject, other))) continue;
    findings.push({
      rule: 'sends-to-itself',
      severity: 'error',
      grant: 'publish',
      subject,
      message:
        'the user may also subscribe to this: by sending itself a message, it can publish anywhere through "responses"',
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

/** Grants that reach other peels. */
function lintPeers({ publish, subscribe }: Grants): LintFinding[] {
  const findings: LintFinding[] = [];
  for (const [grant, kind] of [
    [publish, 'publish'],
    [subscribe, 'subscribe'],
  ] as const) {
    const everything = grant.allow.find(isEverything);
    if ((grant.allow.length > 0 && everything === undefined) || denied(grant, '>')) continue;
    findings.push({
      rule: 'unrestricted',
      severity: 'error',
      grant: kind,
      subject: everything,
      message: `may ${kind} ${kind === 'publish' ? 'on' : 'to'} everything in the account`,
      fix: 'grant only the required subjects',
    });
  }
  const inbox =
    granting(subscribe, `_INBOX.${STRANGER}.reply.1`) ?? granting(subscribe, `_INBOX.${STRANGER}.1`);
  if (inbox !== undefined && !isEverything(inbox)) {
    findings.push({
      rule: 'shared-inbox',
      severity: 'error',
      grant: 'subscribe',
      subject: inbox,
      message: 'covers the inboxes of others: one stolen credential reads every reply in the account',
      fix: 'grant _INBOX.{{name()}}.>, and give the client that inbox prefix',
    });
  }
  const others = [
    ['reads-other-peels', 'subscribe', subscribe, PEEL_SUBSCRIBES, 'reads messages for other peels'],
    ['speaks-for-other-peels', 'publish', publish, PEEL_PUBLISHES, 'can publish as other peels'],
  ] as const;
  for (const [rule, kind, grant, subjects, message] of others) {
    const fix = "use {{name()}} or the peel's ID in place of the wildcard";
    for (const subject of grantedOf(grant, subjects))
      findings.push({ rule, severity: 'error', grant: kind, subject, message, fix });
  }
  return findings;
}

/** The patterns that grant one of these subjects, except `>`, which is a separate finding. */
function grantedOf(grant: Grant, subjects: readonly string[]): Set<string> {
  const patterns = subjects.flatMap((subject) => granting(grant, subject) ?? []);
  return new Set(patterns.filter((pattern) => !isEverything(pattern)));
}

/** Grants that are reserved for masters and admins. */
function lintFleet({ publish, subscribe }: Grants): LintFinding[] {
  const base = { severity: 'error', fix: 'remove it; no peel needs it' } as const;
  const published = [...grantedOf(publish, FLEET_PUBLISHES), ...overlapping(publish, FLEET_SPACES)];
  const read = [...grantedOf(subscribe, FLEET_SUBSCRIBES), ...overlapping(subscribe, FLEET_SPACES)];
  return [
    ...[...new Set(published)].map((subject): LintFinding => ({
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

/** The patterns that grant any subject of these spaces, except `>`, which is a separate finding. */
function overlapping(grant: Grant, spaces: readonly string[]): string[] {
  const left = spaces.filter((space) => !denied(grant, space));
  return grant.allow.filter(
    (pattern) =>
      !isEverything(pattern) &&
      !denied(grant, withoutQueue(pattern)) &&
      left.some((space) => subjectsOverlap(withoutQueue(pattern), space)),
  );
}

const STREAM_CHANGES = ['CREATE', 'UPDATE', 'DELETE', 'PURGE', 'RESTORE'] as const;
/** The subjects of masters, admins and their state: no peel may have any of them, not even for its own record. */
const FLEET_SPACES = [
  ...(['admin', 'audit', 'audited'] as const).map(subjectsOf),
  `${MASTER_INBOX_PREFIX}.>`,
  `${ADMIN_INBOX_PREFIX}.>`,
  ...BUCKETS.map(bucketSubjects),
  ...STREAM_CHANGES.flatMap((change) =>
    [...FLEET_STREAMS.keys()].map((stream) => `$JS.API.STREAM.${change}.${stream}`),
  ),
];
const FLEET_PUBLISHES = [
  subjectFor.enroll(STRANGER, 'join'),
  formerSubjectFor.cancel.replace('*', '1'),
  `_INBOX.${STRANGER}.1`,
  `_INBOX.${STRANGER}.1.2`,
];
const FLEET_SUBSCRIBES = [subjectFor.enroll(STRANGER, 'join'), subjectFor.reply(STRANGER, '1')];

const PEEL_SUBSCRIBES = [
  subjectFor.command(STRANGER),
  `${subjectFor.command(STRANGER)}.run`,
  subjectFor.auth(STRANGER, 'renew'),
];
const PEEL_PUBLISHES = [
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

/** Reads of streams and buckets, which subscribe permissions do not restrict (docs/nats-facts.md, 19). */
function lintReads({ publish }: Grants): LintFinding[] {
  return publish.allow.flatMap((subject): LintFinding[] => {
    if (isEverything(subject)) return [];
    const base = { severity: 'error', grant: 'publish', subject } as const;
    const consumer = below(subject, CONSUMER_CREATE);
    const direct = below(subject, DIRECT_GET);
    const unfilteredConsumer =
      below(subject, CONSUMER_DURABLE) !== undefined || (consumer !== undefined && readsAll(consumer, 2));
    const unfilteredGet =
      below(subject, MESSAGE_GET) !== undefined || (direct !== undefined && readsAll(direct, 1));
    return [
      ...(unfilteredConsumer && isGranted(publish, subject)
        ? [
            {
              ...base,
              rule: 'unfiltered-consumer',
              message: 'a consumer created with it delivers the whole stream or bucket to its inbox',
              fix: 'grant the filtered form: $JS.API.CONSUMER.CREATE.<stream>.*.<the subjects of this peel>',
            } as const,
          ]
        : []),
      ...(unfilteredGet && isGranted(publish, subject)
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

function isGranted(grant: Grant, subject: string): boolean {
  return !denied(grant, subject);
}

/**
 * The tokens of a granted subject after a prefix; `>` alone if that covers the prefix.
 *
 * @returns undefined: grants nothing below the prefix
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

/** Whether the tokens after the prefix (a stream, `fixed - 1` more, then a filter) read more than one peel's data. */
function readsAll(tokens: readonly string[], fixed: number): boolean {
  const filter = tokens.slice(fixed);
  // without a filter, or with a `>` in its place
  if (filter.length === 0 || tokens.slice(0, fixed).includes('>')) return true;
  const [stream = ''] = tokens;
  if (filter[0] === '>') return true;
  const bucket = /^KV_(.+)$/.exec(stream)?.[1] ?? (stream === '*' ? '*' : undefined);
  if (bucket === undefined || filter[0] !== '$KV') return false;
  // a bucket's subjects are $KV.<bucket>.<key>: a wildcard at the start of the key covers all keys
  return filter[1] === '>' || filter[2] === '>' || filter[2] === '*' || filter[2] === undefined;
}

/** Grants that stall because another grant is missing (docs/nats-facts.md, 20). */
function lintStalls({ publish, subscribe }: Grants): LintFinding[] {
  const findings: LintFinding[] = [];
  const published = publish.allow.filter((subject) => isGranted(publish, subject));
  for (const subject of published) {
    const consumer = below(subject, CONSUMER_CREATE) ?? below(subject, CONSUMER_DURABLE);
    if (consumer === undefined || isEverything(subject)) continue;
    const [first = '*'] = consumer;
    const stream = first === '*' || first === '>' ? STRANGER : first;
    if (granting(publish, `$JS.FC.${stream}.consumer.x`) !== undefined) continue;
    findings.push({
      rule: 'missing-flow-control',
      severity: 'warning',
      grant: 'publish',
      subject,
      message: 'ordered and push consumers stall: they answer the server on $JS.FC, which is not granted',
      fix: `grant publishing on $JS.FC.${first === '>' ? '' : `${first}.`}>`,
    });
  }
  const request = published.find((subject) => subject.startsWith('$JS.API.') || subject.startsWith('$SRV.'));
  const hasInbox = subscribe.allow.length === 0 || subscribe.allow.some((p) => /^(_INBOX\.|>$|\*\.)/.test(p));
  if (request !== undefined && !hasInbox) {
    findings.push({
      rule: 'missing-inbox',
      severity: 'warning',
      grant: 'publish',
      subject: request,
      message: 'sends requests, but has no inbox for the answers',
      fix: 'grant subscribing to _INBOX.{{name()}}.>, and give the client that inbox prefix',
    });
  }
  return findings;
}
