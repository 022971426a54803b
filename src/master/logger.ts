// The logger interface of a master.
import { guarded, type ReportFailure } from '../async/guarded.js';
import { RepeatLimit } from '../async/repeat-limit.js';
import { LOG_LIMIT_WINDOW_MS } from '../timing.js';

/**
 * The logger of a master. A pino logger fits; others need an adapter, since the fields come first. No seed is logged.
 */
export interface MasterLogger {
  /** Details, for diagnosis. */
  debug(fields: object, message: string): void;
  /** The master's actions and decisions. */
  info(fields: object, message: string): void;
  /** Conditions that an operator should look into. */
  warn(fields: object, message: string): void;
  /** Failures. */
  error(fields: object, message: string): void;
}

/** Wraps a user's logger so that it never throws: a failed log call affects no decision. */
export function guardedLogger(logger: MasterLogger, report: ReportFailure): MasterLogger {
  return {
    debug: guarded((fields: object, message: string) => logger.debug(fields, message), report),
    info: guarded((fields: object, message: string) => logger.info(fields, message), report),
    warn: guarded((fields: object, message: string) => logger.warn(fields, message), report),
    error: guarded((fields: object, message: string) => logger.error(fields, message), report),
  };
}

/** Lines with the same text that are logged per minute; further ones are counted. */
const LINES_AT_ONCE = 50;
/** The texts that are distinguished per minute. */
const MAX_TEXTS = 100;

/** A log whose repeated lines are limited. */
export interface LimitedLogger extends MasterLogger {
  /** Logs what was counted but not yet logged. */
  close(): void;
}

/**
 * Limits repeated lines: requests, connections and messages from others cause log lines, which could fill a disk. Lines of
 * level `info` are not limited: they report decisions, which the audit log has too. Omitted lines are counted in one line
 * per minute.
 *
 * @param windowMs for tests
 */
export function limitedLogger(logger: MasterLogger, windowMs = LOG_LIMIT_WINDOW_MS): LimitedLogger {
  interface Line {
    level: 'debug' | 'warn' | 'error';
    fields: object;
    message: string;
  }
  const limit = new RepeatLimit<Line>({
    windowMs,
    atOnce: LINES_AT_ONCE,
    kinds: MAX_TEXTS,
    report: ({ level, fields, message }, count) => {
      if (count === 1) logger[level](fields, message);
      else logger[level]({ lines: count }, `${count} more lines like this: ${message}`);
    },
  });
  const limited = (level: Line['level']) => (fields: object, message: string) =>
    limit.note({ level, fields, message }, { kind: `${level} ${message}`, rest: level });
  return {
    debug: limited('debug'),
    info: (fields, message) => logger.info(fields, message),
    warn: limited('warn'),
    error: limited('error'),
    close: () => limit.close(),
  };
}
