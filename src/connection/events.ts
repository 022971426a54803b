// The events of a connection, and how they are logged.
import type { CredentialEvent } from '../creds/credential-event.js';

/** The events of a connection, besides the client's own `status()`. Switch on `type`. None holds a seed. */
export type ConnectionEvent =
  | CredentialEvent
  /**
   * A server refuses the connection, in its words: said once, then ever less often while it continues. It is tried again all
   * the same.
   */
  | { type: 'refused'; reason: string; attempts: number; advice: string }
  /** An outage began: what is published is kept from here on. */
  | { type: 'buffering' }
  /** The outage is over. */
  | { type: 'reconnected'; server: string }
  /** What was kept during the outage has been handed to the connection, in order. */
  | { type: 'bufferSent'; messages: number; bytes: number }
  /** A kept message was refused when its turn came, for example by a server with a smaller `max_payload`. */
  | { type: 'messageRefused'; subject: string; error: Error }
  /** Closed with messages kept that were not delivered. */
  | { type: 'undelivered'; messages: number; bytes: number }
  /** The connection now uses another credential: by a reconnect, or by moving to a second connection. */
  | { type: 'rotated'; publicKey: string; how: 'reconnect' | 'hitless' }
  /** A second connection with the new credential could not be made; the first stays, and it is tried again. */
  | { type: 'rotationFailed'; error: Error }
  /**
   * A callback that was passed in (`logger`, `onEvent`, `now`, a subscription's) threw, or its promise rejected. The
   * connection continues; each callback is reported once.
   */
  | { type: 'callbackFailed'; callback: string; error: Error };

/** Where a connection logs its events. Loggers of pino are such; other loggers need an adapter, since the fields come first. No seed is logged. */
export interface ConnectionLogger {
  /** What happened as it should. */
  info(fields: object, message: string): void;
  /** Outages, refusals and failures. */
  warn(fields: object, message: string): void;
}

/** Writes an event to a logger, in one line that says what was decided. */
export function logEvent(logger: ConnectionLogger, event: ConnectionEvent): void {
  switch (event.type) {
    case 'credentialsLoaded':
      return logger.info(event, 'new credentials will be used from the next connect');
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
      return logger.warn(event, 'disconnected: reconnecting, and buffering what is published');
    case 'reconnected':
      return logger.info(event, `reconnected to ${event.server}`);
    case 'bufferSent':
      return logger.info(event, 'sent what was buffered during the outage');
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
