// The events of a connection, and how they are logged.
import type { CredentialEvent } from '../creds/credential-event.js';

/** The events of a connection, in addition to the client's `status()`. Switch on `type`. None contains a seed. */
export type ConnectionEvent =
  | CredentialEvent
  /**
   * A server refuses the connection; `reason` is its message. Reported once, then with increasing intervals. The
   * connection continues to retry.
   */
  | { type: 'refused'; reason: string; attempts: number; advice: string }
  /** An outage began: published messages are buffered from now on. */
  | { type: 'buffering' }
  /** The outage is over. */
  | { type: 'reconnected'; server: string }
  /** The buffered messages were sent, in order. */
  | { type: 'bufferSent'; messages: number; bytes: number }
  /** A buffered message could not be sent, for example because it exceeds the new server's `max_payload`. */
  | { type: 'messageRefused'; subject: string; error: Error }
  /** The connection was closed with undelivered messages in the buffer. */
  | { type: 'undelivered'; messages: number; bytes: number }
  /** The connection now uses another credential: by a reconnect, or by moving to a second connection. */
  | { type: 'rotated'; publicKey: string; how: 'reconnect' | 'hitless' }
  /** The second connection with the new credential failed. The first one stays, and the rotation is retried. */
  | { type: 'rotationFailed'; error: Error }
  /**
   * A user callback (`logger`, `onEvent`, `now`, a subscription's) threw, or its promise rejected. The connection
   * continues; each callback is reported once.
   */
  | { type: 'callbackFailed'; callback: string; error: Error };

/**
 * The logger of a connection. Pino loggers fit; others need an adapter, since the fields come first. No seed is logged.
 */
export interface ConnectionLogger {
  /** Normal events. */
  info(fields: object, message: string): void;
  /** Outages, refusals and failures. */
  warn(fields: object, message: string): void;
}

/** Writes an event to a logger, as one line. */
export function logEvent(logger: ConnectionLogger, event: ConnectionEvent): void {
  switch (event.type) {
    case 'credentialsLoaded':
      return logger.info(event, 'the next connect will use new credentials');
    case 'credentialsRejected':
      return logger.warn(
        { ...event, error: undefined, code: event.error.code },
        `credentials not used: ${event.error.message}`,
      );
    case 'credentialsExpired':
      return logger.warn(event, 'the credentials in use have expired, and the file has no newer ones');
    case 'refused':
      return logger.warn(
        { type: event.type, attempts: event.attempts },
        `the server refuses the connection ("${event.reason}"): ${event.advice}`,
      );
    case 'buffering':
      return logger.warn(event, 'disconnected: reconnecting, and buffering published messages');
    case 'reconnected':
      return logger.info(event, `reconnected to ${event.server}`);
    case 'bufferSent':
      return logger.info(event, 'sent the messages that were buffered during the outage');
    case 'messageRefused':
      return logger.warn(
        { ...event, error: undefined },
        `a buffered message was refused: ${event.error.message}`,
      );
    case 'undelivered':
      return logger.warn(event, 'closed with undelivered messages');
    case 'rotated':
      return logger.info(event, 'the connection uses the new credentials');
    case 'rotationFailed':
      return logger.warn(
        { ...event, error: undefined },
        `the new credentials cannot connect: ${event.error.message}`,
      );
    case 'callbackFailed':
      return logger.warn(
        { ...event, error: undefined },
        `the callback ${event.callback} failed: ${event.error.message}`,
      );
  }
}
