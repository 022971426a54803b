// The messages that each role may send to a process of the fleet: from grants, the isolation table, and subscriptions.
import * as v from 'valibot';
import type { NatsConnection } from '@nats-io/transport-node';
import type { PermissionOptions } from '../../src/jwt/permission-options.js';
import { recoveryName } from '../../src/permissions/recovery.js';
import {
  adminPermissions,
  joinName,
  joinPermissionsTemplate,
  masterAnswersPermissions,
  masterPermissions,
  peelPermissions,
} from '../../src/permissions/roles.js';
import { subjectCovers } from '../../src/permissions/subject.js';
import { subjectsOverlap } from '../../src/permissions/subjects-overlap.js';
import { ADMIN, ISOLATION, PEEL_ID, TOKEN, type Role } from './isolation-table.js';

/** The names of a sender, which replace those of the isolation table. */
export interface Names {
  peel: string;
  token: string;
  admin: string;
}

/** The grants of each role, from its users' JWTs. */
const GRANTS: Readonly<Record<Role, (names: Names) => PermissionOptions>> = {
  peel: ({ peel }) => peelPermissions(peel),
  recovery: ({ peel }) => filled(joinPermissionsTemplate(), recoveryName(peel)),
  token: ({ token }) => filled(joinPermissionsTemplate(), joinName(token)),
  master: masterPermissions,
  answers: masterAnswersPermissions,
  viewer: ({ admin }) => adminPermissions({ name: admin, role: 'viewer' }),
  approver: ({ admin }) => adminPermissions({ name: admin, role: 'approver' }),
  operator: ({ admin }) => adminPermissions({ name: admin, role: 'operator' }),
  owner: () => adminPermissions(),
};

function filled(permissions: PermissionOptions, name: string): PermissionOptions {
  return JSON.parse(JSON.stringify(permissions).replaceAll('{{name()}}', name)) as PermissionOptions;
}

/** State that a thief of a master may overwrite (docs/security.md), and so not a message to a master. */
const STATE = ['$KV.>', '$JS.>', 'zester.audit.>'];

/**
 * The subjects that a role may publish to and a process subscribes to: from the isolation table, from each grant, and
 * from each subscription that overlaps a grant. So every new grant or subscription is included.
 */
export function subjectsFor(role: Role, names: Names, subscriptions: readonly string[]): string[] {
  const { allow = [], deny = [] } = GRANTS[role](names).publish ?? {};
  const tabled = ISOLATION.filter(({ publish }) => publish.includes(role)).flatMap(({ subjects }) =>
    subjects.map((subject) =>
      subject
        .replaceAll(TOKEN, names.token)
        .replaceAll(`_zester-admin-${ADMIN}`, `_zester-admin-${names.admin}`)
        .replaceAll(new RegExp(`(?<=(?:event|auth|return)\\.|recover-)${PEEL_ID}`, 'g'), names.peel),
    ),
  );
  const granted = allow.flatMap(examples);
  const reached = allow.flatMap((grant) =>
    subscriptions.filter((one) => subjectsOverlap(grant, one)).flatMap((one) => examples(meet(grant, one))),
  );
  const may = (subject: string) =>
    allow.some((one) => subjectCovers(one, subject)) &&
    ![...deny, ...STATE].some((one) => subjectCovers(one, subject));
  const isSubscribed = (subject: string) => subscriptions.some((one) => subjectCovers(one, subject));
  return [...new Set([...tabled, ...granted, ...reached])].filter(
    (subject) => !isWildcard(subject) && may(subject) && isSubscribed(subject),
  );
}

function isWildcard(subject: string): boolean {
  return subject.split('.').some((token) => token === '*' || token === '>');
}

/** The intersection of two overlapping subjects. */
function meet(one: string, other: string): string {
  const [a, b] = [one.split('.'), other.split('.')];
  const tokens: string[] = [];
  for (let i = 0; i < Math.max(a.length, b.length); i += 1) {
    const [token = '>', opposite = '>'] = [a[i], b[i]];
    if (token === '>') return [...tokens, ...b.slice(i)].join('.');
    if (opposite === '>') return [...tokens, ...a.slice(i)].join('.');
    tokens.push(token === '*' ? opposite : token);
  }
  return tokens.join('.');
}

/** Subjects that a pattern matches. */
function examples(pattern: string): string[] {
  const plain = pattern.replaceAll('*', 'm');
  return plain.endsWith('>') ? [plain.replace(/>$/, 'other'), plain.replace(/>$/, 'a.b.c')] : [plain];
}

const connzSchema = v.object({
  data: v.object({
    connections: v.optional(
      v.array(v.object({ subscriptions_list: v.optional(v.array(v.string()), []), account: v.string() })),
      [],
    ),
  }),
});

/** The subscriptions of an account's connections. */
export async function subscriptionsIn(account: string, system: NatsConnection): Promise<string[]> {
  const asked = JSON.stringify({ subscriptions: true, auth: true, acc: account, limit: 1_024 });
  const answer = await system.request('$SYS.REQ.SERVER.PING.CONNZ', asked, { timeout: 10_000 });
  const { connections } = v.parse(connzSchema, answer.json()).data;
  const all = connections.filter((one) => one.account === account).flatMap((one) => one.subscriptions_list);
  return [...new Set(all)].toSorted();
}
