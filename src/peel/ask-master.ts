// Sends a request to a master, verifies the answer, and confirms the clock by it.
import type { CredsFile } from '../creds/creds-file.js';
import { FleetError } from '../errors.js';
import { accountOf } from '../jwt/account-of.js';
import type { RawAnswer } from '../protocol/admin-client.js';
import type { AnswerOf, RequestName } from '../protocol/messages.js';
import type { FleetClock } from './clock.js';
import { readMasterAnswer, type TrustedMaster } from './verify-master.js';

/** The requests that a master answers with a signature and its time. */
type TimedRequest = Extract<RequestName, 'challenge' | 'join' | 'recover' | 'renew' | 'rotate'>;

/** The expectations for an answer. */
export interface Question<N extends TimedRequest> {
  name: N;
  /** The context that the answer's signature covers: the request's ID, or its subject if it has none. */
  context: string;
  /** The caller's credentials: only a master of their account may answer. */
  creds: CredsFile;
  clock: FleetClock;
}

/**
 * Sends a request, and reads the answer.
 *
 * @param send sends the request once, and resolves with the answer
 * @throws errors of `send`; FleetError as `readMasterAnswer`
 */
export async function askMaster<N extends TimedRequest>(
  { name, context, creds, clock }: Question<N>,
  send: () => Promise<RawAnswer>,
): Promise<AnswerOf<N>> {
  const sent = clock.local();
  const raw = await send();
  const received = clock.local();
  const answer = readMasterAnswer(name, context, raw, mastersOf(creds, clock));
  if ('requestId' in answer && answer.requestId !== context) {
    throw new FleetError('ERR_FLEET_ANSWER', `the answer to "${name}" belongs to another request`);
  }
  clock.confirm(answer.now, sent, received);
  return answer;
}

/** The masters that a peel trusts: those of the account of its credentials. */
export function mastersOf(creds: CredsFile, clock: FleetClock): TrustedMaster {
  return { account: accountOf(creds.claims), now: clock.lenient() };
}
