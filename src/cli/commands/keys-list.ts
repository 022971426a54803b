import type { Command } from 'commander';
import type { KnownCredentials } from '../../fleet/key-use.js';
import type { KeyUse } from '../../trust/key-removal.js';
import type { KeyEntry } from '../../trust/key-list.js';
import {
  connectionOf,
  homeOf,
  withHomeOption,
  withServersOption,
  type HomeOptions,
  type ServersOptions,
} from '../home-options.js';
import type { CliIo } from '../io.js';
import { Output, type GlobalOptions } from '../output.js';
import { timeWords } from '../time-words.js';

type Options = GlobalOptions & HomeOptions & ServersOptions & { offline?: boolean };

/** `zester keys list`. */
export function registerKeysList(parent: Command, io: CliIo): void {
  withServersOption(withHomeOption(parent.command('list')))
    .description("list a trust domain's keys: role, what each signed, its age, where its seed is")
    .option('--offline', 'look at the home only, and not at the registry and who is connected')
    .addHelpText(
      'after',
      `
Of the signing keys of peels and join tokens it counts the valid credentials that depend on them: in the fleet's registry,
issued from this home, or connected now. Where the servers cannot be asked, it says so.

Examples:
  $ zester keys list
  $ zester keys list --json`,
    )
    .action(async (_options, command: Command) => {
      await list(command.optsWithGlobals<Options>(), io);
    });
}

async function list(options: Options, io: CliIo): Promise<void> {
  const output = new Output(io, options);
  const { openTrustDomain } = await import('../../trust/open.js');
  const { listKeys } = await import('../../trust/key-list.js');
  const { knownCredentials, useOfKey } = await import('../../fleet/from-home.js');
  const domain = await openTrustDomain(homeOf(options, io));
  const keys = await listKeys(domain);
  let known: KnownCredentials | undefined;
  if (options.offline !== true) {
    try {
      known = await knownCredentials(domain, connectionOf(options, io, domain));
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      output.warn(`what masters signed is not counted: ${why}`);
    }
  }
  const listed = await Promise.all(
    keys.map(async (key) => ({
      key,
      use: known === undefined ? undefined : await useOfKey(domain, key.publicKey, known, io.now()),
    })),
  );
  output.result(
    listed.flatMap(({ key, use }) => lines(key, use, io.now())),
    {
      keys: listed.map(({ key: { seedPath, ...key }, use }) => ({
        ...key,
        seedPath: seedPath ?? null,
        valid: use?.valid ?? null,
        connected: use?.connected ?? null,
      })),
    },
  );
}

function lines(
  { role, publicKey, current, signed, since, seedPath }: KeyEntry,
  use: KeyUse | undefined,
  now: number,
): string[] {
  const isPeels = role === 'peel signing' || role === 'join signing';
  const what = role === 'join signing' ? 'join token' : 'credential';
  const depends =
    use === undefined
      ? isPeels
        ? '; what masters signed is not known'
        : ''
      : `; ${use.valid} valid ${what}${use.valid === 1 ? '' : 's'}, ${use.connected} connected`;
  return [
    `${publicKey}  ${role}${current || !role.endsWith('signing') ? '' : ' (not in use for new ones)'}`,
    `  signed ${signed.join(', ') || 'nothing from this home'}${depends}; added ${timeWords(Date.parse(since), now)}; ` +
      (seedPath === undefined ? 'its seed is not in the home' : `its seed is in ${seedPath}`),
  ];
}
