// The events of a peel, and how they are logged.
import { guarded, type ReportFailure } from '../async/guarded.js';
import { RepeatLimit } from '../async/repeat-limit.js';
import { logEvent, type ConnectionEvent, type ConnectionLogger } from '../connection/events.js';
import type { ZesterError } from '../errors.js';
import { omit } from './omit.js';
import { isoTime } from '../jwt/time.js';
import { LOG_LIMIT_WINDOW_MS } from '../timing.js';

/** The events of a peel, in addition to those of its connection. Switch on `type`. None contains a seed. */
export type PeelEvent =
  | ConnectionEvent
  /** No server has accepted the first connection yet; it is retried. */
  | { type: 'waiting'; error: Error; retryInMs: number }
  /** Connected for the first time: the peel accepts commands from now on. */
  | { type: 'started'; peelId: string; server: string; publicKey: string; expiresAt: number | undefined }
  | { type: 'disconnected' }
  /** A new JWT for the same key. `expiresAt` in milliseconds since 1970; undefined: never. */
  | { type: 'renewed'; publicKey: string; expiresAt: number | undefined }
  /** The connection uses a new key, and the old one has drained. */
  | { type: 'keyRotated'; publicKey: string; replaces: string; expiresAt: number | undefined }
  /** The credential had expired, and a master issued another one, for a new key. */
  | { type: 'recovered'; publicKey: string; replaces: string; expiresAt: number | undefined }
  /** The credential has expired, and an admin has to accept the peel: `zester peel accept <id>`. */
  | { type: 'recoveryPending'; fingerprint: string; retryInMs: number }
  /** The credential may have expired, and a request to a master for another one failed; it is retried. */
  | { type: 'recoveryFailed'; error: Error; retryInMs: number }
  /** A renewal or a rotation failed, and is retried. `remainingMs`: until the credential in use expires. */
  | {
      type: 'renewalFailed';
      what: 'renewal' | 'rotation';
      error: Error;
      retryInMs: number;
      remainingMs: number | undefined;
    }
  /** A new credential could not be written: the file is unchanged, and the write is retried. */
  | { type: 'notWritten'; path: string; error: Error; retryInMs: number; inUse: boolean }
  /** The new credential is in the file now. */
  | { type: 'written'; path: string; publicKey: string }
  /** This machine's clock is wrong: `offsetMs` is the correction. */
  | { type: 'clockOff'; offsetMs: number; knownFrom: 'master' | 'credential' }
  /** A command was answered. `handler` is undefined if no handler has its name; `outcome` is `ok` or an error code. */
  | { type: 'command'; handler: string | undefined; outcome: string; durationMs: number }
  /** A handler threw or timed out: the caller got only the error's message. */
  | { type: 'commandFailed'; handler: string; error: Error }
  /**
   * A command with a reply subject other than `zester.job.<nonce>.return.<id>`: neither run nor answered. It came
   * from an older version of Zester, a plain `nc.request()`, or someone who wants the peel to publish elsewhere.
   */
  | { type: 'commandRefused'; subject: string; reply: string }
  /** A forged master message, or a replay of an old one. */
  | { type: 'noticeIgnored'; error: ZesterError }
  /** A master stopped this peel with a signed notice: it was rejected or revoked. */
  | { type: 'ended'; error: ZesterError }
  /** The peel has finished its work and is closed. */
  | { type: 'drained' };

/** Events that a message of somebody else causes, and that a sender may repeat as often as it likes. */
const CAUSED_BY_OTHERS: ReadonlySet<PeelEvent['type']> = new Set([
  'noticeIgnored',
  'commandRefused',
  'commandFailed',
]);
/** Lines about one of these in a minute; further ones are counted. */
const LINES_AT_ONCE = 10;

/** Logs the events of a peel. */
export interface PeelLog {
  log(event: PeelEvent): void;
  /** Logs what was counted but not yet logged. */
  close(): void;
}

/**
 * Logs each event as one line. Of those that others cause, the first few of a minute, and then the number of the others: a
 * sender of notices or commands cannot fill the disk.
 *
 * @param report called when the logger throws
 * @param windowMs for tests
 */
export function peelLog(
  given: ConnectionLogger,
  report: ReportFailure,
  windowMs = LOG_LIMIT_WINDOW_MS,
): PeelLog {
  const write = guarded(
    (level: 'info' | 'warn', fields: object, message: string) => given[level](fields, message),
    report,
  );
  const logger: ConnectionLogger = {
    info: (fields, message) => write('info', fields, message),
    warn: (fields, message) => write('warn', fields, message),
  };
  const limit = new RepeatLimit<PeelEvent>({
    windowMs,
    atOnce: LINES_AT_ONCE,
    kinds: CAUSED_BY_OTHERS.size,
    report: (event, count) => {
      if (count === 1) logPeelEvent(logger, event);
      else logger.warn({ type: event.type, lines: count }, `${count} more ${event.type} events`);
    },
  });
  return {
    log: (event) => {
      if (CAUSED_BY_OTHERS.has(event.type)) limit.note(event, { kind: event.type, rest: event.type });
      else logPeelEvent(logger, event);
    },
    close: () => limit.close(),
  };
}

/** Writes an event to a logger, as one line. */
function logPeelEvent(logger: ConnectionLogger, event: PeelEvent): void {
  const fields = omit(event as PeelEvent & { error?: Error }, 'error');
  switch (event.type) {
    case 'waiting':
      return logger.warn(
        coded(fields, event.error),
        `waiting for a server: ${event.error.message}${refusalAdvice(event.error as { code?: unknown })}`,
      );
    case 'started':
      return logger.info(fields, `the peel "${event.peelId}" is connected to ${event.server}`);
    case 'command':
      // a failure has its own event, and a success is not worth a line
      return;
    case 'disconnected':
      // the connection's `buffering` event says so
      return;
    case 'credentialsLoaded':
      // `rotated`, `renewed` and `keyRotated` say so once they are in use
      return;
    case 'renewed':
      return logger.info(fields, `renewed${until(event.expiresAt)}`);
    case 'keyRotated':
      return logger.info(fields, `the key was rotated; the credential is valid${until(event.expiresAt)}`);
    case 'renewalFailed': {
      const what = event.what === 'renewal' ? 'the credential was not renewed' : 'the key was not rotated';
      return logger.warn(coded(fields, event.error), `${what}; retrying: ${event.error.message}`);
    }
    case 'recovered':
      return logger.info(fields, `recovered after expiry: a new key${until(event.expiresAt)}`);
    case 'recoveryPending':
      return logger.warn(
        fields,
        `the credential has expired, and an admin has to accept the peel (key fingerprint ${event.fingerprint})`,
      );
    case 'recoveryFailed':
      return logger.warn(coded(fields, event.error), `not recovered; retrying: ${event.error.message}`);
    case 'notWritten':
      return logger.warn(
        coded(fields, event.error),
        `a new credential is kept in memory until it can be written: ${event.error.message}`,
      );
    case 'written':
      return logger.info(fields, `the new credential is in ${event.path}`);
    case 'clockOff':
      return logger.warn(
        fields,
        `this machine's clock is about ${Math.round(Math.abs(event.offsetMs) / 1000)} s ` +
          `${event.offsetMs < 0 ? 'ahead' : 'behind'}: compensated for, but correct it`,
      );
    case 'commandFailed':
      return logger.warn(coded(fields, event.error), `${event.handler}: ${event.error.message}`);
    case 'commandRefused':
      return logger.warn(
        fields,
        `refused a command on ${event.subject} with the reply subject ${event.reply}: use requestPeel(), or a current ` +
          'zester command',
      );
    case 'noticeIgnored':
      return logger.warn(coded(fields, event.error), event.error.message);
    case 'ended':
      return logger.warn(coded(fields, event.error), `stopped by a master: ${event.error.message}`);
    case 'drained':
      return logger.info(fields, 'drained and closed');
    default:
      return logEvent(logger, event);
  }
}

function refusalAdvice({ code }: { code?: unknown }): string {
  if (code !== 'ERR_CONNECT_REFUSED') return '';
  return '; "zester doctor --creds FILE" shows which. A new file in its place is used at the next attempt';
}

function coded(fields: object, error: Error): object {
  const { code } = error as { code?: unknown };
  return { ...fields, ...(typeof code === 'string' && { code }) };
}

function until(expiresAt: number | undefined): string {
  return expiresAt === undefined ? ', forever' : ` until ${isoTime(expiresAt / 1000)}`;
}
