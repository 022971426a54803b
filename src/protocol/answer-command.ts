// answerCommand: answers a command on the peel's own reply subject.
import type { Msg, MsgHdrs, Payload } from '@nats-io/nats-core';
import { FleetError } from '../errors.js';
import { anything, bag, checkOptions } from '../options/check-options.js';
import { validatePeelId } from '../permissions/peel-id.js';
import { commandReplyVerdict } from './command-reply.js';

const ANSWER = bag({ headers: anything });
const optionsError = (message: string) => new FleetError('ERR_FLEET_REQUEST', message);

/**
 * Answers a command, on the peel's side: on `zester.job.<nonce>.return.<own id>`, where `requestPeel` waits, and nowhere
 * else. A message with any other reply subject is not answered, whatever the peel may publish.
 *
 * @param msg a message on `zester.cmd.<id>` or below it
 * @param peelId the peel that answers
 * @returns whether an answer was sent: false when the message asks for none, or on another subject
 * @throws PeelIdError; FleetError `ERR_FLEET_REQUEST` for options that it does not know; the client's errors when the connection is closed or the answer too large
 * @example
 * import { answerCommand, connectPeel } from 'zester';
 *
 * const peelId = 'web-01';
 * const nc = await connectPeel({ servers: process.env.NATS_URL, peelId, credentials: 'web-01.creds' });
 * nc.subscribe(`zester.cmd.${peelId}.uptime`, {
 *   queue: peelId, // one of its own, so that a hitless rotation answers each command once
 *   callback: (_error, msg) => {
 *     if (!answerCommand(msg, peelId, String(process.uptime()))) console.warn('not answered', msg.subject);
 *   },
 * });
 * await nc.drain(); // when the program ends
 */
export function answerCommand(
  msg: Msg,
  peelId: string,
  payload?: Payload,
  options: { headers?: MsgHdrs | undefined } = {},
): boolean {
  checkOptions('answerCommand', options, ANSWER, optionsError);
  if (commandReplyVerdict(msg.reply, validatePeelId(peelId)) !== 'answer') return false;
  const { headers } = options;
  return msg.respond(payload, headers && { headers });
}
