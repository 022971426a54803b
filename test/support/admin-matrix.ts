// Renders the table of roles and requests for docs/admins.md.
import { ADMIN_ROLES, ADMIN_VERBS, mayRequest, type AdminRole } from '../../src/permissions/admin-roles.js';
import type { AdminVerb } from '../../src/permissions/names.js';

const BEGIN = '<!-- roles: npm run docs:admins -->\n';
const END = '<!-- end -->';

/** The requests, in the order of the table. */
export const VERBS = Object.keys(ADMIN_VERBS) as AdminVerb[];

/** Rows that are not requests to a master, with the permissions of each role. */
export const BESIDE: readonly { what: string; roles: readonly AdminRole[] }[] = [
  { what: 'follow the audit log (`zester audit --follow`)', roles: ADMIN_ROLES },
  { what: 'call peels (`zester ping`, `zester peel exec`)', roles: ['operator', 'owner'] },
  { what: "read peels' events", roles: ['operator', 'owner'] },
  { what: 'discover services (`nats micro`)', roles: ['owner'] },
];

/** The document with the current table. */
export function withRoleTable(document: string): string {
  const [from, to] = [document.indexOf(BEGIN), document.indexOf(END)];
  if (from < 0 || to < from) throw new Error('the document has no place for the table of roles');
  return `${document.slice(0, from + BEGIN.length)}\n${roleTable()}\n${document.slice(to)}`;
}

function roleTable(): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |\n`;
  const row = (what: string, may: (role: AdminRole) => boolean) =>
    line([what, ...ADMIN_ROLES.map((role) => (may(role) ? 'yes' : ''))]);
  return [
    line(['request', ...ADMIN_ROLES]),
    line(['---', ...ADMIN_ROLES.map(() => '---')]),
    ...VERBS.map((verb) => row(`\`${verb}\``, (role) => mayRequest(role, verb))),
    ...BESIDE.map(({ what, roles }) => row(what, (role) => roles.includes(role))),
  ].join('');
}
