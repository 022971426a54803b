// Parses lines of nats-server's log.

/** A log level of a program that embeds a nats-server. */
export type ServerLogLevel = 'debug' | 'warn' | 'error';

/** A parsed line of a nats-server's log. */
export interface ServerLogLine {
  level: ServerLogLevel;
  text: string;
}

/**
 * JetStream's warnings for each stream when it starts after a kill. It rebuilds the index and loses nothing, and the
 * number of lines grows with the streams.
 */
const RECOVERY =
  /^Filestore \[[^\]]*\] (Stream state outdated, .*will rebuild|Recovering stream state from index errored: prior state file)$/;

/**
 * Parses a line of a nats-server's log, and assigns our log level: warnings and errors keep theirs; lines about the
 * start, or about an index that is rebuilt after a kill, are debug.
 *
 * @example readServerLogLine('[7] 2026/01/02 03:04:05.678901 [ERR] no space left'); // { level: 'error', text: 'no space left' }
 */
export function readServerLogLine(line: string): ServerLogLine {
  const [, level = 'INF', text = line] = /^\[\d+\] [\d/]+ [\d:.]+ \[(\w+)\] (.*)$/.exec(line) ?? [];
  if (level === 'ERR' || level === 'FTL') return { level: 'error', text };
  if (level === 'WRN' && !RECOVERY.test(text)) return { level: 'warn', text };
  return { level: 'debug', text };
}
