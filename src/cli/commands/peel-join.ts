import type { Command } from 'commander';
import { InterruptedError, UsageError } from '../../errors.js';
import { validatePeelId } from '../../permissions/peel-id.js';
import { parseSpan, SPAN_FORM } from '../duration.js';
import { connectionOf, withServersOption, type ServersOptions } from '../home-options.js';
import type { CliIo, InterruptSignal } from '../io.js';
import { refuseToReplace } from '../new-file.js';
import { Output, table, type GlobalOptions } from '../output.js';
import { timeWordsAndDate } from '../time-words.js';
import { runPeel } from './peel-run.js';
import { isoTime } from '../../jwt/time.js';

interface Options extends GlobalOptions, ServersOptions {
  token?: string;
  id?: string;
  out?: string;
  wait: string;
  force?: boolean;
  run?: boolean;
}

/** `zester peel join`: gets this host's first credentials with a join token. */
export function registerPeelJoin(parent: Command, io: CliIo): void {
  withServersOption(parent.command('join'))
    .description('join the fleet with a join token: get the first credentials of this host')
    .requiredOption('--token <file>', 'the join token (a .creds file, of "zester join-token create")')
    .requiredOption('--id <id>', 'the id of this peel')
    .option('--out <file>', 'where the credentials go (default: <id>.creds)')
    .option('--wait <time>', `how long to wait for a server and to be accepted: ${SPAN_FORM}`, '10m')
    .option('--force', 'replace what stands at --out')
    .option('--run', 'go on as "zester peel run" with the credentials')
    .addHelpText(
      'after',
      `
The key is made here, and its seed never leaves this host: what is sent is the public key and a signature. Until there are
credentials for it, it is kept beside them (<out>.pending, mode 0600): joining again goes on with the same key, so that
what was shown to whoever accepts it stays true. Where somebody has to accept the peel first ("zester peel accept ID"), it
shows the fingerprint of its key and waits. Ends with 3 when it is refused, or nobody has accepted it in time.

Examples:
  $ zester peel join --token join.creds --id web-01
  $ zester peel join --token join.creds --id web-01 --out /etc/zester/peel.creds --servers tls://n1.acme:4222 --run`,
    )
    .action(async (_options, command: Command) => {
      await join(command.optsWithGlobals<Options>(), io);
    });
}

async function join(options: Options, io: CliIo): Promise<void> {
  const output = new Output(io, options);
  const { token = '', id = '', force, run = false } = options;
  const peelId = validatePeelId(id);
  const out = options.out ?? `${peelId}.creds`;
  const waitMs = parseSpan('--wait', options.wait);
  const connection = connectionOf(options, io);
  if (out === token) throw new UsageError('--out is the join token itself: give another file');
  await refuseToReplace(out, force);
  const { joinFleet } = await import('../../peel/join.js');
  const ending = new AbortController();
  let ended: InterruptSignal | undefined;
  const stopListening = io.onInterrupt((signal) => {
    ended = signal;
    ending.abort();
  });
  try {
    let said = '';
    const result = await joinFleet({
      ...connection,
      token,
      peelId,
      out,
      waitMs,
      signal: ending.signal,
      now: io.now,
      onEvent: (event) => {
        switch (event.type) {
          case 'key':
            return output.note(
              `${peelId}: the key has the fingerprint ${event.fingerprint}${event.resumed ? ' (made before)' : ''}`,
            );
          case 'pending':
            return output.note(
              `waiting to be accepted, at most ${options.wait}: zester peel accept ${peelId} --fingerprint ${event.fingerprint}`,
            );
          case 'retrying':
            // the same is said once
            if (event.error.message !== said) output.note(`trying again: ${event.error.message}`);
            said = event.error.message;
            return;
          case 'clockOff':
            return output.warn(
              `the clock of this machine is about ${Math.round(Math.abs(event.offsetMs) / 1000)} s ` +
                `${event.offsetMs < 0 ? 'ahead' : 'behind'}: set it right`,
            );
        }
      },
    });
    const { publicKey, fingerprint, expiresAt } = result;
    const end = expiresAt === undefined ? 'never' : timeWordsAndDate(expiresAt, io.now());
    output.result(
      [
        `${peelId} has joined: ${out}`,
        ...table([
          ['public key', publicKey],
          ['fingerprint', fingerprint],
          ['expires', end],
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
    if (ended === undefined || error !== ending.signal.reason) throw error;
    throw new InterruptedError(
      ended,
      `interrupted: the key is kept in ${out}.pending, and joining again goes on`,
    );
  } finally {
    stopListening();
  }
  if (run) await runPeel({ creds: out, connection }, output, io);
}
