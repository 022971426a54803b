// Decides whether a reply subject may be answered.

/** The verdict on a request's reply subject. */
export type ReplyVerdict =
  /** The request has no reply subject, so it wants no answer. */
  | { is: 'unanswered' }
  /** It is below one of the caller's inboxes. */
  | { is: 'allowed'; subject: string }
  /** It is not, so nothing may be published there. */
  | { is: 'refused'; reason: string };

/** Clients append two or three tokens of about twenty characters to their inbox prefix. */
const MAX_BELOW_PREFIX = 256;
/** One token of a subject, without wildcards: printable ASCII. */
const TOKEN = /^[!-)+\-/-=?-~]+$/;

/**
 * Decides whether an answer may be published on the reply subject of a request.
 *
 * The caller chooses the reply subject, and the server lets the *answering* side publish there with its own
 * permissions. A privileged service that answers anywhere therefore lends its permissions to its callers: a refusal
 * sent to `$JS.API.STREAM.PURGE.KV_x` purges that bucket. So answer only below an inbox that belongs to the caller.
 *
 * @param reply the reply subject of the request
 * @param inboxes prefixes of inboxes that only the caller may read, such as `_INBOX.web-01`
 * @example
 * import { judgeReply } from 'zester';
 *
 * const inboxes = ['_INBOX.web-01'];
 * console.log(judgeReply('_INBOX.web-01.7', inboxes).is); // allowed
 * console.log(judgeReply('$JS.API.STREAM.PURGE.KV_config', inboxes).is); // refused
 * console.log(judgeReply(undefined, inboxes).is); // unanswered
 */
export function judgeReply(reply: string | undefined, inboxes: readonly string[]): ReplyVerdict {
  if (reply === undefined || reply === '') return { is: 'unanswered' };
  const prefix = inboxes.find((inbox) => inbox !== '' && reply.startsWith(`${inbox}.`));
  if (prefix === undefined)
    return { is: 'refused', reason: "the reply subject is not below the caller's inbox" };
  const below = reply.slice(prefix.length + 1);
  if (below.length > MAX_BELOW_PREFIX) return { is: 'refused', reason: 'the reply subject is too long' };
  if (!below.split('.').every((token) => TOKEN.test(token))) {
    return {
      is: 'refused',
      reason: 'the reply subject has an empty token, a wildcard or an invalid character',
    };
  }
  return { is: 'allowed', subject: reply };
}
