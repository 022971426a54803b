// Reads signed notices from masters.
import * as v from 'valibot';
import { FleetError } from '../errors.js';
import { noticeSchema, type Notice } from '../protocol/command.js';
import { issueText, parseJson, type ReceivedMessage } from '../protocol/messages.js';
import { noticeSubject } from '../permissions/names.js';
import { accountOf } from '../jwt/account-of.js';
import type { UserClaims } from '../jwt/claims.js';
import { checkMasterSigned } from './verify-master.js';

/**
 * Reads a master's notice to a peel.
 *
 * @param own the JWT of the peel: the master must belong to its account
 * @param now milliseconds since 1970
 * @throws FleetError `ERR_FLEET_ANSWER` when it is not from a master, or not for this peel
 */
export function readNotice(message: ReceivedMessage, peelId: string, own: UserClaims, now: number): Notice {
  const what = 'a notice';
  const { data, headers } = message;
  checkMasterSigned(what, noticeSubject(peelId), { data, headers }, { account: accountOf(own), now });
  const parsed = v.safeParse(noticeSchema, parseJson(data));
  if (!parsed.success) {
    throw new FleetError('ERR_FLEET_ANSWER', `${what} cannot be used: ${issueText(parsed.issues)}`);
  }
  if (parsed.output.peelId !== peelId) {
    throw new FleetError('ERR_FLEET_ANSWER', `${what} is for "${parsed.output.peelId}", not for "${peelId}"`);
  }
  return parsed.output;
}
