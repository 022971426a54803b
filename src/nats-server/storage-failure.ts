// Recognizes in nats-server's log that JetStream has stopped writing until the server is restarted.
import { readServerLogLine } from './log-line.js';

/**
 * Messages of a sticky write error: the server refuses further writes to that stream, or has disabled JetStream, even
 * if the disk has room again (docs/nats-facts.md, 38). "failed to store a msg" is not one of them: nats-server 2.10
 * retries with the next message.
 */
const PERMANENT = /critical write error|JetStream out of \S+(?: resources)?, will be DISABLED/i;

/**
 * The message of a log line about a write error that only a restart clears.
 *
 * @returns the server's message; undefined if the line has none
 * @example
 * storageFailureIn('[7] 2026/01/02 03:04:05.678901 [ERR] JetStream out of resources, will be DISABLED');
 * // 'JetStream out of resources, will be DISABLED'
 */
export function storageFailureIn(line: string): string | undefined {
  const { level, text } = readServerLogLine(line);
  return level === 'error' && PERMANENT.test(text) ? text : undefined;
}
