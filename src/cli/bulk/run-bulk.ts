// Runs a bulk command: issues, delivers, counts, and reports failed rows.
import type { Delivery, DeliveryEvents, Issuer } from '../../provision/delivery.js';
import type { Journal } from '../../provision/journal.js';
import { readRows, type PeelRow } from '../../provision/rows.js';
import { BulkError, InterruptedError } from '../../errors.js';
import type { CliIo } from '../terminal/io.js';
import type { Output } from '../terminal/output.js';
import { tuneCollectorForBulk } from './collector.js';
import type { BulkInput } from './input.js';
import { Progress } from './progress.js';

/** The parts of a bulk command. */
export interface BulkRun {
  input: BulkInput;
  /** Issues credentials for these IDs. */
  issue: Issuer;
  /** Gets the interrupt signal, and the rows in progress by ID. */
  delivery: (signal: AbortSignal, rows: ReadonlyMap<string, PeelRow>) => Promise<Delivery>;
  /** Validates a row for this sink; undefined: valid. */
  checkRow?: (row: PeelRow) => string | undefined;
  /** Resume an interrupted run: skip finished peels. */
  resume: boolean;
  /** Records deliveries, for a sink that cannot be queried. */
  journal?: Journal | undefined;
  /** Whether a run that ends early leaves nothing: its file is complete or absent. */
  allOrNothing?: boolean | undefined;
  /** Shows the result. Also called if the run ends early, unless it did nothing. */
  show: (result: BulkResult, summary: string) => void;
}

/** The result. */
export interface BulkResult {
  issued: number;
  /** Already delivered. */
  passedOver: number;
  /** Invalid rows, and failed deliveries. */
  failed: number;
}

/**
 * Reads the list, issues and delivers; reports each failed row with its line on standard error. Shows the result however
 * the run ends: what was delivered stays delivered.
 *
 * @throws InterruptedError after a signal; errors of the source or the sink
 */
export async function runBulk(run: BulkRun, io: CliIo, output: Output): Promise<BulkResult> {
  const result: BulkResult = { issued: 0, passedOver: 0, failed: 0 };
  let isComplete = false;
  try {
    await deliverRows(run, result, io, output);
    isComplete = true;
  } finally {
    const { issued, passedOver, failed } = result;
    if (isComplete || issued + passedOver + failed > 0) run.show(result, summary(result));
  }
  return result;
}

/** Counts into `result`. @throws as {@link runBulk} */
async function deliverRows(run: BulkRun, result: BulkResult, io: CliIo, output: Output): Promise<void> {
  tuneCollectorForBulk();
  const { input, journal } = run;
  const progress = new Progress(io, output.quiet);
  const rows = new Map<string, PeelRow>();
  const interruption = new AbortController();
  let interruptedBy: InterruptedError['signal'] | undefined;
  const stopListening = io.onInterrupt((signal) => {
    interruptedBy ??= signal;
    interruption.abort();
    input.stop();
  });
  const fail = (where: string, error: Error) => {
    result.failed += 1;
    progress.clear();
    output.warn(`${where}: ${error.message}`);
  };
  const failRow = (peelId: string, error: Error) => {
    fail(`line ${rows.get(peelId)?.line ?? '?'}: ${peelId}`, error);
    rows.delete(peelId);
  };

  async function* wanted(delivery: Delivery): AsyncGenerator<string, void, undefined> {
    for await (const row of readRows(input.chunks, input.format)) {
      if (interruption.signal.aborted) return;
      progress.share = input.share();
      progress.update();
      if ('error' in row) {
        fail(`line ${row.line}`, row.error);
        continue;
      }
      rows.set(row.peelId, row);
      const wrong = run.checkRow?.(row);
      if (wrong !== undefined) {
        failRow(row.peelId, new BulkError('ERR_BULK_ROW', wrong));
        continue;
      }
      const isThere = await isDelivered(run, delivery, row.peelId);
      if (isThere instanceof BulkError) failRow(row.peelId, isThere);
      else if (isThere) {
        result.passedOver += 1;
        rows.delete(row.peelId);
      } else yield row.peelId;
    }
  }

  let delivery: Delivery | undefined;
  const abort = async () => {
    await delivery?.abort?.();
    if (run.allOrNothing === true) result.issued = 0;
  };
  try {
    delivery = await run.delivery(interruption.signal, rows);
    const events: DeliveryEvents = {
      async delivered(peelIds) {
        await journal?.note(peelIds);
        for (const peelId of peelIds) rows.delete(peelId);
        result.issued += peelIds.length;
        progress.done += peelIds.length;
        progress.update();
      },
      failed: failRow,
    };
    await delivery.run(run.issue, wanted(delivery), events);
    if (interruptedBy === undefined) await delivery.finish?.();
    else await abort();
  } catch (error) {
    await abort();
    throw error;
  } finally {
    progress.clear();
    stopListening();
    input.stop();
    await journal?.close();
  }
  if (interruptedBy !== undefined) {
    throw new InterruptedError(interruptedBy, `interrupted after ${summary(result)}`);
  }
}

/** Whether a resumed run has already delivered a peel's credential; or why that is unknown. */
async function isDelivered(
  { resume, journal }: BulkRun,
  delivery: Delivery,
  peelId: string,
): Promise<boolean | BulkError> {
  if (!resume) return false;
  try {
    return (journal?.has(peelId) ?? (await delivery.has?.(peelId))) === true;
  } catch (error) {
    if (error instanceof BulkError) return error;
    throw error;
  }
}

/** Describes the result. */
export function summary({ issued, passedOver, failed }: BulkResult): string {
  return [
    `${issued} issued`,
    ...(passedOver > 0 ? [`${passedOver} skipped (already issued)`] : []),
    ...(failed > 0 ? [`${failed} failed`] : []),
  ].join(', ');
}

/** @throws BulkError `ERR_BULK_INCOMPLETE` when some failed */
export function requireComplete(result: BulkResult, howToGoOn: string): void {
  if (result.failed === 0) return;
  const what = result.failed === 1 ? 'one row' : `${result.failed} rows`;
  throw new BulkError('ERR_BULK_INCOMPLETE', `${what} failed, see above; ${howToGoOn}`);
}
