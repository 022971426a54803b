// Finds the commands in the file tree: `commands/peel/list.js` is `zester peel list`.
import { readdirSync } from 'node:fs';
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
/** Sources when a test runs them, JavaScript when they are built. */
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
  const nouns = filesIn(COMMANDS);
  const file = nouns.files.get(noun);
  if (file !== undefined) return { name: noun, declared: await load(file), verbs: [] };
  if (!nouns.folders.has(noun) || verb === undefined) return undefined;
  const verbs = filesIn(new URL(`${noun}/`, COMMANDS)).files;
  if (verb === 'index' || !verbs.has(verb)) return undefined;
  const [group, declared] = await Promise.all([load(verbs.get('index')), load(verbs.get(verb))]);
  return { name: noun, declared: group, verbs: [{ name: verb, declared, verbs: [] }] };
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
