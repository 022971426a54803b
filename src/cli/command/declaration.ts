// The declaration of a command, the source of its help, completion, man page and docs/cli.md.
import type { ContextOf, Need } from './context.js';
import type { CommandArgument, CommandOption, ValuesOf } from './option.js';

/** The sections of the help of `zester`, in order. */
export const SECTIONS = ['Start here', 'Peels', 'Credentials and keys', 'Check', 'Other'] as const;
export type Section = (typeof SECTIONS)[number];

type Arguments = Readonly<Record<string, CommandArgument<unknown>>>;
type Options = Readonly<Record<string, CommandOption<unknown>>>;

/** An example: the command line, and its purpose. */
export type Example = string | readonly [line: string, about: string];

/** The input of the generated documents: part of a declaration. */
export interface CommandPage {
  readonly summary: string;
  /** The help section of a top-level command. */
  readonly section?: Section;
  /** Paragraphs below the options. */
  readonly notes?: string;
  readonly examples?: readonly Example[];
}

/** A command of any type. */
export interface DeclaredCommand extends CommandPage {
  readonly kind: 'command';
  readonly needs: Need;
  /** It runs long, or creates many keys: loading sodium-native pays off. */
  readonly keepsKeys?: boolean;
  readonly arguments: Arguments;
  readonly options: Options;
  /** Words after `--` and unknown options belong to the last argument. */
  readonly run: (input: never, context: never) => void | Promise<void>;
}

/** A noun with verbs. */
export interface DeclaredGroup extends CommandPage {
  readonly kind: 'group';
}

/**
 * Declares a command. A file of `cli/commands` exports it as its default; the file's place in the tree is the command's
 * name. The file is loaded for every `--help`, so `run` imports the library when it runs.
 *
 * @example
 * export default command({
 *   summary: 'remove a join token',
 *   needs: 'fleet',
 *   arguments: { tokenId: argument('its ID') },
 *   async run({ tokenId }, { output, fleet }) {
 *     const { token } = await (await fleet()).client.ask('token.remove', { tokenId });
 *     output.result([`removed ${token.id}`], { token });
 *   },
 * });
 */
export function command<
  A extends Arguments = Record<never, never>,
  O extends Options = Record<never, never>,
  N extends Need = 'nothing',
>(
  declaration: CommandPage & {
    readonly needs?: N;
    readonly keepsKeys?: boolean;
    readonly arguments?: A;
    readonly options?: O;
    readonly run: (input: ValuesOf<A> & ValuesOf<O>, context: ContextOf<N>) => void | Promise<void>;
  },
): DeclaredCommand {
  const { needs, arguments: args, options, run, ...page } = declaration;
  return {
    ...page,
    kind: 'command',
    needs: needs ?? 'nothing',
    arguments: args ?? {},
    options: options ?? {},
    run: run as DeclaredCommand['run'],
  };
}

/** Declares a noun, in the `index.ts` of its folder. */
export function group(page: CommandPage): DeclaredGroup {
  return { ...page, kind: 'group' };
}
