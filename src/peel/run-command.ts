// Runs a command that arrived for a peel, and answers it on the peel's own reply subject.
import type { Msg } from '@nats-io/nats-core';
import { answerCommand } from '../protocol/answer-command.js';
import { commandReplyVerdict } from '../protocol/command-reply.js';
import { redactSeeds } from '../errors.js';
import type { PeelEvent } from './events.js';

/** The peel that runs commands. */
export interface CommandRunner {
  peelId: string;
  /** Runs the command in these bytes, and resolves with its answer. Never rejects. */
  answer: (command: Uint8Array) => Promise<Uint8Array>;
  emit: (event: PeelEvent) => void;
}

/** Runs a command, unless its answer would have to be sent elsewhere. Never rejects. */
export async function runCommand(msg: Msg, { peelId, answer, emit }: CommandRunner): Promise<void> {
  if (commandReplyVerdict(msg.reply, peelId) === 'refuse') {
    // do not run it either: its sender would not learn the outcome, and would resend it
    emit({ type: 'commandRefused', subject: shownSubject(msg.subject), reply: shownSubject(msg.reply) });
    return;
  }
  const answered = await answer(msg.data);
  try {
    answerCommand(msg, peelId, answered);
  } catch {
    // closed meanwhile: the caller gets no answer, as from a stopped peel
  }
}

/** A subject that someone else chose, for display: bounded, and only printable characters. */
function shownSubject(subject = ''): string {
  return redactSeeds(subject)
    .slice(0, 200)
    .replace(/[^\u0021-\u007e]/g, '?');
}
