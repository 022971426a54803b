// `zester admin list`: list the admins, their roles, and whether they are connected.
import type { ListedAdmin } from '../../../admins/list-admins.js';
import { command } from '../../command/declaration.js';
import { flag } from '../../command/option.js';
import { timeWords } from '../../terminal/time-words.js';

export default command({
  summary: 'list the admins, their roles and their state',
  needs: 'system',
  options: { offline: flag('--offline', 'read the home only') },
  notes: `
Lists the admins added from this home and, from the audit log, those added from other homes. The owner's admin.creds of
"zester init" is not listed.`,
  examples: ['zester admin list', 'zester admin list --json'],
  async run({ offline }, { io, output, system }) {
    const { home, ...options } = await system();
    const { listAdmins } = await import('../../../admins/list-admins.js');
    const { admins, unread } = await listAdmins(home, {
      ...options,
      ...(offline && { servers: false as const }),
    });
    if (unread !== undefined) output.warn(`admins that other homes added are not listed: ${unread}`);
    const now = io.now();
    output.result(
      output.columns(admins, [
        ['NAME', ({ name }) => name],
        ['ROLE', ({ role }) => role],
        ['STATE', ({ state }) => state],
        ['EXPIRES', (admin) => expiryOf(admin, now)],
        ['CONNECTED', (admin) => sinceOf(admin, now)],
        ['KEY', ({ publicKey }) => output.key(publicKey)],
      ]),
      {
        complete: unread === undefined && !offline,
        admins: admins.map(
          ({ name, role, publicKey, state, issuedAt, expiresAt, removedAt, connections }) => ({
            name,
            role,
            publicKey,
            state,
            issuedAt: isoOf(issuedAt),
            expiresAt: isoOf(expiresAt),
            removedAt: isoOf(removedAt),
            connections:
              connections?.map(({ host, since }) => ({ host: host ?? null, since: since ?? null })) ?? null,
          }),
        ),
      },
    );
  },
});

function isoOf(seconds: number | undefined): string | null {
  return seconds === undefined ? null : new Date(seconds * 1000).toISOString();
}

function expiryOf({ expiresAt }: ListedAdmin, now: number): string {
  return expiresAt === undefined ? 'never' : timeWords(expiresAt * 1000, now);
}

function sinceOf({ connections }: ListedAdmin, now: number): string {
  if (connections === undefined) return 'unknown';
  const first = connections.flatMap(({ since }) => since ?? []).sort()[0];
  if (first === undefined) return connections.length > 0 ? 'yes' : 'no';
  return timeWords(Date.parse(first), now);
}
