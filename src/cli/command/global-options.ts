// The options that every command has.
import type { Terms } from './page.js';

/** They may stand before the command, too. */
export const GLOBAL_OPTIONS: Terms = [
  ['--json', 'print the result as one JSON document'],
  ['-q, --quiet', 'print results and errors only'],
  ['--wide', 'do not shorten keys and tables on a terminal'],
  ['--debug', 'print stack traces of errors'],
];

export const HELP_OPTION = ['-h, --help', 'print this help'] as const;
