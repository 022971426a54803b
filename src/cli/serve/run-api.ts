// Runs the HTTP interface, and optionally the page, until the command is interrupted.
import { whenAborted } from '../../async/when-aborted.js';
import { join } from 'node:path';
import { ZesterError } from '../../errors.js';
import { isLoopback } from '../../connection/server-urls.js';
import { writeSecretFile } from '../../files/write-secret-file.js';
import { loadCredsFile } from '../../creds/parse.js';
import type { MasterLogger } from '../../master/logger.js';
import { packageVersion } from '../../protocol/package-version.js';
import { openTrustDomain } from '../../trust/open.js';
import { LiveFleet } from '../api/live-fleet.js';
import { roleOfCredential } from '../api/caller.js';
import { readPageFiles } from '../api/page-files.js';
import { serveApi, type RunningApi } from '../api/serve-api.js';
import type { FleetContext } from '../command/context.js';
import type { Admin } from '../fleet/admin.js';
import { createLog } from '../terminal/log.js';
import { findingsOf } from './findings.js';
import { openInBrowser } from './open-in-browser.js';

/** The options of the commands. */
export interface RunApiOptions {
  host: string;
  port: number;
  /** Serve the page, too. */
  page: boolean;
  /** Open it in the browser. */
  open: boolean;
}

/** Runs until Ctrl-C. @throws as `connectFleet` and `serveApi` */
export async function runApi(options: RunApiOptions, context: FleetContext): Promise<void> {
  const { io, output } = context;
  const log = await createLog({ level: 'info', json: output.json }, io);
  const interruption = context.interruption();
  const served = await startApi(options, context, log);
  try {
    const { api } = served;
    const link = options.page ? api.newLink() : undefined;
    output.event(
      link === undefined
        ? `the HTTP interface is ready: ${api.url}/api/v1`
        : `the page is ready: open ${link}`,
      {
        event: 'ready',
        url: api.url,
        link: link ?? null,
      },
    );
    if (link !== undefined && options.open) await openInBrowser(link);
    const stopAsking = link === undefined ? undefined : newLinksOnEnter(api, context);
    await Promise.race([whenAborted(interruption), served.admin.nc.closed()]);
    stopAsking?.();
  } finally {
    await served.close();
  }
}

/** A running interface, and its close function; the context owns the connection to the fleet. */
export interface ServedApi {
  api: RunningApi;
  admin: Admin;
  close: () => Promise<void>;
}

/** Starts the interface with the admin credential of a command. */
export async function startApi(
  { host, port, page }: Pick<RunApiOptions, 'host' | 'port' | 'page'>,
  context: FleetContext,
  log: MasterLogger,
): Promise<ServedApi> {
  const { io, home, openHome } = context;
  if (!isLoopback(host))
    log.warn({ host }, 'reachable from other machines without TLS: put a TLS proxy in front of it');
  const files = page ? await readPageFiles() : undefined;
  const admin = await context.fleet();
  const creds = await loadCredsFile(admin.credsPath);
  creds.wipe();
  const live = new LiveFleet(admin.fleet, io.now);
  const hasHome = await openTrustDomain(home).then(
    () => true,
    (error: unknown) => {
      if (error instanceof ZesterError && error.code === 'ERR_TRUST_NOT_FOUND') return false;
      throw error;
    },
  );
  try {
    const api = await serveApi({
      host,
      port,
      role: roleOfCredential(creds.claims.nats.tags),
      tokensOf: hasHome ? home : undefined,
      page: files,
      log,
      context: {
        fleet: admin.fleet,
        live,
        now: io.now,
        version: packageVersion(),
        ...(hasHome && { home: { open: openHome, doctor: () => findingsOf(context) } }),
        writeToken: async ({ id }, secret) => {
          const path = join(process.cwd(), `join-${id}.creds`);
          await writeSecretFile(path, secret, { ifAbsent: true });
          return path;
        },
      },
    });
    return {
      api,
      admin,
      close: async () => {
        live.close();
        await api.close();
      },
    };
  } catch (error) {
    live.close();
    throw error;
  }
}

/** On a terminal, Enter prints another link. @returns a function that stops it */
export function newLinksOnEnter(api: RunningApi, { io, output }: FleetContext): () => void {
  if (io.onLine === undefined) return () => undefined;
  output.note('press Enter for another link, Ctrl-C to stop');
  return io.onLine(() => output.event(`open ${api.newLink()}`, { event: 'link' }));
}
