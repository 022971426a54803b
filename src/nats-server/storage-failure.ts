// Recognizes in nats-server's log that JetStream has stopped writing until the server is restarted.
import { readServerLogLine } from './log-line.js';

/**
 * A failed write that the server remembers: it refuses further writes to that stream, or has turned JetStream off, even if the disk has
 * room again (docs/nats-facts.md, 38). "failed to store a msg" is not among them: nats-server 2.10 tries again with the next message.
 */
const PERMANENT = /critical write error|JetStream out of \S+(?: resources)?, will be DISABLED/i;

/**
 * What a line of a nats-server's log says about a write error that only a restart clears.
 *
 * @returns the server's words; undefined: the line says nothing of that kind
 * @example
 * storageFailureIn('[7] 2026/01/02 03:04:05.678901 [ERR] JetStream out of resources, will be DISABLED');
 * // 'JetStream out of resources, will be DISABLED'
 */
export function storageFailureIn(line: string): string | undefined {
  const { level, text } = readServerLogLine(line);
  return level === 'error' && PERMANENT.test(text) ? text : undefined;
}
