// Renders the man page zester(1) from the command declarations.
import { exampleText, pagesOf, type Page, type Terms } from './page.js';
import { GLOBAL_OPTIONS, HELP_OPTION } from './global-options.js';
import { CONNECTION_OPTIONS, EXIT_CODES } from './shared-pages.js';
import type { CommandNode } from './tree.js';

/**
 * Renders the man page as roff source.
 *
 * Source: groff_man(7): `.TH`, `.SH`, `.SS`, `.TP`, `.nf`; a line that begins with a dot or an apostrophe is escaped.
 */
export function manPage(nodes: readonly CommandNode[]): string {
  const pages = pagesOf(nodes);
  return [
    '.TH ZESTER 1 "" "zester" "User Commands"',
    '.SH NAME',
    'zester \\- manage the credentials of a fleet over NATS',
    '.SH SYNOPSIS',
    '.B zester',
    '.I command',
    '[options]',
    '.SH COMMANDS',
    ...pages.flatMap(section),
    '.SH OPTIONS OF EVERY COMMAND',
    ...terms([...GLOBAL_OPTIONS, HELP_OPTION]),
    '.SH CONNECTION OPTIONS',
    ...terms(CONNECTION_OPTIONS),
    '.SH EXIT STATUS',
    ...terms(EXIT_CODES),
    '',
  ].join('\n');
}

function section({ name, usage, summary, arguments: args, options, notes, examples }: Page): string[] {
  return [
    `.SS "${roff(`${name}${usage === '' ? '' : ` ${usage}`}`)}"`,
    roff(summary),
    ...terms(args),
    ...terms(options),
    ...notes.split(/\n\n+/).flatMap((paragraph) => (paragraph === '' ? [] : prose(paragraph))),
    ...(examples.length === 0 ? [] : ['.PP', '.nf', ...examples.map((one) => roff(exampleText(one))), '.fi']),
  ];
}

function prose(paragraph: string): string[] {
  const lines = paragraph.split('\n').map(roff);
  return /^\s/m.test(paragraph) ? ['.PP', '.nf', ...lines, '.fi'] : ['.PP', ...lines];
}

function terms(all: Terms): string[] {
  return all.flatMap(([term, about]) => ['.TP', `.B "${roff(term)}"`, roff(about)]);
}

function roff(text: string): string {
  const escaped = text.replaceAll('\\', '\\e').replaceAll('-', '\\-').replaceAll('"', '\\(dq');
  return /^[.']/.test(escaped) ? `\\&${escaped}` : escaped;
}
