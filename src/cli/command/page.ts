// The content of the generated documents for each command, the same as its help.
import type { CommandNode } from './tree.js';
import type { Example } from './declaration.js';
import { sharedOptions } from './shared-options.js';

/** Terms and their descriptions. */
export type Terms = readonly (readonly [term: string, about: string])[];

/** A command with its full name. */
export interface Page {
  /** As typed: `zester peel list`. */
  readonly name: string;
  readonly summary: string;
  /** The arguments, as in the usage line. */
  readonly usage: string;
  readonly arguments: Terms;
  readonly options: Terms;
  /** Whether it has the connection options, which are documented once. */
  readonly connects: boolean;
  readonly notes: string;
  readonly examples: readonly Example[];
}

/** The pages of all runnable commands, in tree order. */
export function pagesOf(nodes: readonly CommandNode[], parent = 'zester'): Page[] {
  return nodes.flatMap((node) => {
    const name = `${parent} ${node.name}`;
    const { declared } = node;
    const below = pagesOf(node.verbs, name);
    if (declared.kind === 'group') return below;
    const shared = Object.values(sharedOptions(declared.needs));
    const own = [...Object.values(declared.options), ...shared.filter(({ group }) => group === undefined)];
    const args = Object.entries(declared.arguments);
    const page: Page = {
      name,
      summary: declared.summary,
      usage: args.map(([word, { syntax }]) => syntax(word)).join(' '),
      arguments: args.map(([word, { about, choices }]) => [word, withChoices(about, choices)] as const),
      options: own.flatMap(({ flags, choices, fallback }) =>
        flags.map((flag) => [flag.flags, optionText(flag.about, { choices, fallback })] as const),
      ),
      connects: shared.some(({ group }) => group !== undefined),
      notes: declared.notes?.trim() ?? '',
      examples: declared.examples ?? [],
    };
    return [page, ...below];
  });
}

/** The description of an option: its meaning, choices and default. */
export function optionText(
  about: string,
  { choices, fallback }: { choices?: readonly string[] | undefined; fallback?: string | undefined },
): string {
  const text = withChoices(about, choices);
  return fallback === undefined ? text : `${text} (default: ${fallback})`;
}

/** The meaning and the choices. */
export function withChoices(about: string, choices: readonly string[] | undefined): string {
  if (choices === undefined) return about;
  const words = [choices.slice(0, -1).join(', '), choices.at(-1) ?? ''].filter((some) => some !== '');
  return `${about}: ${words.join(' or ')}`;
}

/** An example as a line, with its purpose as a comment. */
export function exampleText(example: Example): string {
  return typeof example === 'string' ? example : `${example[0]}  # ${example[1]}`;
}
