import { Option, type Command } from 'commander';
import type { Delivery } from '../../creds/bulk/delivery.js';
import type { PeelRow, RowFormat } from '../../creds/bulk/rows.js';
import type { CliIo } from '../io.js';
import type { GlobalOptions, Output } from '../output.js';
import { issuerOf, wholeNumber, withIssuerOptions, type IssuerOptions } from './issuer-options.js';
import type { BulkResult } from './run-bulk.js';

/** The options of every command that issues for a list of peels. */
export interface ListOptions extends GlobalOptions, IssuerOptions {
  from: string;
  format?: RowFormat;
  resume?: boolean;
  journal?: string;
}

/** Adds those that say who signs, and for which peels. */
export function withListOptions(command: Command): Command {
  return withIssuerOptions(command)
    .requiredOption('--from <list>', 'the peels: a .txt, .csv or .ndjson file, or - for standard input')
    .addOption(
      new Option('--format <format>', 'of the list, when its name does not say it').choices([
        'txt',
        'csv',
        'ndjson',
      ]),
    );
}

/** The options of programs that are run, one a peel, as they are given. */
export interface ProgramOptions {
  parallel?: string;
  retries?: string;
  timeout?: string;
}

/** What they are without being given, for a help text too. */
export const PROGRAM_DEFAULTS = { parallel: '8', retries: '2', timeout: '60' } as const;

/** The options of programs, as numbers. @throws UsageError */
export function programLimits(options: ProgramOptions): {
  parallel: number;
  retries: number;
  timeoutMs: number;
} {
  const { parallel, retries, timeout } = { ...PROGRAM_DEFAULTS, ...options };
  return {
    parallel: wholeNumber('--parallel', parallel, 1, 1000),
    retries: wholeNumber('--retries', retries, 0, 100),
    timeoutMs: wholeNumber('--timeout', timeout, 1, 86_400) * 1000,
  };
}

/** How a command delivers what is issued for its list. */
export interface ListDelivery {
  /** As of `BulkRun`. */
  delivery: (signal: AbortSignal, rows: ReadonlyMap<string, PeelRow>) => Promise<Delivery>;
  checkRow?: (row: PeelRow) => string | undefined;
  /** Shows the result. */
  show: (result: BulkResult, summary: string) => void;
  /** Whether `--resume` passes over what is done, also without a journal. */
  looks?: boolean;
}

/**
 * Issues for the list of the options and delivers.
 *
 * @throws BulkError `ERR_BULK_INCOMPLETE` when rows failed; what `runBulk` throws; UsageError
 */
export async function issueListed(
  options: ListOptions,
  how: ListDelivery,
  io: CliIo,
  output: Output,
): Promise<void> {
  const { openInput } = await import('./input.js');
  const { runBulk, requireComplete, summary } = await import('./run-bulk.js');
  const { journal: journalPath, resume = false } = options;
  const issuer = await issuerOf(options, io);
  try {
    const input = await openInput(options.from, options.format);
    const { Journal } = await import('../../creds/bulk/journal.js');
    const journal = journalPath === undefined ? undefined : await Journal.open(journalPath, resume);
    const { delivery, checkRow, show, looks = false } = how;
    const run = { input, issue: issuer.issue, delivery, resume, journal, ...(checkRow && { checkRow }) };
    const result = await runBulk(run, io, output);
    show(result, summary(result));
    const canResume = looks || journalPath !== undefined;
    requireComplete(
      result,
      canResume
        ? 'correct them and do it again with --resume: what is done is passed over'
        : 'correct them and do it again for those alone',
    );
  } finally {
    issuer.close();
  }
}
