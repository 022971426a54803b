// Audits once that the home of an invited master was installed.
import { withHomeLock } from '../../trust/lock.js';
import { readSettings, writeSettings } from '../../trust/settings.js';
import { errorMessage } from '../../text/error-message.js';
import type { MasterContext } from '../context.js';

/**
 * Audits the installation at the first start of the home's master, since "zester master install" needs no server. Never
 * rejects.
 */
export async function auditInstallation({
  trust,
  audit,
  actor,
  logger,
}: Pick<MasterContext, 'trust' | 'audit' | 'actor' | 'logger'>): Promise<void> {
  const { paths, home, settings } = trust.domain;
  if (settings.master?.untold !== true) return;
  try {
    await withHomeLock(home, 'zester master', async () => {
      const { master, ...rest } = await readSettings(paths.settings);
      if (master?.untold !== true) return;
      audit.note({ kind: 'master.installed', by: actor, detail: { master: master.name } });
      // undefined members are not written
      await writeSettings(paths.settings, { ...rest, master: { ...master, untold: undefined } });
    });
  } catch (error) {
    logger.warn(
      { reason: errorMessage(error) },
      'cannot audit the installation of this home; retrying at the next start',
    );
  }
}
