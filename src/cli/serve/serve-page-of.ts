// Serves the page from the process that runs the fleet: `zester up --ui`.
import { whenAborted } from '../../async/when-aborted.js';
import type { MasterLogger } from '../../master/logger.js';
import { ZesterError } from '../../errors.js';
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

/** Serves until the signal is aborted, with the admin credentials of the home. @throws as `startApi` */
export async function servePageOf(
  { home, servers, log, signal }: ServePageOf,
  io: CliIo,
  output: Output,
): Promise<void> {
  await withContext({ home, servers }, io, output, async (context) => {
    const startOn = (port: number) => startApi({ host: '127.0.0.1', port, page: true }, context, log);
    // the user did not choose the port, and the link names the one in use
    const { api, close } = await startOn(UI_PORT).catch((error: unknown) => {
      if (!isPortInUse(error)) throw error;
      log.warn({ port: UI_PORT }, 'the port of the page is in use, so the page gets another one');
      return startOn(0);
    });
    try {
      const link = api.newLink();
      output.event(`the page is ready: open ${link}`, { event: 'page', url: api.url, link });
      const stopAsking = newLinksOnEnter(api, context);
      await whenAborted(signal);
      stopAsking();
    } finally {
      await close();
    }
  });
}

function isPortInUse(error: unknown): boolean {
  return (
    error instanceof ZesterError &&
    error.cause instanceof Error &&
    'code' in error.cause &&
    error.cause.code === 'EADDRINUSE'
  );
}
