// `zester completion`: print a shell completion script.
import { command } from '../command/declaration.js';
import { choiceArgument } from '../command/option.js';
import { SHELLS } from '../command/completion-script.js';

export default command({
  summary: 'print a shell completion script',
  section: 'Other',
  arguments: { shell: choiceArgument('the shell', SHELLS) },
  examples: [
    'source <(zester completion bash)',
    'zester completion zsh > "${fpath[1]}/_zester"',
    'zester completion fish > ~/.config/fish/completions/zester.fish',
  ],
  async run({ shell }, { io }) {
    const [{ completionScript }, { createProgram }] = await Promise.all([
      import('../command/completion-script.js'),
      import('../program.js'),
    ]);
    io.stdout.write(completionScript(shell, await createProgram(io)));
  },
});
