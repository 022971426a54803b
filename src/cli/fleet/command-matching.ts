// Calls a handler of every peel that matches a pattern, and reports the answers.
import { setTimeout as delay } from 'node:timers/promises';
import { FindingsError, FleetError } from '../../errors.js';
import type { Command } from '../../protocol/command.js';
import { isAccepted } from '../../protocol/records/record.js';
import { EXIT } from '../terminal/exit-codes.js';
import type { CliIo } from '../terminal/io.js';
import type { Output } from '../terminal/output.js';
import type { Admin } from './admin.js';
import { chosenPeels, choiceWords, type PeelChoice } from './chosen-peels.js';
import { commandPeels, type PeelReply } from '../../fleet-client/command-peels.js';
import { shellWord } from '../../text/shell-word.js';
import { STARTING_RETRY_MS } from '../../timing.js';

/** The command, and the peels that it is for. */
export interface CommandMatching {
  choice: PeelChoice;
  command: Command;
  /** For each peel, milliseconds. */
  timeoutMs: number;
  /** How long to wait until at least one peel matches and all matching ones answer, in milliseconds. */
  waitMs: number;
  /** Formats a peel's answer as a line. */
  line: (reply: PeelReply & { ok: true }) => string;
}

/**
 * Sends the command to all accepted peels that match, and reports answers and failures.
 *
 * @throws FleetError `ERR_FLEET_UNKNOWN_PEEL` when none matches, `ERR_FLEET_PENDING` when none of those is accepted;
 *   `ERR_FLEET_DENIED` when the credentials may not call any; FindingsError when some did not answer
 */
export async function commandMatching(
  admin: Admin,
  what: CommandMatching,
  io: CliIo,
  output: Output,
): Promise<void> {
  const deadline = io.now() + what.waitMs;
  let replies: PeelReply[];
  for (;;) {
    try {
      replies = await ask(admin, what);
      if (replies.every(({ ok }) => ok) || io.now() >= deadline) break;
    } catch (error) {
      if (!(error instanceof FleetError) || io.now() >= deadline) throw error;
    }
    await delay(STARTING_RETRY_MS);
  }
  replies.sort((a, b) => (a.id < b.id ? -1 : 1));
  const answered = replies.filter(({ ok }) => ok).length;
  output.result(
    replies.map((reply) => lineOf(reply, what, output)),
    {
      peels: replies.map((reply) =>
        reply.ok
          ? { id: reply.id, ok: true, ms: reply.ms, result: reply.result ?? null }
          : { id: reply.id, ok: false, ms: reply.ms, error: { code: reply.code, message: reply.message } },
      ),
      answered,
      failed: replies.length - answered,
    },
  );
  if (replies.length > 1) output.note(`${answered} of ${replies.length} answered`);
  if (answered === replies.length) return;
  if (replies.every((reply) => !reply.ok && reply.code === 'ERR_FLEET_DENIED'))
    throw new FleetError(
      'ERR_FLEET_DENIED',
      "these credentials are not authorized to call peels: pass an operator's or the owner's with --creds",
    );
  const unreachable = replies.every(
    (reply) => !reply.ok && (reply.code === 'ERR_FLEET_NOT_CONNECTED' || reply.code === 'ERR_FLEET_TIMEOUT'),
  );
  throw new FindingsError(
    replies.length === 1
      ? `${replies[0]?.id ?? ''} failed`
      : `${replies.length - answered} of ${replies.length} peels failed; see above`,
    unreachable ? EXIT.unreachable : EXIT.failed,
  );
}

async function ask({ client, nc }: Admin, what: CommandMatching): Promise<PeelReply[]> {
  const { choice } = what;
  const ids: string[] = [];
  let others = 0;
  for await (const record of chosenPeels(client, choice)) {
    if (isAccepted(record)) ids.push(record.id);
    else others += 1;
  }
  if (ids.length === 0) {
    throw others === 0
      ? new FleetError(
          'ERR_FLEET_UNKNOWN_PEEL',
          `no peel matches ${choiceWords(choice)}: see "zester peel list"`,
        )
      : new FleetError(
          'ERR_FLEET_PENDING',
          `no accepted peel matches ${choiceWords(choice)}, but ${others} not accepted ${others === 1 ? 'one does' : 'ones do'}: ` +
            `see "zester peel list${choice.pattern === undefined ? '' : ` ${shellWord(choice.pattern)}`}${choice.labels === undefined ? '' : ` -l ${shellWord(choice.labels)}`}"`,
        );
  }
  const replies: PeelReply[] = [];
  for await (const reply of commandPeels(nc, ids, what.command, what.timeoutMs)) replies.push(reply);
  return replies;
}

function lineOf(reply: PeelReply, { line }: CommandMatching, output: Output): string {
  if (reply.ok) return `${output.colour('green', 'ok')}      ${line(reply)}`;
  return `${output.colour('red', 'failed')}  ${reply.id}: ${reply.message} [${reply.code}]`;
}
