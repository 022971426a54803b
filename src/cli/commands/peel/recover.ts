// `zester peel recover`: get new credentials for a peel whose credentials have expired.
import { isoTime } from '../../../jwt/time.js';
import type { RecoverEvent, RecoverResult } from '../../../peel/recover.js';
import { InterruptedError } from '../../../errors.js';
import { fingerprint } from '../../../protocol/fingerprint.js';
import { command } from '../../command/declaration.js';
import { requiredText, span, text } from '../../command/option.js';
import type { InterruptSignal } from '../../terminal/io.js';
import { table, type Output } from '../../terminal/output.js';
import { timeWordsAndDate } from '../../terminal/time-words.js';

export default command({
  summary: 'replace expired credentials with new ones',
  keepsKeys: true,
  needs: 'servers',
  options: {
    creds: requiredText('--creds <file>', 'the .creds file of the peel, which is replaced'),
    recovery: text('--recovery <file>', 'its recovery credential (default: <creds>.recovery)'),
    wait: span('--wait <time>', 'maximum time to retry and to wait for acceptance', '2m'),
  },
  notes: `
For hosts whose program uses a plain .creds file; "zester peel run" and startPeel() recover by themselves. The peel
proves possession of its old key and generates a new one, so that the old file and every copy of it become useless. A
master decides whether the credentials have expired: if they have not, nothing is changed.

Exit code 3 if the peel is revoked, rejected, too late or not accepted in time, or if a copy of its file was used.`,
  examples: [
    'zester peel recover --creds /etc/zester/web-01.creds',
    'zester peel recover --creds web-01.creds --servers tls://n1.acme:4222 --json',
  ],
  async run({ creds, recovery, wait: waitMs }, context) {
    const { io, output } = context;
    const connection = context.connection();
    const { recoverCredentials } = await import('../../../peel/recover.js');
    const signal = context.interruption();
    try {
      const result = await recoverCredentials({
        ...connection,
        credsPath: creds,
        recovery,
        waitMs,
        signal,
        now: io.now,
        onEvent: eventWriter(output),
      });
      output.result(lines(result, io.now(), output), documentOf(result));
    } catch (error) {
      if (!signal.aborted || error !== signal.reason) throw error;
      throw new InterruptedError(signal.reason as InterruptSignal, 'interrupted: run it again to continue');
    }
  },
});

const WORDS: Readonly<Record<RecoverResult['outcome'], string>> = {
  recovered: 'has new credentials',
  valid: 'has valid credentials, and keeps them',
  replaced: 'had its credentials replaced meanwhile',
};

function lines({ peelId, outcome, path, publicKey, expiresAt }: RecoverResult, now: number, output: Output) {
  return [
    `${peelId} ${WORDS[outcome]}: ${path}`,
    ...table([
      ['public key', output.key(publicKey)],
      ['fingerprint', fingerprint(publicKey)],
      ['expires', expiresAt === undefined ? 'never' : timeWordsAndDate(expiresAt, now)],
    ]),
  ];
}

function documentOf({ peelId, outcome, path, publicKey, expiresAt }: RecoverResult): object {
  return {
    peelId,
    outcome,
    path,
    publicKey,
    fingerprint: fingerprint(publicKey),
    expires: expiresAt === undefined ? null : isoTime(expiresAt / 1000),
  };
}

/** Prints events, deduplicated. */
function eventWriter(output: Output): (event: RecoverEvent) => void {
  let lastMessage = '';
  return (event) => {
    if (event.type === 'pending') {
      output.note(`waiting for acceptance: the new key has the fingerprint ${event.fingerprint}`);
    } else if (event.error.message !== lastMessage) {
      lastMessage = event.error.message;
      output.note(`trying again: ${lastMessage}`);
    }
  };
}
