// Runs the checks of `zester doctor` on a home or a .creds file.
import { checkCredentials } from './check-credentials.js';
import { checkHome } from './check-home.js';
import type { Finding } from '../trust/finding.js';
import { serverUrls } from '../trust/home.js';
import type { TlsFiles } from '../trust/tls-settings.js';
import { checkServers } from './check-server.js';

/** The options of {@link examine}. */
export interface ExamineOptions {
  /** The servers; by default those of the home, or the one on this machine. */
  servers?: readonly string[];
  /** The TLS files, and whether TLS is required; by default those of the home. */
  tls?: TlsFiles | undefined;
  requireTls?: boolean | undefined;
  /** `.creds` files. */
  credentials?: readonly string[];
  /** Check files only; false by default. */
  offline?: boolean;
  now?: () => number;
  env?: Readonly<Record<string, string | undefined>>;
}

/** The findings, by part. */
export interface Examination {
  home: Finding[];
  server: Finding[];
  credentials: Finding[];
}

/** Checks a home, its servers and credentials: everything that `zester doctor` does. Changes nothing. */
export async function examine(home: string, options: ExamineOptions = {}): Promise<Examination> {
  const { now = Date.now, credentials = [] } = options;
  const checked = await checkHome(home, { now });
  const { domain } = checked;
  const server =
    domain === undefined || options.offline === true
      ? undefined
      : await checkServers(domain, {
          servers: serverUrls(options.servers, domain.servers, options.env),
          tls: options.tls,
          requireTls: options.requireTls,
          now,
        });
  const ofCredentials: Finding[] = [];
  for (const path of credentials) {
    ofCredentials.push(
      ...(await checkCredentials(path, { domain, maxControlLine: server?.maxControlLine, now })),
    );
  }
  return { home: checked.findings, server: server?.findings ?? [], credentials: ofCredentials };
}
