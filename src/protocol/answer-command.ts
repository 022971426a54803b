// answerCommand: answers a command on the peel's own reply subject.
import type { Msg, MsgHdrs, Payload } from '@nats-io/nats-core';
import { FleetError } from '../errors.js';
import { anything, bag, checkOptions, type Entries } from '../options/check-options.js';
import { validatePeelId } from '../permissions/peel-id.js';
import { commandReplyVerdict } from './command-reply.js';

/** The options of {@link answerCommand}. */
export interface CommandAnswer {
  /** The peel that answers. */
  peelId: string;
  payload?: Payload | undefined;
  headers?: MsgHdrs | undefined;
}

const ANSWER = bag({ headers: anything });
const NAMED = bag(
  { peelId: anything, payload: anything, headers: anything } satisfies Entries<CommandAnswer>,
  { required: ['peelId'] },
);
const optionsError = (message: string) => new FleetError('ERR_FLEET_REQUEST', message);

/**
 * Answers a command, on the peel's side: only on `zester.job.<nonce>.return.<own ID>`, where `requestPeel` waits. A
 * message with any other reply subject is not answered, whatever the peel may publish.
 *
 * @param msg a message on `zester.cmd.<ID>` or below it
 * @param peelId the peel that answers
 * @returns whether an answer was sent: false if the message has no reply subject, or a different one
 * @throws PeelIdError; FleetError `ERR_FLEET_REQUEST` for unknown options; the client's errors when the connection is
 *   closed or the answer too large
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
  options?: { headers?: MsgHdrs | undefined },
): boolean;
/** The same, with an options object. */
export function answerCommand(msg: Msg, answer: CommandAnswer): boolean;
export function answerCommand(
  msg: Msg,
  first: string | CommandAnswer,
  second?: Payload,
  third: { headers?: MsgHdrs | undefined } = {},
): boolean {
  const isNamed = typeof first === 'object' && first !== null && 'peelId' in first;
  checkOptions('answerCommand', isNamed ? first : third, isNamed ? NAMED : ANSWER, optionsError);
  const { peelId, payload, headers } = isNamed ? first : { ...third, peelId: first, payload: second };
  if (commandReplyVerdict(msg.reply, validatePeelId(peelId)) !== 'answer') return false;
  return msg.respond(payload, headers && { headers });
}
