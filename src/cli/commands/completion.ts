import { Argument, type Command } from 'commander';
import { completionScript, SHELLS, type Shell } from '../completion-script.js';
import type { CliIo } from '../io.js';

/** `zester completion <shell>`: the script that completes commands and options in a shell. */
export function registerCompletion(parent: Command, io: CliIo): void {
  parent
    .command('completion')
    .description('print the script that completes commands and options in a shell')
    .addArgument(new Argument('<shell>', 'the shell').choices(SHELLS))
    .addHelpText(
      'after',
      `
Examples:
  $ source <(zester completion bash)
  $ zester completion zsh > "\${fpath[1]}/_zester"
  $ zester completion fish > ~/.config/fish/completions/zester.fish`,
    )
    .action((shell: Shell) => {
      io.stdout.write(completionScript(shell, parent));
    });
}
