// Renders shell completion scripts from the command tree.
import type { Command } from 'commander';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** The possible next words of a command, such as `zester creds`. */
interface Completions {
  /** The command without the program's name; empty for the program itself. */
  path: string;
  words: readonly { word: string; description: string }[];
}

/** A completion script, generated from the command tree so that both agree. */
export function completionScript(shell: Shell, program: Command): string {
  const all = completionsOf(program, '', globalOptions(program));
  switch (shell) {
    case 'bash':
      return bash(all);
    case 'zsh':
      return zsh(all);
    case 'fish':
      return fish(all);
  }
}

function globalOptions(program: Command): Completions['words'] {
  return optionWords(program).filter(({ word }) => word !== '--version');
}

function optionWords(command: Command): { word: string; description: string }[] {
  return command.options.map(({ long, description }) => ({ word: long ?? '', description }));
}

function completionsOf(command: Command, path: string, globals: Completions['words']): Completions[] {
  const visible = command.commands.filter((sub) => sub.name() !== 'help');
  const own = path === '' ? [{ word: '--version', description: 'print the version' }] : optionWords(command);
  const words = [
    ...visible.map((sub) => ({ word: sub.name(), description: sub.description() })),
    ...command.registeredArguments.flatMap((argument) =>
      (argument.argChoices ?? []).map((word) => ({ word, description: argument.description })),
    ),
    ...own,
    ...globals,
    { word: '--help', description: 'print the help' },
  ];
  return [
    { path, words },
    ...visible.flatMap((sub) =>
      completionsOf(sub, path === '' ? sub.name() : `${path} ${sub.name()}`, globals),
    ),
  ];
}

/** The `case` branches that map typed words to a command, and a command to its next words. */
function branches(all: readonly Completions[]): { known: string; words: string } {
  return {
    known: all
      .filter(({ path }) => path !== '')
      .map(({ path }) => `"${path}"`)
      .join('|'),
    words: all
      .map(({ path, words }) => `    "${path}") words="${words.map(({ word }) => word).join(' ')}" ;;`)
      .join('\n'),
  };
}

function bash(all: readonly Completions[]): string {
  const { known, words } = branches(all);
  return `# bash completion for zester; falls back to file names
_zester() {
  local path="" next words="" i
  for ((i = 1; i < COMP_CWORD; i++)); do
    next="\${path:+$path }\${COMP_WORDS[i]}"
    case "$next" in ${known}) path="$next" ;; esac
  done
  case "$path" in
${words}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _zester zester
`;
}

function zsh(all: readonly Completions[]): string {
  const { known, words } = branches(all);
  return `#compdef zester
# zsh completion for zester; falls back to file names
_zester() {
  local path_="" next words_="" i
  for ((i = 2; i < CURRENT; i++)); do
    next="\${path_:+$path_ }\${words[i]}"
    case "$next" in ${known}) path_="$next" ;; esac
  done
  case "$path_" in
${words.replaceAll('words=', 'words_=')}
  esac
  compadd -- \${=words_} || _files
  [[ "\${words[CURRENT-1]}" == -* ]] && _files
  return 0
}
if [ "$funcstack[1]" = "_zester" ]; then _zester "$@"; else compdef _zester zester; fi
`;
}

function fish(all: readonly Completions[]): string {
  const lines = all.flatMap(({ path, words }) => {
    const below = all
      .filter((other) => other.path.startsWith(path === '' ? '' : `${path} `) && other.path !== path)
      .map((other) => other.path.slice(path.length).trim().split(' ')[0] ?? '');
    const seen = path.split(' ').filter((word) => word !== '');
    const conditions = [
      ...seen.map((word) => `__fish_seen_subcommand_from ${word}`),
      ...(below.length === 0 ? [] : [`not __fish_seen_subcommand_from ${[...new Set(below)].join(' ')}`]),
    ];
    const when = conditions.length === 0 ? '' : ` -n '${conditions.join('; and ')}'`;
    return words.map(({ word, description }) => {
      const what = word.startsWith('--') ? `-l ${word.slice(2)}` : `-f -a ${word}`;
      return `complete -c zester${when} ${what} -d '${description.replaceAll("'", "\\'")}'`;
    });
  });
  return `# fish completion for zester\n${lines.join('\n')}\n`;
}
