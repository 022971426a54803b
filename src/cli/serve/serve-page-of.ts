// Serves the page beside a fleet that a command runs: `zester up --ui`.
import type { MasterLogger } from '../../master/logger.js';
import { withContext } from '../command/context.js';
import type { CliIo } from '../terminal/io.js';
import type { Output } from '../terminal/output.js';
import { UI_PORT } from './http-options.js';
import { newLinksOnEnter, startApi } from './run-api.js';

/** The fleet, and when to stop. */
export interface ServePageOf {
  home: string;
  servers: string[];
  log: MasterLogger;
  signal: AbortSignal;
}

/** Serves until the signal is given, with the admin credentials of the home. @throws as `startApi` */
export async function servePageOf(
  { home, servers, log, signal }: ServePageOf,
  io: CliIo,
  output: Output,
): Promise<void> {
  await withContext({ home, servers }, io, output, async (context) => {
    const { api, close } = await startApi({ host: '127.0.0.1', port: UI_PORT, page: true }, context, log);
    try {
      const link = api.newLink();
      output.event(`the page is ready: open ${link}`, { event: 'page', url: api.url, link });
      const stopAsking = newLinksOnEnter(api, context);
      await new Promise<void>((resolve) => {
        if (signal.aborted) resolve();
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
      stopAsking();
    } finally {
      await close();
    }
  });
}
