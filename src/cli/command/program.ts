// Turns command declarations into commander commands, and renders their help.
import { Argument, Option, type Command } from 'commander';
import type { CliIo } from '../terminal/io.js';
import { Output, type GlobalOptions } from '../terminal/output.js';
import { HELP_WIDTH } from '../root.js';
import { preferNodeCrypto } from '../../nkeys/ed25519/choice.js';
import { optionText, withChoices } from './page.js';
import { withBaseContext, type NothingContext } from './base-context.js';
import { SECTIONS, type DeclaredCommand, type Example } from './declaration.js';
import type { CommandOption } from './option.js';
import { sharedOptions, type SharedValues } from './shared-options.js';
import type { CommandNode } from './tree.js';

/** Adds commands to a program or a noun. */
export function addCommands(parent: Command, nodes: readonly CommandNode[], io: CliIo): void {
  for (const node of bySection(nodes)) {
    const { declared, name, verbs } = node;
    const command = parent.command(name).description(declared.summary);
    if (declared.section !== undefined) command.helpGroup(`${declared.section}:`);
    if (declared.kind === 'command') addAction(command, declared, io);
    const after = helpAfter(declared);
    if (after !== '') command.addHelpText('after', after);
    addCommands(command, verbs, io);
  }
}

function bySection(nodes: readonly CommandNode[]): CommandNode[] {
  const place = ({ declared: { section } }: CommandNode) =>
    section === undefined ? -1 : SECTIONS.indexOf(section);
  return [...nodes].sort((a, b) => place(a) - place(b));
}

function addAction(command: Command, declared: DeclaredCommand, io: CliIo): void {
  for (const [name, { syntax, about, choices }] of Object.entries(declared.arguments)) {
    const argument = new Argument(syntax(name), withChoices(about, choices));
    command.addArgument(choices === undefined ? argument : argument.choices([...choices]));
  }
  const shared = sharedOptions(declared.needs);
  for (const option of [...Object.values(declared.options), ...Object.values(shared)])
    addOption(command, option);
  command.action(async (...given: unknown[]) => {
    const options = command.optsWithGlobals<Record<string, unknown> & GlobalOptions>();
    if (declared.keepsKeys !== true) preferNodeCrypto();
    const output = new Output(io, options);
    const input = {
      ...mapValues(declared.arguments, ({ read }, i) => read(given[i], io)),
      ...mapValues(declared.options, ({ read }, _i, name) => read(options[name], io)),
    };
    const run = async (context: NothingContext) => {
      await declared.run(input as never, context as never);
    };
    if (declared.needs === 'nothing') return await withBaseContext(io, output, run);
    const sharedValues: SharedValues = mapValues(shared, ({ read }, _i, name) => read(options[name], io));
    const { withContext } = await import('./context.js');
    await withContext(sharedValues, io, output, run);
  });
}

function addOption(
  command: Command,
  { flags, choices, fallback, group, required, repeated }: CommandOption<unknown>,
): void {
  for (const [i, flag] of flags.entries()) {
    const option = new Option(flag.flags, optionText(flag.about, { choices, fallback }));
    if (choices !== undefined && i === 0) option.choices([...choices]);
    if (repeated === true)
      option.argParser((text, before) => [...(Array.isArray(before) ? (before as unknown[]) : []), text]);
    if (required === true) option.makeOptionMandatory();
    if (group !== undefined) option.helpGroup(`${group}:`);
    command.addOption(option);
  }
}

/** The help text below the options. */
export function helpAfter({ notes, examples }: { notes?: string; examples?: readonly Example[] }): string {
  const parts = [
    ...(notes === undefined ? [] : [fill(notes)]),
    ...(examples === undefined ? [] : [`Examples:\n${exampleLines(examples).join('\n')}`]),
  ];
  return parts.length === 0 ? '' : `\n${parts.join('\n\n')}`;
}

/** Wraps paragraphs to the width of the help; indented lines are unchanged. */
function fill(paragraphs: string): string {
  return paragraphs
    .trim()
    .split(/\n\n+/)
    .map((paragraph) => (/^\s/m.test(paragraph) ? paragraph : fillOne(paragraph)))
    .join('\n\n');
}

function fillOne(paragraph: string): string {
  const lines: string[] = [];
  for (const word of paragraph.split(/\s+/)) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= HELP_WIDTH)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines.join('\n');
}

function exampleLines(examples: readonly Example[]): string[] {
  const pairs = examples.map((example) => (typeof example === 'string' ? ([example, ''] as const) : example));
  const width = Math.max(...pairs.filter(([, about]) => about !== '').map(([line]) => line.length), 0);
  return pairs.map(([line, about]) => `  $ ${about === '' ? line : `${line.padEnd(width)}  ${about}`}`);
}

function mapValues<V, R>(
  record: Readonly<Record<string, V>>,
  map: (value: V, index: number, name: string) => R,
): Record<string, R> {
  return Object.fromEntries(Object.entries(record).map(([name, value], i) => [name, map(value, i, name)]));
}
