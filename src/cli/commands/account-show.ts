import type { Command } from 'commander';
import type { AccountVersion } from '../../nats-server/account.js';
import { systemOptions, withSystemOptions, type SystemOptions } from '../change-options.js';
import type { CliIo } from '../io.js';
import { Output, table, type GlobalOptions } from '../output.js';
import { timeWordsAndDate } from '../time-words.js';

type Options = GlobalOptions & SystemOptions;

/** `zester account show`: what the servers hold beside what the home holds. */
export function registerAccountShow(parent: Command, io: CliIo): void {
  withSystemOptions(parent.command('show'))
    .description('show the account as the home and as each server has it, and whether they differ')
    .addHelpText('after', '\nExamples:\n  $ zester account show\n  $ zester account show --json')
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      const output = new Output(io, options);
      const { home, ...rest } = await systemOptions(options, io, output);
      const { showAccount } = await import('../../nats-server/account.js');
      const { lossWords } = await import('../../trust/merge-account.js');
      const view = await showAccount(home, rest);
      const words = (version: AccountVersion) =>
        `issued ${timeWordsAndDate(version.issuedAt * 1000, io.now())}, ${count(version.revocations, 'revocation')}, ` +
        count(version.signingKeys.length, 'signing key');
      output.result(
        [
          `${view.account.name} ${view.account.publicKey}`,
          ...table([
            ['home', words(view.home)],
            ...view.servers.map(({ server, version, same }): [string, string] => [
              server,
              version === undefined
                ? 'not known: the account is not in use there'
                : `${same === true ? 'the same' : 'DIFFERS'}: ${words(version)}`,
            ]),
            ...view.notReached.map((server): [string, string] => [server, 'not reached']),
          ]),
          ...lossWords(view.lost).map(
            (line) => `the ${view.lost.by === 'home' ? "home's" : "servers'"} account JWT lost the ${line}`,
          ),
          view.inSync
            ? 'every server has what the home has'
            : 'they differ: "zester account push" pushes the newest',
        ],
        view,
      );
    });
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
