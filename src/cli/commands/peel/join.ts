// `zester peel join`: join the fleet with a join token.
import { InterruptedError, UsageError } from '../../../errors.js';
import { isoTime } from '../../../jwt/time.js';
import type { JoinEvent } from '../../../peel/join.js';
import { validatePeelId } from '../../../permissions/peel-id.js';
import { command } from '../../command/declaration.js';
import { flag, requiredText, span, text } from '../../command/option.js';
import { runPeel } from '../../fleet/run-peel.js';
import type { InterruptSignal } from '../../terminal/io.js';
import { refuseToReplace } from '../../options/new-file.js';
import { table, type Output } from '../../terminal/output.js';
import { timeWordsAndDate } from '../../terminal/time-words.js';

export default command({
  summary: 'join the fleet with a join token',
  keepsKeys: true,
  needs: 'servers',
  options: {
    token: requiredText('--token <file>', 'join token from "zester join-token create"'),
    id: {
      ...requiredText('--id <id>', 'the ID of this peel'),
      read: (given: unknown) => validatePeelId(String(given)),
    },
    out: text('--out <file>', 'the file to write, mode 0600 (default: <id>.creds)'),
    wait: span('--wait <time>', 'how long to wait for a server and for acceptance', '10m'),
    force: flag('--force', 'replace the file at --out'),
    run: flag('--run', 'then run the peel, like "zester peel run"'),
  },
  notes: `
The key is generated here, and its seed never leaves this host: only the public key and a signature are sent. Until the
peel has its credentials, the key is kept in <out>.pending (mode 0600), so that you can run the command again. If an
admin must accept the peel ("zester peel accept ID"), the command shows the fingerprint of its key and waits.

Exit code 3 if the peel was refused, or not accepted in time.`,
  examples: [
    'zester peel join --token join.creds --id web-01',
    'zester peel join --token join.creds --id web-01 --out /etc/zester/peel.creds --servers tls://n1.acme:4222 --run',
  ],
  async run({ token, id: peelId, out: given, wait: waitMs, force, run }, context) {
    const { io, output } = context;
    const out = given ?? `${peelId}.creds`;
    const connection = context.connection();
    if (out === token) throw new UsageError('--out and --token are the same file: choose another --out');
    await refuseToReplace(out, force);
    const { joinFleet } = await import('../../../peel/join.js');
    const signal = context.interruption();
    try {
      const onEvent = eventWriter(peelId, waitMs, output);
      const result = await joinFleet({
        ...connection,
        token,
        peelId,
        out,
        waitMs,
        signal,
        now: io.now,
        onEvent,
      });
      const { publicKey, fingerprint, expiresAt } = result;
      output.result(
        [
          `${peelId} has joined: ${out}`,
          ...table([
            ['public key', output.key(publicKey)],
            ['fingerprint', fingerprint],
            ['expires', expiresAt === undefined ? 'never' : timeWordsAndDate(expiresAt, io.now())],
          ]),
        ],
        {
          peelId,
          path: out,
          publicKey,
          fingerprint,
          expires: expiresAt === undefined ? null : isoTime(expiresAt / 1000),
        },
      );
    } catch (error) {
      if (!signal.aborted || error !== signal.reason) throw error;
      throw new InterruptedError(
        signal.reason as InterruptSignal,
        `interrupted: the key is kept in ${out}.pending for the next attempt`,
      );
    }
    if (run) await runPeel({ creds: out, connection }, output, io);
  },
});

/** Prints events, deduplicated. */
function eventWriter(peelId: string, waitMs: number, output: Output): (event: JoinEvent) => void {
  let lastMessage = '';
  return (event) => {
    switch (event.type) {
      case 'key':
        return output.note(
          `${peelId}: key fingerprint ${event.fingerprint}${event.resumed ? ' (from an earlier attempt)' : ''}`,
        );
      case 'pending':
        return output.note(
          `waiting up to ${waitMs / 1000} s for acceptance: zester peel accept ${peelId} --fingerprint ${event.fingerprint}`,
        );
      case 'retrying':
        if (event.error.message !== lastMessage) output.note(`trying again: ${event.error.message}`);
        lastMessage = event.error.message;
        return;
      case 'clockOff':
        return output.warn(
          `this machine's clock is about ${Math.round(Math.abs(event.offsetMs) / 1000)} s ` +
            `${event.offsetMs < 0 ? 'ahead' : 'behind'}: correct it`,
        );
    }
  };
}
