// `zester keys list`: list the keys of the trust domain, and what each signed.
import { errorMessage } from '../../../text/error-message.js';
import type { KnownCredentials } from '../../../fleet-client/key-use.js';
import type { KeyEntry } from '../../../trust/keys/key-list.js';
import type { KeyUse } from '../../../trust/keys/key-removal.js';
import { command } from '../../command/declaration.js';
import { flag } from '../../command/option.js';
import type { Output } from '../../terminal/output.js';
import { timeWords } from '../../terminal/time-words.js';

export default command({
  summary: 'list the keys of the trust domain, and what each has signed',
  needs: 'servers',
  options: { offline: flag('--offline', 'read the home only') },
  notes: `
For signing keys of peels and join tokens, counts the valid credentials that depend on them: in the registry, issued
from this home, or connected now. Reports if it cannot reach the servers.`,
  examples: ['zester keys list', 'zester keys list --json'],
  async run({ offline }, { io, output, openHome, connection }) {
    const { listKeys } = await import('../../../trust/keys/key-list.js');
    const { knownCredentials, useOfKey } = await import('../../../fleet-client/from-home.js');
    const domain = await openHome();
    const keys = await listKeys(domain);
    let known: KnownCredentials | undefined;
    if (!offline) {
      const { renewUsed } = await import('../../fleet/renew-used.js');
      if (domain.settings.renewal !== undefined) await renewUsed(domain.home, ['system', 'master'], io);
      try {
        known = await knownCredentials(domain, connection(domain));
      } catch (error) {
        const why = errorMessage(error);
        output.warn(`credentials that masters signed are not counted: ${why}`);
      }
    }
    const now = io.now();
    const listed = await Promise.all(
      keys.map(async (key) => ({
        key,
        use: known === undefined ? undefined : await useOfKey(domain, key.publicKey, known, now),
      })),
    );
    output.result(
      listed.flatMap(({ key, use }) => lines(key, use, now, output)),
      {
        keys: listed.map(({ key: { seedPath, master, ...key }, use }) => ({
          ...key,
          master: master ?? null,
          seedPath: seedPath ?? null,
          valid: use?.valid ?? null,
          connected: use?.connected ?? null,
        })),
      },
    );
  },
});

function lines(
  { role, publicKey, current, signed, since, seedPath, master }: KeyEntry,
  use: KeyUse | undefined,
  now: number,
  output: Output,
): string[] {
  const isPeels = role === 'peel signing' || role === 'join signing';
  const what = role === 'join signing' ? 'join token' : 'credential';
  const depends =
    use === undefined
      ? isPeels
        ? '; credentials signed by masters: unknown'
        : ''
      : `; ${use.valid} valid ${what}${use.valid === 1 ? '' : 's'}, ${use.connected} connected`;
  const isOthers = master !== undefined && seedPath === undefined;
  const note = isOthers
    ? ` (of the master ${master})`
    : current || !role.endsWith('signing')
      ? ''
      : ' (no longer signs new ones)';
  return [
    `${output.key(publicKey)}  ${role}${note}`,
    `  signed ${signed.join(', ') || 'nothing from this home'}${depends}; added ${timeWords(Date.parse(since), now)}; ` +
      (seedPath === undefined ? 'its seed is not in the home' : `its seed is in ${seedPath}`),
  ];
}
