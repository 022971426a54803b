// `zester master list`: list the masters, their keys, and when their credentials expire.
import type { ListedMaster } from '../../../masters/list-masters.js';
import type { MasterKey } from '../../../masters/roster.js';
import { command } from '../../command/declaration.js';
import { flag } from '../../command/option.js';
import { timeWords } from '../../terminal/time-words.js';

export default command({
  summary: 'list the masters, their keys and their state',
  needs: 'system',
  options: { offline: flag('--offline', 'read the home only') },
  notes: `
"first" stands for the home that "zester init" created and all copies of it made by hand, which are indistinguishable.
"watching" is the master that follows the servers' events.`,
  examples: ['zester master list', 'zester master list --json'],
  async run({ offline }, { io, output, system }) {
    const { home, ...options } = await system();
    const { listMasters } = await import('../../../masters/list-masters.js');
    const masters = await listMasters(home, { ...options, offline });
    const now = io.now();
    output.result(
      output.columns(masters, [
        ['NAME', ({ name, here }) => `${name}${here ? ' (here)' : ''}`],
        ['STATE', stateOf],
        ['CONNECTED', (master) => sinceOf(master, now)],
        ['CREDENTIALS', (master) => expiryOf(master, now)],
        [
          'PEEL SIGNING KEY',
          ({ keys }) =>
            keysOf(keys, 'peel-signing')
              .map((key) => output.key(key))
              .join(' '),
        ],
      ]),
      {
        masters: masters.map(({ connections, expiresAt, watching, keys, ...master }) => ({
          ...master,
          peelSigningKeys: keysOf(keys, 'peel-signing'),
          joinSigningKeys: keysOf(keys, 'join-signing'),
          connected: connections === undefined ? null : connections.length > 0,
          connections:
            connections?.map(({ host, since }) => ({ host: host ?? null, since: since ?? null })) ?? null,
          credentialsExpireAt:
            expiresAt === undefined || expiresAt === null ? null : new Date(expiresAt).toISOString(),
          credentialsNeverExpire: expiresAt === null,
          watching: watching ?? null,
        })),
      },
    );
  },
});

function keysOf(keys: readonly MasterKey[], wanted: MasterKey['kind']): string[] {
  return keys.filter(({ kind }) => kind === wanted).map(({ publicKey }) => publicKey);
}

function stateOf({ connections, watching }: ListedMaster): string {
  if (connections === undefined) return 'unknown';
  if (connections.length === 0) return 'not connected';
  return watching === true ? 'watching' : 'connected';
}

function sinceOf({ connections = [] }: ListedMaster, now: number): string {
  const first = connections.flatMap(({ since }) => since ?? []).sort()[0];
  return first === undefined ? '' : timeWords(Date.parse(first), now);
}

function expiryOf({ expiresAt }: ListedMaster, now: number): string {
  if (expiresAt === undefined) return 'unknown';
  return expiresAt === null ? 'never expire' : `expire ${timeWords(expiresAt, now)}`;
}
