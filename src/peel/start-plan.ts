// Decides what a peel does when its first connection fails, and when a master's notice arrives.
import { ConnectError, CredsError, FleetError } from '../errors.js';
import type { Notice } from '../protocol/command.js';
import { spreadWait } from '../connection/reconnect-spread.js';
import { START_REFUSED_RETRY_MS } from '../timing.js';
import type { NoticeVerdict } from './judge-notice.js';

/** Errors in the given options: waiting for a server fixes none of them. */
const NEVER_WORKS: ReadonlySet<string> = new Set([
  'ERR_CONNECT_OPTIONS',
  'ERR_CONNECT_URL',
  'ERR_CONNECT_NO_SERVERS',
  'ERR_CONNECT_PLAIN',
  'ERR_CONNECT_TLS_FILE',
]);

/** The facts about a failed first connect. */
export interface FailedStart {
  error: unknown;
  waitOnFirstConnect: boolean;
  /** Failed attempts, including this one. */
  failures: number;
  /** The window of the first attempt to reconnect, in milliseconds. */
  windowMs: number;
  /** From 0 to 1. */
  random: number;
}

/**
 * What follows a failed first connect: the start fails with the error, or it is retried, spread like reconnects,
 * since hosts that lost power start together. A refusal may mean that the credentials are not valid now: the start
 * fails if they have expired by this machine's clock, too.
 *
 * @returns `retryInMs` undefined: it ends
 */
export function afterFailedStart({ error, waitOnFirstConnect, failures, windowMs, random }: FailedStart): {
  retryInMs: number | undefined;
  mayBeUntimely: boolean;
} {
  const kind = kindOf(error);
  const mayBeUntimely = kind === 'refused';
  if (kind === 'permanent' || !waitOnFirstConnect) return { retryInMs: undefined, mayBeUntimely };
  const retryInMs =
    kind === 'unavailable'
      ? spreadWait(failures - 1, windowMs, random)
      : START_REFUSED_RETRY_MS * (0.75 + random / 2);
  return { retryInMs: Math.round(retryInMs), mayBeUntimely };
}

/** Whether waiting helps, and how to wait. */
function kindOf(error: unknown): 'permanent' | 'unavailable' | 'early' | 'refused' {
  if (error instanceof CredsError) {
    if (error.code === 'ERR_CREDS_NOT_YET_VALID') return 'early';
    // the credentials existed a moment ago: a secrets manager recovers as a server does
    return error.code === 'ERR_CREDS_PROVIDER' ? 'unavailable' : 'permanent';
  }
  if (!(error instanceof ConnectError) || NEVER_WORKS.has(error.code)) return 'permanent';
  return error.code === 'ERR_CONNECT_REFUSED' ? 'refused' : 'unavailable';
}

/** How a peel reacts to a notice. */
export type NoticeAction =
  | { do: 'nothing' }
  | { do: 'rotate'; at: string }
  /** Report that it was ignored, and why. */
  | { do: 'report'; error: FleetError }
  | { do: 'end'; error: FleetError };

/**
 * How to react to a judged notice.
 *
 * @param rotationAskedAt the time of the last followed notice to rotate (ISO 8601): a repeated one is ignored
 */
export function afterNotice(notice: Notice, judged: NoticeVerdict, rotationAskedAt: string): NoticeAction {
  const { peelId } = notice;
  if (judged.verdict === 'pass') return { do: 'nothing' };
  if (judged.verdict === 'refuse') {
    const words = `ignored a master's notice ("${notice.kind}"): it ${judged.why}; it may be a replay`;
    return { do: 'report', error: new FleetError('ERR_FLEET_ANSWER', words, { peelId }) };
  }
  if (notice.kind === 'rotate') {
    return notice.at <= rotationAskedAt ? { do: 'nothing' } : { do: 'rotate', at: notice.at };
  }
  const why = notice.reason === undefined ? '' : ` (${notice.reason})`;
  const what = notice.code === 'ERR_FLEET_REJECTED' ? 'was rejected' : 'is revoked';
  const words = `the peel "${peelId}" ${what}${why}`;
  return { do: 'end', error: new FleetError(notice.code, words, { final: true, peelId }) };
}
