// Finds the commands in the file tree: `commands/peel/list.js` is `zester peel list`.
import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { DeclaredCommand, DeclaredGroup } from './declaration.js';

/** A command or a noun, with the verbs below it. */
export interface CommandNode {
  /** The word that it is called by; empty for the program itself. */
  readonly name: string;
  readonly declared: DeclaredCommand | DeclaredGroup;
  readonly verbs: readonly CommandNode[];
}

const COMMANDS = new URL('../commands/', import.meta.url);
/** Of this file as of all commands: sources when a test runs them, JavaScript when they are built. */
const OWN_EXTENSION = import.meta.url.slice(-3);
const EXTENSION = /\.(js|ts)$/;

/**
 * The declared commands.
 *
 * Cost: one file is loaded for each command, some 50; only `[noun, verb]` where both are given and there is such a command.
 *
 * @param only words of the command line: what they do not name is left out where they name one command
 */
export async function loadCommands(only: readonly string[] = []): Promise<CommandNode[]> {
  const [noun, verb] = only;
  if (noun !== undefined) {
    const one = await loadOne(noun, verb);
    if (one !== undefined) return [one];
  }
  return await loadFolder(COMMANDS);
}

async function loadOne(noun: string, verb: string | undefined): Promise<CommandNode | undefined> {
  const file = fileOf(noun);
  if (file !== undefined) return { name: noun, declared: await load(file), verbs: [] };
  const ofVerb = verb === undefined || verb === 'index' ? undefined : fileOf(noun, verb);
  if (verb === undefined || ofVerb === undefined) return undefined;
  const verbs = [{ name: verb, declared: await load(ofVerb), verbs: [] }];
  // nothing shows the noun's summary where the verb is known
  return { name: noun, declared: { kind: 'group', summary: '' }, verbs };
}

/** The file of a command, without a look at all the others. */
function fileOf(...words: string[]): URL | undefined {
  if (!words.every((word) => /^[a-z]+(-[a-z]+)*$/.test(word))) return undefined;
  const file = new URL(`${words.join('/')}${OWN_EXTENSION}`, COMMANDS);
  return existsSync(file) ? file : undefined;
}

async function loadFolder(folder: URL): Promise<CommandNode[]> {
  const { files, folders } = filesIn(folder);
  const leaves = [...files].filter(([name]) => name !== 'index');
  const nodes = await Promise.all([
    ...leaves.map(async ([name, url]) => ({ name, declared: await load(url), verbs: [] })),
    ...[...folders].map(async (name) => {
      const below = new URL(`${name}/`, folder);
      return {
        name,
        declared: await load(filesIn(below).files.get('index')),
        verbs: await loadFolder(below),
      };
    }),
  ]);
  return nodes.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function filesIn(folder: URL): { files: Map<string, URL>; folders: Set<string> } {
  const files = new Map<string, URL>();
  const folders = new Set<string>();
  for (const entry of readdirSync(fileURLToPath(folder), { withFileTypes: true })) {
    if (entry.isDirectory()) folders.add(entry.name);
    else if (EXTENSION.test(entry.name) && !entry.name.endsWith('.d.ts'))
      files.set(entry.name.replace(EXTENSION, ''), new URL(entry.name, folder));
  }
  return { files, folders };
}

async function load(file: URL | undefined): Promise<DeclaredCommand | DeclaredGroup> {
  if (file === undefined) throw new Error('a folder of commands has no index.ts');
  const { default: declared } = (await import(file.href)) as { default?: DeclaredCommand | DeclaredGroup };
  if (declared === undefined) throw new Error(`${fileURLToPath(file)} declares no command`);
  return declared;
}
