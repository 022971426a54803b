import type { Delivery } from '../../src/provision/delivery.js';
import { runBulk } from '../../src/cli/bulk/run-bulk.js';
import type { IssuePeelOptions } from '../../src/provision/issue-options.js';
import { issueBatches } from '../../src/provision/issue-batches.js';
import type { CliIo } from '../../src/cli/terminal/io.js';
import { Output } from '../../src/cli/terminal/output.js';

/**
 * What `zester creds issue` runs, fed round by round: its list comes as far as it is asked for, so that it and what it is
 * compared with take turns.
 */
export interface GatedRun {
  /** Issues so many more. @returns when they are delivered */
  issue(count: number): Promise<void>;
  end(): Promise<void>;
}

const silent = { write: () => undefined, isTTY: false };
const io: CliIo = {
  stdout: silent,
  stderr: silent,
  env: {},
  now: Date.now,
  onInterrupt: () => () => undefined,
};

/** Starts one. */
export function gatedRun(delivery: Delivery, options: IssuePeelOptions): GatedRun {
  let wanted = 0;
  let given = 0;
  let delivered = 0;
  let ended = false;
  let ask: () => void = () => undefined;
  let arrived: () => void = () => undefined;
  async function* chunks() {
    for (;;) {
      while (given === wanted && !ended) await new Promise<void>((resolve) => (ask = resolve));
      if (given === wanted) return;
      // as much as a file gives at a time
      const until = Math.min(wanted, given + 4_096);
      let text = '';
      while (given < until) text += `web-server-${String(given++).padStart(6, '0')}\n`;
      yield Buffer.from(text);
    }
  }
  const counted: Delivery = {
    ...delivery,
    run: (issue, ids, events) =>
      delivery.run(issue, ids, {
        ...events,
        async delivered(peelIds) {
          await events.delivered(peelIds);
          delivered += peelIds.length;
          if (delivered === wanted) arrived();
        },
      }),
  };
  const input = { format: 'txt' as const, chunks: chunks(), share: () => undefined, stop: () => undefined };
  const run = runBulk(
    {
      input,
      issue: (ids, product) => issueBatches(ids, { ...options, product }),
      delivery: async () => counted,
      resume: false,
      show: () => undefined,
    },
    io,
    new Output(io, { quiet: true }),
  );
  return {
    async issue(count) {
      wanted += count;
      const all = new Promise<void>((resolve) => (arrived = resolve));
      ask();
      await Promise.race([all, run]);
    },
    async end() {
      ended = true;
      ask();
      await run;
    },
  };
}
