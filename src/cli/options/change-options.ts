// The options of commands that change the account as the system account.
import type { ChangeOptions } from '../../account/change-account.js';
import type { PushReport } from '../../account/push-account.js';
import { connectionOf, homeOf, type HomeOptions, type ServersOptions } from './home-options.js';
import { renewUsed } from '../fleet/renew-used.js';
import type { CliIo } from '../terminal/io.js';
import type { Output } from '../terminal/output.js';

/** The options of commands that connect to the system account. */
export interface SystemOptions extends HomeOptions, ServersOptions {
  systemCreds?: string | undefined;
}

/** The options of a command that changes the account. */
export interface AccountChangeOptions extends SystemOptions {
  push: boolean;
}

/** The home, and the library options with it. @throws TrustError when the home cannot be opened */
export async function systemOptions(
  options: SystemOptions,
  io: CliIo,
  output: Output,
): Promise<ChangeOptions & { home: string; servers: string[] }> {
  const home = homeOf(options, io);
  const [{ openTrustDomain }, { describeLosses }] = await Promise.all([
    import('../../trust/open.js'),
    import('../../trust/account-jwt/merge-account.js'),
  ]);
  const domain = await openTrustDomain(home);
  if (domain.settings.renewal !== undefined) await renewUsed(home, ['system', 'master'], io);
  return {
    home,
    ...connectionOf(options, io, domain),
    now: io.now,
    ...(options.systemCreds !== undefined && { systemCreds: options.systemCreds }),
    onRestored: (restored) => {
      for (const line of describeLosses(restored)) {
        output.warn(`the newest account JWT had lost the ${line}: restored`);
      }
    },
    onWait: ({ what, pid }) =>
      output.note(`waiting for "${what}" (process ${pid}), which is using this home`),
  };
}

/** As {@link systemOptions}, for a command that changes the account. */
export async function changeOptions(
  options: AccountChangeOptions,
  io: CliIo,
  output: Output,
): Promise<ChangeOptions & { home: string }> {
  const all = await systemOptions(options, io, output);
  return options.push ? all : { ...all, servers: false };
}

/** A line with the servers that have it. */
export function pushedLine(report: PushReport | undefined): string {
  if (report === undefined) return 'not pushed: run "zester account push"';
  return `in force on ${report.confirmed.join(', ') || 'no server'}`;
}
