// answerBelow: answers a request only below its caller's inbox.
import type { Msg, MsgHdrs, NatsConnection } from '@nats-io/nats-core';
import { FleetError } from '../errors.js';
import { anything, bag, checkOptions, listOf, text, type Entries } from '../options/check-options.js';
import { judgeReply } from './reply-subject.js';

/** Where an answer may go, and what it contains. */
export interface AnswerOptions {
  /** Prefixes of inboxes that only the caller may read, such as `peelInboxPrefix(peelId)`. */
  inboxes: readonly string[];
  headers?: MsgHdrs | undefined;
}

const ANSWER = bag({ inboxes: listOf(text), headers: anything } satisfies Entries<AnswerOptions>, {
  required: ['inboxes'],
});
const optionsError = (message: string) => new FleetError('ERR_FLEET_REQUEST', message);

/**
 * Answers a request only below the caller's own inbox. Use it instead of `msg.respond()` in every service whose
 * connection may publish more than its callers may: `msg.respond()` publishes wherever the caller says, with the
 * service's permissions.
 *
 * The service must identify the caller by a token of the subject that only one peel may publish to, or by a signature.
 * Never derive `inboxes` from the message itself.
 *
 * @param nc the connection to publish on; preferably one that may publish only to inboxes
 * @returns false when the request has no reply subject, and nothing was sent
 * @throws FleetError `ERR_FLEET_REPLY` when the reply subject is not below the inboxes, `ERR_FLEET_REQUEST` for unknown
 *   options; nothing was sent
 * @example
 * import { answerBelow, connectMaster, connectPeel, peelInboxPrefix } from 'zester';
 *
 * const servers = process.env.NATS_URL;
 * const service = await connectMaster({ servers, credentials: 'master.creds' });
 * // a peel may publish on zester.event.<its ID>.> only, so the subject identifies the caller
 * service.subscribe('zester.event.*.config', {
 *   callback: (error, msg) => {
 *     if (error) return;
 *     const peelId = msg.subject.split('.')[2] ?? '';
 *     answerBelow(service, msg, 'colour = blue', { inboxes: [peelInboxPrefix(peelId)] });
 *   },
 * });
 * await service.flush();
 *
 * const peel = await connectPeel({ servers, peelId: 'web-01', credentials: 'web-01.creds' });
 * const answer = await peel.request('zester.event.web-01.config');
 * console.log(answer.string()); // colour = blue
 * await peel.close();
 * await service.close();
 */
export function answerBelow(
  nc: Pick<NatsConnection, 'publish'>,
  { reply }: Pick<Msg, 'reply'>,
  payload: Uint8Array | string | undefined,
  options: AnswerOptions,
): boolean {
  checkOptions('answerBelow', options, ANSWER, optionsError);
  const { inboxes, headers } = options;
  const verdict = judgeReply(reply, inboxes);
  switch (verdict.is) {
    case 'unanswered':
      return false;
    case 'refused':
      throw new FleetError('ERR_FLEET_REPLY', `the request is not answered: ${verdict.reason}`);
    case 'allowed':
      nc.publish(verdict.subject, payload, headers && { headers });
      return true;
  }
}
