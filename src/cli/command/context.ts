// Opens what a command needs (home, servers, fleet client), and closes it afterwards.
import type { ChangeOptions } from '../../account/change-account.js';
import type { TrustDomain } from '../../trust/domain.js';
import { homePath } from '../../trust/home.js';
import type { Admin } from '../fleet/admin.js';
import { connectionOf, type ConnectionOf } from '../options/home-options.js';
import type { CliIo } from '../terminal/io.js';
import type { Output } from '../terminal/output.js';
import { withBaseContext, type NothingContext } from './base-context.js';
import type { SharedValues } from './shared-options.js';

/** The needs of a command; each includes the previous one. */
export type Need = 'nothing' | 'home' | 'servers' | 'fleet' | 'system' | 'change' | 'operator';

/** `--home` */
export interface HomeContext extends NothingContext {
  /** The trust domain's directory; it need not exist. */
  readonly home: string;
  /** The shared options from the command line, before environment and home. */
  readonly given: SharedValues;
  /** @throws TrustError, FileError */
  readonly openHome: () => Promise<TrustDomain>;
}

/** `--servers` and the TLS options */
export interface ServersContext extends HomeContext {
  /** @throws ConnectError `ERR_CONNECT_URL` */
  readonly connection: (domain?: Pick<TrustDomain, 'servers' | 'tls' | 'requireTls'>) => ConnectionOf;
}

/** `--creds` */
export interface FleetContext extends ServersContext {
  /**
   * Connects as an admin; later calls return the same connection, which is closed when the command ends.
   *
   * @param waitMs how long to wait for a starting home, servers and master; 0: do not wait
   * @throws TrustError, CredsError, FileError, ConnectError; with a wait, FleetError `ERR_FLEET_NO_MASTER`
   */
  readonly fleet: (waitMs?: number) => Promise<Admin>;
}

/** `--system-creds` */
export interface SystemContext extends ServersContext {
  readonly system: () => Promise<ChangeOptions & { home: string; servers: string[] }>;
}

/** `--no-push` */
export interface ChangeContext extends SystemContext {
  readonly change: () => Promise<ChangeOptions & { home: string }>;
}

interface Contexts {
  nothing: NothingContext;
  home: HomeContext;
  servers: ServersContext;
  fleet: FleetContext;
  system: SystemContext;
  change: ChangeContext;
  operator: FleetContext & SystemContext;
}
export type ContextOf<N extends Need> = Contexts[N];

/**
 * Creates the context of one run for `act`, and always closes its resources afterwards.
 *
 * @throws errors of `act`
 */
export async function withContext(
  shared: SharedValues,
  io: CliIo,
  output: Output,
  act: (context: FleetContext & ChangeContext) => Promise<void>,
): Promise<void> {
  await withBaseContext(io, output, async (base, atEnd) => {
    const home = homePath(shared.home, io.env);
    let admin: Promise<Admin> | undefined;
    const openFleet = async (waitMs: number) => {
      const { openAdmin } = await import('../fleet/admin.js');
      const opened = await openAdmin(shared, io, waitMs);
      atEnd(opened.close);
      return opened.admin;
    };
    await act({
      ...base,
      given: shared,
      home,
      openHome: async () => (await import('../../trust/open.js')).openTrustDomain(home),
      connection: (domain) => connectionOf(shared, io, domain),
      fleet: (waitMs = 0) => (admin ??= openFleet(waitMs)),
      system: async () => (await import('../options/change-options.js')).systemOptions(shared, io, output),
      change: async () => {
        const { changeOptions } = await import('../options/change-options.js');
        return changeOptions({ ...shared, push: shared.push ?? true }, io, output);
      },
    });
  });
}
