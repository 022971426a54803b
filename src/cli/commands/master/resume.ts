// `zester master resume`: let the masters revoke the healthy peels that they hold.
import { setTimeout as delay } from 'node:timers/promises';
import { FleetError } from '../../../errors.js';
import type { AdminClient } from '../../../protocol/admin-client.js';
import { command } from '../../command/declaration.js';
import { flag, text } from '../../command/option.js';
import { confirm } from '../../terminal/confirm.js';
import { RESUME_POLL_MS, RESUME_TIMEOUT_MS } from '../../../timing.js';

export default command({
  summary: 'carry out the revocations of healthy peels that the masters hold',
  needs: 'fleet',
  options: {
    reason: text('--reason <text>', 'recorded in the audit log'),
    yes: flag('-y, --yes', 'skip the confirmation'),
  },
  notes: `
Masters that are about to revoke more than a few healthy peels by themselves (by default more than 3 and more than 2 %
within a minute; see "zester master --help") hold the revocations: a fault is more likely than theft. Their log, the
audit log, "zester doctor" and "zester peel list" report it. When the cause is gone, they continue by themselves. This
command confirms the revocations instead: every held peel is revoked, permanently.`,
  examples: [
    "zester audit --kind 'revocations.*'",
    "zester master resume --reason 'the signing key was stolen'",
  ],
  async run({ reason, yes }, { io, output, fleet }) {
    const { client } = await fleet();
    const { held } = await client.ask('status', {});
    if (held !== undefined) await confirm(io, `this permanently revokes ${held.peels} peels`, yes);
    const { resumed } = await client.ask('master.resume', { ...(reason !== undefined && { reason }) });
    if (resumed !== undefined) await whenTaken(client);
    const done =
      resumed === undefined ? 'nothing is held' : `the masters are revoking the ${resumed.peels} held peels`;
    output.result([done], { resumed: resumed ?? null });
  },
});

/** Waits until nothing is held any more: the request is stored before it is carried out. */
async function whenTaken(client: AdminClient): Promise<void> {
  const deadline = Date.now() + RESUME_TIMEOUT_MS;
  for (;;) {
    const { held } = await client.ask('status', {});
    if (held === undefined) return;
    if (Date.now() >= deadline) {
      throw new FleetError(
        'ERR_FLEET_UNCONFIRMED',
        `the request is stored, but ${held.peels} peels are still held after ${RESUME_TIMEOUT_MS / 1000} s: see "zester doctor"`,
      );
    }
    await delay(RESUME_POLL_MS);
  }
}
