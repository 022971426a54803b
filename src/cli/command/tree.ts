// Finds the commands in the file tree: `commands/peel/list.js` is `zester peel list`.
import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { DeclaredCommand, DeclaredGroup } from './declaration.js';

/** A command or a noun, with the verbs below it. */
export interface CommandNode {
  /** Its word; empty for the program itself. */
  readonly name: string;
  readonly declared: DeclaredCommand | DeclaredGroup;
  readonly verbs: readonly CommandNode[];
}

const COMMANDS = new URL('../commands/', import.meta.url);
/** The file extension of this file and all commands: `.ts` in tests, `.js` in the build. */
const OWN_EXTENSION = import.meta.url.slice(-3);
const EXTENSION = /\.(js|ts)$/;

/**
 * The declared commands.
 *
 * Cost: loads one file per command, some 50, or only `[noun, verb]` if both are given and the command exists.
 *
 * @param only words of the command line: if they name a command, only that one is loaded
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
  // the noun's summary is not shown if the verb is known
  return { name: noun, declared: { kind: 'group', summary: '' }, verbs };
}

/** The file of a command, without searching all files. */
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
