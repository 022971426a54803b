// The common part of `creds issue` and `creds deliver`: options, list and delivery.
import type { Delivery } from '../../provision/delivery.js';
import type { PeelRow } from '../../provision/rows.js';
import type { HomeContext } from '../command/context.js';
import { choice, count, flag, requiredText, text, type ValuesOf } from '../command/option.js';
import { ISSUER_OPTIONS, issuerOf } from './issuer-options.js';
import type { BulkInput } from './input.js';
import type { BulkResult } from './run-bulk.js';
import { PROGRAM_TIMEOUT_SECONDS } from '../../timing.js';

/** The options for the signer, the peels, and resuming. */
export const LIST_OPTIONS = {
  from: requiredText('--from <list>', 'a .txt, .csv or .ndjson file of peels, or -'),
  format: choice('--format <format>', 'format of the list', ['txt', 'csv', 'ndjson']),
  ...ISSUER_OPTIONS,
  resume: flag('--resume', 'resume an interrupted run'),
  journal: text('--journal <file>', 'record deliveries in this file, for --resume'),
};
export type ListValues = ValuesOf<typeof LIST_OPTIONS>;

/** The defaults of a delivery through programs. */
const PARALLEL = 8;
const RETRIES = 2;

/** The options for running programs, one per peel. */
export const PROGRAM_OPTIONS = {
  parallel: count('--parallel <n>', `number of concurrent deliveries (default: ${PARALLEL})`, {
    min: 1,
    max: 1000,
  }),
  retries: count('--retries <n>', `retries per delivery (default: ${RETRIES})`, { min: 0, max: 100 }),
  timeout: count('--timeout <seconds>', `timeout per delivery (default: ${PROGRAM_TIMEOUT_SECONDS})`, {
    min: 1,
    max: 86_400,
  }),
};

/** The options of programs, with their defaults. */
export function programLimits({
  parallel = PARALLEL,
  retries = RETRIES,
  timeout = PROGRAM_TIMEOUT_SECONDS,
}: ValuesOf<typeof PROGRAM_OPTIONS>): {
  parallel: number;
  retries: number;
  timeoutMs: number;
} {
  return { parallel, retries, timeoutMs: timeout * 1000 };
}

/** The delivery of issued credentials. */
export interface ListDelivery {
  /** As of `BulkRun`. */
  delivery: (signal: AbortSignal, rows: ReadonlyMap<string, PeelRow>) => Promise<Delivery>;
  checkRow?: (row: PeelRow) => string | undefined;
  /** As of `BulkRun`. */
  show: (result: BulkResult, summary: string) => void;
  /** As of `BulkRun`. */
  allOrNothing?: boolean;
  /** Whether `--resume` skips finished peels even without a journal. */
  looks?: boolean;
}

/**
 * Issues credentials for the list, and delivers them.
 *
 * @throws BulkError `ERR_BULK_INCOMPLETE` when rows failed; errors of `runBulk`; UsageError
 */
export async function issueListed(
  values: ListValues,
  how: ListDelivery,
  context: HomeContext,
): Promise<void> {
  const { openInput } = await import('./input.js');
  const { runBulk, requireComplete } = await import('./run-bulk.js');
  const { from, format, journal: journalPath, resume } = values;
  const issuer = await issuerOf(values, context);
  let input: BulkInput | undefined;
  try {
    input = await openInput(from, format);
    const { Journal } = await import('../../provision/journal.js');
    const journal = journalPath === undefined ? undefined : await Journal.open(journalPath, resume);
    const { looks = false, ...given } = how;
    const run = { ...given, input, issue: issuer.issue, resume, journal };
    const result = await runBulk(run, context.io, context.output);
    const canResume = looks || journalPath !== undefined;
    requireComplete(
      result,
      canResume
        ? 'correct them and run it again with --resume, which skips what is done'
        : 'correct them and run it again for those rows',
    );
  } finally {
    input?.stop(); // even if the journal could not be opened
    issuer.close();
  }
}
