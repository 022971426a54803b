// Renders docs/cli.md from the command declarations.
import { exampleText, pagesOf, type Page, type Terms } from './page.js';
import { GLOBAL_OPTIONS, HELP_OPTION } from './global-options.js';
import { CONNECTION_OPTIONS, EXIT_CODES } from './shared-pages.js';
import type { CommandNode } from './tree.js';

/** The reference of all commands, as Markdown. */
export function cliReference(nodes: readonly CommandNode[]): string {
  const pages = pagesOf(nodes);
  return [
    '# Commands',
    'Generated from the command declarations by `npm run docs:cli`; `zester <command> --help` prints the same.',
    'Results go to standard output; progress, warnings and one-line errors go to standard error. `NO_COLOR` is respected.',
    index(pages),
    '## Options of every command',
    termTable([...GLOBAL_OPTIONS, HELP_OPTION]),
    '## Connection options',
    'Commands that use a home or connect to servers take these; each command takes only those that it needs.',
    termTable(CONNECTION_OPTIONS),
    '## Exit codes',
    termTable(EXIT_CODES),
    ...pages.map(section),
  ]
    .join('\n\n')
    .concat('\n');
}

function index(pages: readonly Page[]): string {
  return pages
    .map(({ name, summary }) => `- [\`${name}\`](#${name.replaceAll(' ', '-')}): ${escape(summary)}`)
    .join('\n');
}

function section(page: Page): string {
  const usage = [page.name, page.options.length > 0 || page.connects ? '[options]' : '', page.usage];
  return [
    `## ${page.name}`,
    `${escape(page.summary)}`,
    `\`\`\`\n${usage.filter((part) => part !== '').join(' ')}\n\`\`\``,
    ...(page.arguments.length === 0 ? [] : [termTable(page.arguments)]),
    ...(page.options.length === 0 ? [] : [termTable(page.options)]),
    ...(page.connects ? ['Also takes the [connection options](#connection-options).'] : []),
    ...(page.notes === '' ? [] : [paragraphs(page.notes)]),
    ...(page.examples.length === 0 ? [] : [`\`\`\`sh\n${page.examples.map(exampleText).join('\n')}\n\`\`\``]),
  ].join('\n\n');
}

/** Paragraphs of prose; paragraphs with indented lines are preformatted. */
function paragraphs(notes: string): string {
  return notes
    .split(/\n\n+/)
    .map((paragraph) =>
      /^\s/m.test(paragraph) ? `\`\`\`\n${paragraph}\n\`\`\`` : escape(paragraph.replaceAll('\n', ' ')),
    )
    .join('\n\n');
}

function termTable(terms: Terms): string {
  const rows = terms.map(([term, about]) => `| \`${term.replaceAll('|', '\\|')}\` | ${escape(about)} |`);
  return ['|  |  |', '| --- | --- |', ...rows].join('\n');
}

/** Escapes Markdown markup. */
function escape(text: string): string {
  return text.replace(/[\\<>|*_`[\]]/g, '\\$&');
}
