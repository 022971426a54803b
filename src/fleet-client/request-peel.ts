// requestPeel: sends a command to a peel, and returns its answer.
import { errors, type Msg, type MsgHdrs, type NatsConnection, type Payload } from '@nats-io/nats-core';
import { orAborted } from '../async/or-aborted.js';
import { FleetError } from '../errors.js';
import { anything, bag, checkOptions, text, type Entries } from '../options/check-options.js';
import { validateSubject } from '../permissions/subject.js';
import { newCommandReply } from '../protocol/command-reply.js';
import { isNoResponders, permissionViolationOf } from '../protocol/request-errors.js';
import { commandSubject } from '../permissions/names.js';
import { COMMAND_TIMEOUT_MS } from '../timing.js';

/** The options of a request to a peel. */
export interface RequestPeelOptions {
  /** Tokens below `zester.cmd.<id>`, such as `uptime`; absent: `zester.cmd.<id>` itself, where `startPeel` listens. */
  command?: string | undefined;
  /** Timeout in milliseconds; 10,000 by default. */
  timeoutMs?: number | undefined;
  headers?: MsgHdrs | undefined;
  /** Stops waiting for the answer; the peel still runs the command. */
  signal?: AbortSignal | undefined;
}

/** {@link RequestPeelOptions} plus the positional arguments of {@link requestPeel}. */
export interface PeelRequest extends RequestPeelOptions {
  peelId: string;
  /** The payload; empty by default. */
  data?: Payload | undefined;
}

const ENTRIES = {
  command: text,
  timeoutMs: anything,
  headers: anything,
  signal: anything,
} satisfies Entries<RequestPeelOptions>;
const REQUEST = bag(ENTRIES);
const NAMED = bag({ ...ENTRIES, peelId: anything, data: anything } satisfies Entries<PeelRequest>, {
  required: ['peelId'],
});
const optionsError = (message: string) => new FleetError('ERR_FLEET_REQUEST', message);

/**
 * Sends a command to a peel and waits for its answer. A plain `nc.request()` gets no answer, because a peel may not
 * publish to its callers' inboxes. The peel answers on `zester.job.<nonce>.return.<id>`: only that peel may publish
 * there, and admins and masters may subscribe. The answer is untrusted: check it before you use it.
 *
 * @param nc a connection with an admin's or a master's credentials
 * @param peelId the peel
 * @param data the payload of the command
 * @throws PeelIdError, SubjectError; FleetError `ERR_FLEET_NOT_CONNECTED` when there are no responders, `ERR_FLEET_TIMEOUT`,
 *   `ERR_FLEET_DENIED` when the credentials may not command peels; the signal's reason
 * @example
 * import { answerCommand, connectMaster, connectPeel, requestPeel } from 'zester';
 *
 * const servers = process.env.NATS_URL;
 * const peel = await connectPeel({ servers, peelId: 'web-01', credentials: 'web-01.creds' });
 * peel.subscribe('zester.cmd.web-01.uptime', {
 *   callback: (_error, msg) => void answerCommand(msg, 'web-01', String(process.uptime())),
 * });
 * await peel.flush();
 *
 * const admin = await connectMaster({ servers, credentials: 'admin.creds' });
 * const answer = await requestPeel(admin, 'web-01', '', { command: 'uptime', timeoutMs: 2_000 });
 * console.log(Number(answer.string()) > 0); // true
 * await admin.close();
 * await peel.close();
 */
export function requestPeel(
  nc: NatsConnection,
  peelId: string,
  data?: Payload,
  options?: RequestPeelOptions,
): Promise<Msg>;
/** The same, with an options object. */
export function requestPeel(nc: NatsConnection, request: PeelRequest): Promise<Msg>;
export async function requestPeel(
  nc: NatsConnection,
  first: string | PeelRequest,
  second: Payload = '',
  third: RequestPeelOptions = {},
): Promise<Msg> {
  const isNamed = typeof first === 'object' && first !== null && 'peelId' in first;
  checkOptions('requestPeel', isNamed ? first : third, isNamed ? NAMED : REQUEST, optionsError);
  const { peelId, data = '', ...options } = isNamed ? first : { ...third, peelId: first, data: second };
  const { command, timeoutMs = COMMAND_TIMEOUT_MS, headers, signal } = options;
  const base = commandSubject(peelId);
  const subject = command === undefined ? base : validateSubject(`${base}.${command}`, { wildcards: false });
  signal?.throwIfAborted();
  const answer = nc.request(subject, data, {
    noMux: true,
    reply: newCommandReply(peelId),
    timeout: timeoutMs,
    ...(headers && { headers }),
  });
  try {
    return await (signal === undefined ? answer : orAborted(answer, signal));
  } catch (cause) {
    throw requestError(cause, peelId, subject, timeoutMs);
  }
}

function requestError(cause: unknown, peelId: string, subject: string, timeoutMs: number): unknown {
  const options = { cause, peelId };
  if (isNoResponders(cause)) {
    return new FleetError('ERR_FLEET_NOT_CONNECTED', `no peel listens on ${subject}`, options);
  }
  if (cause instanceof errors.TimeoutError) {
    const words = `the peel "${peelId}" did not answer within ${timeoutMs / 1000} s`;
    return new FleetError('ERR_FLEET_TIMEOUT', words, options);
  }
  const denied = permissionViolationOf(cause);
  if (denied !== undefined) {
    return new FleetError(
      'ERR_FLEET_DENIED',
      `these credentials are not authorized to call peels (${denied.operation} "${denied.subject}"): use an admin's`,
      options,
    );
  }
  return cause;
}
