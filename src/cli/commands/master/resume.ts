// `zester master resume`: let the masters revoke the healthy peels that they hold.
import { setTimeout as delay } from 'node:timers/promises';
import { FleetError } from '../../../errors.js';
import type { AdminClient } from '../../../protocol/ask.js';
import { command } from '../../command/declaration.js';
import { flag, text } from '../../command/option.js';
import { confirm } from '../../terminal/confirm.js';
import { RESUME_POLL_MS, RESUME_TIMEOUT_MS } from '../../../timing.js';

export default command({
  summary: 'let the masters revoke the healthy peels that they hold',
  needs: 'fleet',
  options: {
    reason: text('--reason <text>', 'kept in the audit log'),
    yes: flag('-y, --yes', 'do not ask'),
  },
  notes: `
Masters that are about to revoke more than a few healthy peels by themselves (by default more than 3 and more than 2 % within a
minute; see "zester master --help") revoke none: a fault is more likely than theft. Their log, the audit log, "zester doctor" and
"zester peel list" say so. When the cause is gone, they go on by themselves. This command says that they are right: every peel
that they hold is revoked, for good.`,
  examples: [
    "zester audit --kind 'revocations.*'",
    "zester master resume --reason 'the signing key was stolen'",
  ],
  async run({ reason, yes }, { io, output, fleet }) {
    const { client } = await fleet();
    const { held } = await client.ask('status', {});
    if (held !== undefined) await confirm(io, `this revokes ${held.peels} peels for good`, yes);
    const { resumed } = await client.ask('master.resume', { ...(reason !== undefined && { reason }) });
    if (resumed !== undefined) await whenTaken(client);
    const done =
      resumed === undefined ? 'nothing is held' : `the masters revoke the ${resumed.peels} peels they held`;
    output.result([done], { resumed: resumed ?? null });
  },
});

/** Waits until nothing is held any more: the order is stored before it is carried out. */
async function whenTaken(client: AdminClient): Promise<void> {
  const deadline = Date.now() + RESUME_TIMEOUT_MS;
  for (;;) {
    const { held } = await client.ask('status', {});
    if (held === undefined) return;
    if (Date.now() >= deadline) {
      throw new FleetError(
        'ERR_FLEET_UNCONFIRMED',
        `the order is stored, and ${held.peels} peels are still held after ${RESUME_TIMEOUT_MS / 1000} s: see "zester doctor"`,
      );
    }
    await delay(RESUME_POLL_MS);
  }
}
