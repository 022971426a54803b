// The reply subjects of commands.
import { randomBytes } from 'node:crypto';
import { subjectFor } from '../permissions/names.js';
import { validatePeelId } from '../permissions/peel-id.js';

/** A nonce: one token without characters that are special in subjects. */
const NONCE = /^[A-Za-z0-9_-]{1,64}$/;

/**
 * A new reply subject for a command to this peel: `zester.job.<nonce>.return.<ID>`. The peel may publish there by its
 * own grants, admins and masters may subscribe to it, other peels may do neither, and the nonce cannot be guessed.
 *
 * @throws PeelIdError
 */
export function newCommandReply(peelId: string): string {
  return subjectFor.reply(validatePeelId(peelId), randomBytes(16).toString('base64url'));
}

/**
 * Decides how a peel treats a command's reply subject: answer there, send no answer, or refuse the command. Only
 * `zester.job.<nonce>.return.<own ID>` is answered. The sender of a command chooses its reply subject: a peel that
 * answered anywhere would publish, with its own rights, wherever the sender likes.
 */
export function commandReplyVerdict(reply: string | undefined, peelId: string): 'answer' | 'none' | 'refuse' {
  if (reply === undefined || reply === '') return 'none';
  const [, , nonce = ''] = reply.split('.');
  return NONCE.test(nonce) && reply === subjectFor.reply(peelId, nonce) ? 'answer' : 'refuse';
}
